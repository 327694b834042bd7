"""The list of processes in tree order, each with its change since the step began."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tutor.home import command_line

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.observe import ContainerView, Delta, Process
    from tutor.text.glyphs import Mark


class ProcessRow(NamedTuple):
    """One process; the mark is `+` if it is new since the step began, `~` if its command line was another."""

    process: Process
    mark: Mark

    @property
    def indent(self) -> str:
        """Spaces for its place in the tree."""
        return "  " * self.process.depth

    @property
    def command(self) -> str:
        """Its whole command line; its name in brackets if it has none, as a zombie (ps(1))."""
        return command_line(self.process.words) or f"[{self.process.comm}]"

    @property
    def short_command(self) -> str:
        """Its command line for a narrow panel (`short_command`)."""
        return short_command(self.process.words) or self.command

    def state(self, messages: Messages) -> str:
        """Return the letter of its state and the word for it."""
        key = f"observe.state.{self.process.state}"
        return f"{self.process.state} {messages(key)}" if messages.has(key) else self.process.state


def process_rows(container: ContainerView, changes: Delta | None = None) -> list[ProcessRow]:
    """Return each process after its parent.

    Args:
        container: what the kernel says now.
        changes: what changed since the step began; None where there is nothing to compare with.
    """
    marks: dict[int, Mark] = {}
    if changes is not None:
        marks |= {each.pid: "+" for each in changes.processes.added}
        marks |= {
            each.after.pid: "~"
            for each in changes.processes.changed
            if each.before.cmdline != each.after.cmdline
        }
    return [ProcessRow(each, marks.get(each.pid, " ")) for each in container.processes]


def short_command(words: tuple[str, ...]) -> str:
    """Return a command line without the directories of its program and, behind an interpreter, of its script.

    Of a Python with its program on the command line (`-c`), as the code cache starts `runt`, only the arguments are kept.
    """
    if words and Path(words[0]).name.startswith("python") and "-c" in words:
        arguments = words[words.index("-c") + 2 :]
        return command_line((Path(words[0]).name, "…", *arguments))
    programs = 2 if len(words) > 1 and Path(words[0]).name.startswith(("python", "sh")) else 1
    return command_line(Path(word).name if at < programs else word for at, word in enumerate(words))
