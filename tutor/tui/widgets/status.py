"""What is always in sight: the last command, and the states of the container with the present one marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from tutor.text import printable, truncate
from tutor.text.glyphs import FAILED, PASSED, RECORDED, RUNNING
from tutor.view.lifecycle import stages

if TYPE_CHECKING:
    from textual.app import RenderResult
    from textual.geometry import Size

    from tutor.messages import Messages
    from tutor.view.lesson_view import LessonView, Run


class LastCommand(Widget):
    """The command line as it is typed, how it ended, and what it printed, in one line."""

    DEFAULT_CSS = "LastCommand { height: 2; text-wrap: nowrap; }"

    def __init__(self, view: LessonView, messages: Messages) -> None:
        super().__init__(id="last-command")
        self._view = view
        self._messages = messages

    def render(self) -> RenderResult:
        """Return two lines."""
        if not self._view.runs:
            return Content.styled(self._messages("tui.status.no_command"), "$text-muted")
        run = self._view.runs[-1]
        ending = outcome(run, self._messages)
        room = self.size.width - ending.cell_length - 4
        first, newline, _ = run.call.typed.rstrip().partition("\n")
        typed = truncate(f"{first} …" if newline else first, room)
        command = Content.assemble(("$ ", "$text-muted"), (typed, "bold"))
        gap = " " * max(2, self.size.width - command.cell_length - ending.cell_length)
        if run.explained is not None:
            below, style = run.explained.title, "$text-warning"
        else:
            below = printable(run.gist) or (self._messages("tui.status.silent") if run.result else "")
            style = "$text-muted"
        printed = Content.styled("  " + truncate(below, self.size.width - 2), style)
        return Content.assemble(command, gap, ending, "\n", printed)


def outcome(run: Run, messages: Messages) -> Content:
    """Return how a command ended, with glyph and word: its exit status and how long it took."""
    if run.result is None:
        return Content.styled(f"{RUNNING} {messages('tui.status.running')}", "bold $text-warning")
    if run.call.recorded:
        return Content.styled(f"{RECORDED} {messages('tui.status.recorded')}", "$text-warning")
    code, seconds = run.result.returncode, f"{run.result.seconds:.2f} s"
    if code == 0:
        return Content.styled(f"{PASSED} {seconds}", "$text-success")
    key = "tui.status.signal" if code < 0 else "tui.status.failed"
    return Content.styled(f"{FAILED} {messages(key, code=abs(code))}  {seconds}", "bold $text-error")


class Lifecycle(Widget):
    """`creating ──▶ ● created ──▶ ○ running ──▶ ○ stopped`, and the operations that the present state allows."""

    DEFAULT_CSS = "Lifecycle { height: auto; }"

    def __init__(self, view: LessonView, messages: Messages) -> None:
        super().__init__(id="lifecycle")
        self._view = view
        self._messages = messages

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  (Textual's signature)
        """Return the number of lines in `width` cells; the widget still has the size of before when it is resized."""
        return self._lines(width).plain.count("\n") + 1

    def render(self) -> RenderResult:
        """Return one line, or two where one is too narrow."""
        return self._lines(self.size.width)

    def _lines(self, width: int) -> Content:
        m = self._messages
        present = self._view.state.status if self._view.state else None
        parts: list[str | tuple[str, str]] = []
        for stage in stages(present):
            parts.append((stage.arrow, "$text-muted"))
            if stage.present:
                parts.append((f" {stage.glyph} {stage.state} ", "bold $background on $success"))
            else:
                parts.append((f"{stage.glyph} {stage.state}", "$text-muted"))
        line = Content.assemble(*parts)
        allowed = " ".join(self._view.can)
        tail = (
            Content.assemble((m("view.state.can"), "$text-muted"), (f" {allowed}", "bold $text-primary"))
            if allowed
            else Content("")
        )
        if present is None and self._view.lesson is not None:
            said = Content.assemble((m("view.state.none"), "$text-warning"), "  ", tail)
            if line.cell_length + said.cell_length + 2 <= width:
                tail = said
        if line.cell_length + tail.cell_length + 2 > width:
            return Content.assemble(line, "\n", tail)
        return Content.assemble(line, " " * (width - line.cell_length - tail.cell_length), tail)
