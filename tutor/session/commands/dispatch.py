"""Call the function of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.model import OPERATIONS
from tutor.errors import TutorError
from tutor.session import progression
from tutor.session.commands import free_play, lesson
from tutor.session.commands.my import my
from tutor.session.commands.solve import solve

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.course.model import Operation
    from tutor.session.commands.parser import Parsed
    from tutor.session.lesson_run import LessonRun

_LESSON: dict[str, Callable[..., None]] = {
    "next": lesson.go_on,
    "back": lesson.go_back,
    "answer": progression.answer,
    "check": lesson.check,
    "hint": lesson.hint,
    "solve": solve,
    "reset": lesson.reset,
    "engine": lesson.engine,
    "my": my,
}
_OPERATIONS: dict[str, Operation] = {each: each for each in OPERATIONS}


def dispatch(run: LessonRun, parsed: Parsed) -> None:
    """Run a command.

    Raises:
        TutorError: it fails; `session.error.face_command`, it is a command that faces handle.
    """
    name = parsed.command.name
    match parsed.command.scope:
        case "engine":
            _operate(run, _OPERATIONS[name], (*parsed.flags, *parsed.arguments))
        case "lesson" if run.lesson.is_free_play and name not in free_play.ALLOWED:
            run.notice("information", "session.play.nothing_checked")
        case "lesson" if run.lesson.is_free_play and name == "reset":
            free_play.reset(run)
        case "lesson":
            _LESSON[name](run, *parsed.arguments)
        case "view" | "face":
            raise TutorError("session.error.face_command", command=name)


def _operate(run: LessonRun, operation: Operation, arguments: tuple[str, ...]) -> None:
    before = run.state
    result = progression.operate(run, operation, *arguments)
    wanted = getattr(run.step.activity, "operation", "") == operation
    progression.check(run, tried=wanted or result.returncode != 0)
    if not wanted:
        progression.warn_if_state_unfit(run, before)
