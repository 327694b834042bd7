"""Complete the arguments of commands: signals, engines, choices, names of folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.find import course_of
from tutor.course.model import Quiz
from tutor.engines.model import ENGINE_NAMES
from tutor.own_steps.exercises import EXERCISES
from tutor.session.commands.my import WORDS

if TYPE_CHECKING:
    from tutor.course.model import Lesson, Step
    from tutor.messages import Messages
    from tutor.session.commands.registry import Argument

SIGNALS = ("TERM", "KILL", "INT", "HUP", "QUIT", "USR1", "USR2", "STOP", "CONT")


def completions(
    argument: Argument, prefix: str, lesson: Lesson | None, step: Step | None, messages: Messages
) -> tuple[tuple[str, str], ...]:
    """Return the values of an argument that begin with a prefix, each with a description."""
    known: list[tuple[str, str]] = []
    match argument.values:
        case "signal":
            known = [(each, messages(f"session.signal.{each}")) for each in SIGNALS]
        case "engine":
            names = lesson.engines if lesson else ENGINE_NAMES
            known = [(each, messages(f"session.engine.{each}")) for each in names]
        case "choice":
            if step and isinstance(step.activity, Quiz):
                known = [(each.id, each.text) for each in step.activity.choices]
        case "my":
            known = [(each, messages(f"session.my.{each}")) for each in WORDS]
        case "exercise":
            known = [(each.id, ", ".join(each.functions)) for each in EXERCISES]
        case "folder":
            return folders(prefix)
        case "term":
            from tutor.course.glossary import Glossary

            known = [(each.word, "") for each in Glossary.load(course_of(lesson), messages.language).terms]
        case "clause":
            from tutor.course.clauses import Clauses

            known = [(each, "") for each in Clauses.load(course_of(lesson), messages.language).known]
        case "file" | "none":
            pass
    return tuple(pair for pair in known if pair[0].casefold().startswith(prefix.casefold()))


def folders(prefix: str) -> tuple[tuple[str, str], ...]:
    """Return the folders whose names begin with `prefix`, in the form in which it is written; hidden ones only after a dot."""
    return tuple(each for each in files(prefix, Path()) if each[0].endswith("/"))


def files(prefix: str, where: Path) -> tuple[tuple[str, str], ...]:
    """Return the files whose names begin with `prefix`, folders with `/`, as they are written in the directory `where`."""
    parent, slash, start = prefix.rpartition("/")
    try:
        found = sorted(
            f"{each.name}/" if each.is_dir() else each.name
            for each in (where / Path(f"{parent}{slash}").expanduser()).iterdir()
            if each.name.startswith(start) and (start or not each.name.startswith("."))
        )
    except (OSError, RuntimeError):  # it can't be listed; there is no user of the name after `~`
        return ()
    return tuple((f"{parent}{slash}{name}", "") for name in found)
