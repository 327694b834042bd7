"""The registry of commands: names, arguments and help in one place; every face offers these and no others.

`Session.execute` runs those of the scopes "engine" and "lesson". Those of the scope "view" change nothing: a face shows what it knows
from the events. Those of the scope "face" are handled by the face alone.
"""

from __future__ import annotations

from typing import Literal

from tutor.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a command; `values` names the source of its completions."""

    name: str
    values: Literal[
        "signal", "engine", "choice", "folder", "file", "term", "clause", "my", "exercise", "none"
    ] = "none"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command; its help is the catalogue's `session.command.<name>`, that of an argument `session.argument.<name>`.

    `rest`: the last argument takes all that follows, spaces and flags included.
    """

    name: str
    scope: Literal["engine", "lesson", "view", "face"]
    arguments: tuple[Argument, ...] = ()
    flags: tuple[str, ...] = ()
    rest: bool = False


IN_SHELL = "!"
"""The command that runs what follows it in the shell of the lab: `!ls -l`, with or without a blank."""

COMMANDS: tuple[Command, ...] = (
    Command("read", "view"),
    Command("next", "lesson"),
    Command("back", "lesson"),
    Command("edit", "face"),
    Command("create", "engine"),
    Command("start", "engine"),
    Command("state", "engine"),
    Command("list", "engine"),
    Command("kill", "engine", (Argument("signal", "signal"),)),
    Command("delete", "engine", flags=("--force",)),
    Command("pause", "engine"),
    Command("resume", "engine"),
    Command("exec", "engine", (Argument("program", required=True),), rest=True),
    Command("update", "engine", (Argument("limits", required=True),), rest=True),
    Command("ns", "view"),
    Command("mounts", "view"),
    Command("ps", "view"),
    Command("cgroup", "view"),
    Command("clause", "view", (Argument("clause", "clause"),)),
    Command("glossary", "view", (Argument("term", "term"),), rest=True),
    Command("answer", "lesson", (Argument("choice", "choice", required=True),), rest=True),
    Command("check", "lesson"),
    Command("hint", "lesson"),
    Command("solve", "lesson"),
    Command("reset", "lesson"),
    Command("my", "lesson", (Argument("word", "my", required=True), Argument("step", "exercise"))),
    Command("engine", "lesson", (Argument("engine", "engine"),)),
    Command("shell", "face"),
    Command(IN_SHELL, "face", (Argument("line", "file"),), rest=True),
    Command("play", "face", (Argument("bundle", "folder"),)),
    Command("help", "face", (Argument("command", "none"),)),
    Command("quit", "face"),
)

BY_NAME: dict[str, Command] = {command.name: command for command in COMMANDS}
