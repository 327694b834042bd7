"""The panel of processes: the tree, each one's state and what it means, and what each waits for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from tutor.observe import describe
from tutor.text import cell_width
from tutor.tui.widgets.line_view import LineView, empty_panel, styled_lines

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.observe import Process
    from tutor.view.lesson_view import LessonView

_STATE_STYLES = {"R": "bold $text-success", "Z": "$text-error", "X": "$text-error", "T": "$text-warning"}


class ProcessesPanel(LineView):
    """A tree of processes, two to four lines each; whole command lines are for the evidence of checks and for `ps`."""

    DEFAULT_CSS = "ProcessesPanel { overflow-x: hidden; }"  # its lines are wrapped

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
        command = short_command(process.words) or process.comm
        mark, style = self._mark(process)
        head = Content.assemble(
            (mark, style),
            (f"{indent[1:]}{process.pid} ", "bold $text-primary"),
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

    def _mark(self, process: Process) -> tuple[str, str]:
        """Return `+` for a process that was not there when the step began, `~` for one that ran another program then."""
        before = self._view.baseline
        if before is None:
            return " ", ""
        old = before.container.process(process.pid) if before.container else None
        if old is None:
            return "+", "bold $text-success"
        return (" ", "") if old.cmdline == process.cmdline else ("~", "bold $text-warning")


def short_command(cmdline: tuple[str, ...]) -> str:
    """Return a command line as one says it: programs without the folders they lie in (the interpreter's script, too).

    Of a Python that was handed its program on the command line, as a fast `runt` is, only what the program was called with.
    """
    if cmdline and Path(cmdline[0]).name.startswith("python") and "-c" in cmdline:
        called_with = cmdline[cmdline.index("-c") + 2 :]
        return " ".join((Path(cmdline[0]).name, "…", *called_with))
    programs = 2 if len(cmdline) > 1 and Path(cmdline[0]).name.startswith(("python", "sh")) else 1
    return " ".join(Path(word).name if at < programs else word for at, word in enumerate(cmdline))
