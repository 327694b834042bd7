"""Parse a line that was typed into a command and its arguments."""

from __future__ import annotations

import difflib
import shlex

from tutor.engines.model import ENGINE_NAMES
from tutor.errors import TutorError
from tutor.home import command_line
from tutor.lazy_dataclass import dataclass
from tutor.session.commands.registry import BY_NAME, IN_SHELL, Command


@dataclass(frozen=True, slots=True)
class Parsed:
    """A command with its arguments and flags, checked against the registry."""

    command: Command
    arguments: tuple[str, ...]
    flags: tuple[str, ...]


def parse(line: str, *, engine: str, container_id: str) -> Parsed | None:
    """Return the command of a line, None for an empty line.

    The engine's own command line works too (`runc kill alpine-test TERM`, as in every text about runc), if it names this lesson's
    engine and container.

    Raises:
        TutorError: `session.error.quotes`, `.unknown_command`, `.other_engine`, `.other_container`, `.missing_argument`,
            `.too_many_arguments`, `.unknown_flag`.
    """
    if line.lstrip().startswith(IN_SHELL):
        typed = line.strip().removeprefix(IN_SHELL).strip()  # the shell divides it into words
        return Parsed(BY_NAME[IN_SHELL], (typed,) if typed else (), ())
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise TutorError("session.error.quotes", line=line) from error
    if not words:
        return None
    if words[0] in ENGINE_NAMES and len(words) > 1:
        words = _without_engine(words, engine, container_id)
    name, rest = words[0], words[1:]
    command = BY_NAME.get(name)
    if command is None:
        near = difflib.get_close_matches(name, BY_NAME) or ["help"]
        raise TutorError("session.error.unknown_command", command=name, near=", ".join(near))
    if command.rest and rest:
        return Parsed(command, tuple(rest), ())
    flags = tuple(each for each in rest if each in command.flags)
    arguments = tuple(each for each in rest if each not in flags)
    unknown = [each for each in arguments if each.startswith("--")]
    if unknown:
        known = ", ".join(command.flags) or "-"
        raise TutorError("session.error.unknown_flag", command=name, flag=unknown[0], known=known)
    if len(arguments) > len(command.arguments):
        raise TutorError(
            "session.error.too_many_arguments", command=name, extra=arguments[-1], usage=usage(command)
        )
    missing = [each.name for each in command.arguments[len(arguments) :] if each.required]
    if missing:
        raise TutorError("session.error.missing_argument", command=name, usage=usage(command))
    return Parsed(command, arguments, flags)


def usage(command: Command) -> str:
    """Return the usage of a command: `kill [SIGNAL]`."""
    parts = [command.name, *(f"[{flag}]" for flag in command.flags)]
    for argument in command.arguments:
        word = argument.name.upper()
        parts.append(word if argument.required else f"[{word}]")
    if command.rest:
        parts.append("...")
    return " ".join(parts)


def _without_engine(words: list[str], engine: str, container_id: str) -> list[str]:
    name, operation, *rest = words
    if name != engine:
        raise TutorError("session.error.other_engine", typed=name, engine=engine)
    command = BY_NAME.get(operation)
    if command is None or command.scope != "engine":
        raise TutorError("session.error.engine_command", typed=f"{name} {operation}", engine=engine)
    if operation != "list":
        ids = [each for each in rest if not each.startswith("-")]
        if not ids or ids[0] != container_id:
            raise TutorError(
                "session.error.other_container", typed=command_line(words), container=container_id
            )
        rest.remove(container_id)
    return [operation, *rest]
