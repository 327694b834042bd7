"""The panel of processes: their tree, the state of each, and the system call in which it waits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual.content import Content

from tutor.observe import describe
from tutor.text import cell_width
from tutor.text.glyphs import BELOW
from tutor.tui.widgets.line_view import MARK_STYLES, Panel, empty_panel, styled_lines
from tutor.view.processes import process_rows

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.view.lesson_view import LessonView
    from tutor.view.processes import ProcessRow

_STATE_STYLES = {"R": "bold $text-success", "Z": "$text-error", "X": "$text-error", "T": "$text-warning"}


class ProcessesPanel(Panel):
    """A tree of processes, one to four lines each, with short command lines."""

    DEFAULT_CSS = "ProcessesPanel { overflow-x: hidden; }"  # its lines are wrapped

    def __init__(self, view: LessonView, messages: Messages) -> None:
        super().__init__("processes", view, messages)

    def build(self, width: int) -> list[Content]:
        """Return the lines."""
        if self._view.predicting:
            text = self._messages("view.processes.predict_first")
            return styled_lines(text, width, "$text-muted", indent=" ")
        container = self._view.container
        if container is None or not container.processes:
            return empty_panel(self._view, self._messages, width)
        rows = process_rows(container, self._view.changes)
        return [line for row in rows for line in self._process(row, width)]

    def _process(self, row: ProcessRow, width: int) -> list[Content]:
        m, process = self._messages, row.process
        indent = " " + row.indent
        head = Content.assemble(
            (row.mark, MARK_STYLES[row.mark]),
            (f"{row.indent}{process.pid} ", "bold $text-primary"),
            (f" {row.state(m)}  ", _STATE_STYLES.get(process.state, "$text-accent")),
        )
        if head.cell_length + cell_width(row.short_command) <= width:
            lines = [Content.assemble(head, row.short_command)]
        else:
            lines = [head, *styled_lines(row.short_command, width, "$foreground", indent=f"{indent}  ")]
        if process.ns_pid != process.pid:
            lines += styled_lines(
                m("tui.process.inside", pid=process.ns_pid), width, "$text-muted", indent=f"{indent}  "
            )
        if process.waits_for is not None:
            wait = process.waits_for
            told = Content(f"{BELOW} {describe(wait, m)}").highlight_regex(
                re.escape(wait.summary), style="bold $text-warning"
            )
            room = max(2, width - len(indent) - 2)
            lines += [
                Content.assemble(indent if index == 0 else f"{indent}  ", line)
                for index, line in enumerate(told.wrap(room))
            ]
        return lines
