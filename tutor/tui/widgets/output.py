"""The output: each command of the engine as it is typed, its directory, what it printed, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.home import shown
from tutor.text import printable, wrap
from tutor.text.glyphs import EXPLAINED, NEXT
from tutor.tui.inline_markdown import inline
from tutor.tui.widgets.line_view import Panel, styled_lines
from tutor.tui.widgets.rows import row, wrapped
from tutor.tui.widgets.status import outcome

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.session.events import Explained
    from tutor.view.lesson_view import LessonView, Run

_STREAM_STYLES: dict[str, str] = {"stdout": "$foreground", "stderr": "$text-error"}


class OutputPane(Panel):
    """All commands of this lesson, the newest at the end."""

    STICKS_TO_END: ClassVar[bool] = True

    def __init__(self, view: LessonView, messages: Messages) -> None:
        super().__init__("output", view, messages)

    def build(self, width: int) -> list[Content]:
        """Return the lines."""
        if not self._view.runs:
            return styled_lines(self._messages("tui.output.empty"), width, "$text-muted", indent=" ")
        lines: list[Content] = []
        for run in self._view.runs:
            lines += self._run(run, width)
        return lines

    def _run(self, run: Run, width: int) -> list[Content]:
        lines = [
            Content.styled(f" {shown(run.call.cwd)}", "$text-muted"),
            *(
                Content.assemble(
                    (" $ " if index == 0 else "   ", "$text-muted"), (part, "bold $text-primary")
                )
                for index, part in enumerate(wrap(run.call.typed, max(10, width - 4)))
            ),
        ]
        if run.shortened:
            lines += styled_lines(self._messages("tui.output.shortened"), width, "$text-muted", indent=" ")
        lines += printed_lines(run, width)
        lines.append(Content.assemble(" ", outcome(run, self._messages)))
        if run.explained is not None:
            lines += explanation(run.explained, self._messages, width, short=self.screen.has_class("-narrow"))
        return [*lines, Content("")]


def explanation(explained: Explained, messages: Messages, width: int, *, short: bool) -> list[Content]:
    """Return what is wrong, where, why, and what to do now; of a failure that the step asks for, only what, where and the clause."""
    where = explained.place + (f"  {explained.pointer}" if explained.pointer else "")
    rows = [
        row((f"{EXPLAINED} ", "bold $text-warning"), (explained.title, "bold $text-warning")),
        *([row(("  ", ""), (where, "$text-primary"))] if where else []),
    ]
    if not explained.expected:
        if explained.cause and not short:
            rows.append(row(("  ", ""), inline(explained.cause)))
        if explained.fix:
            rows.append(row((f"{NEXT} ", "bold $text-accent"), inline(explained.fix)))
    if explained.clause:
        rows.append(row(("  ", ""), (messages("tui.output.clause", clause=explained.clause), "$text-muted")))
    return [Content.assemble(" ", each) for each in wrapped(rows, width - 1)]


def printed_lines(run: Run, width: int) -> list[Content]:
    """Return what a command printed, in a style for each stream.

    Lines of standard output are not wrapped, since they may be a table (the pane scrolls sideways); messages are.
    """
    lines: list[list[tuple[str, str]]] = [[]]
    for stream, text in run.chunks:
        for index, part in enumerate(text.split("\n")):
            if index:
                lines.append([])
            if part:
                lines[-1].append((printable(part), stream))
    if not lines[-1]:
        lines.pop()
    pieces: list[Content] = []
    for line in lines:
        whole = Content.assemble(*((text, _STREAM_STYLES[stream]) for text, stream in line))
        wraps = any(stream == "stderr" for _, stream in line)
        pieces += [
            Content.assemble(" ", piece) for piece in (whole.wrap(max(2, width - 1)) if wraps else [whole])
        ]
    return pieces
