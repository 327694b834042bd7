"""The panel of processes: the tree, each one's state and what it means, and what each waits for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual.content import Content

from tutor.observe import describe
from tutor.text import cell_width
from tutor.tui.widgets.lines import LineView
from tutor.tui.widgets.panel import empty_panel, styled_lines

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.observe import Process
    from tutor.tui.view import LessonView

_STATE_STYLES = {"R": "bold $text-success", "Z": "$text-error", "X": "$text-error", "T": "$text-warning"}


class ProcessesPanel(LineView):
    """A tree of processes, two to four lines each."""

    def __init__(self, view: LessonView, messages: Messages) -> None:
        super().__init__(id="processes", classes="pane")
        self._view = view
        self._messages = messages
        self.border_title = messages("tui.panel.processes")

    def build(self, width: int) -> list[Content]:
        """Return the lines."""
        container = self._view.snapshot.container if self._view.snapshot else None
        if container is None or not container.processes:
            return empty_panel(self._view, self._messages, width)
        return [line for process in container.processes for line in self._process(process, width)]

    def _process(self, process: Process, width: int) -> list[Content]:
        m = self._messages
        indent = " " + "  " * process.depth
        state = m(f"observe.state.{process.state}") if m.has(f"observe.state.{process.state}") else ""
        command = " ".join(process.cmdline) or process.comm
        head = Content.assemble(
            (f"{indent}{process.pid} ", "bold $text-primary"),
            (f" {process.state} {state}  ", _STATE_STYLES.get(process.state, "$text-accent")),
        )
        if head.cell_length + cell_width(command) <= width:
            lines = [Content.assemble(head, command)]
        else:
            lines = [head, *styled_lines(command, width, "$foreground", indent=f"{indent}  ")]
        if process.ns_pid != process.pid:
            lines += styled_lines(
                m("tui.process.inside", pid=process.ns_pid), width, "$text-muted", indent=f"{indent}  "
            )
        if process.waits_for is not None:
            wait = process.waits_for
            told = Content(f"└ {describe(wait, m)}").highlight_regex(
                re.escape(wait.summary), style="bold $text-warning"
            )
            room = max(2, width - len(indent) - 2)
            lines += [
                Content.assemble(indent if index == 0 else f"{indent}  ", line)
                for index, line in enumerate(told.wrap(room))
            ]
        return lines
