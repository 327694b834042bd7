"""`my WORD [WHAT]`: the learner's own runtime, in a lesson as `oci-tutor my` has it outside of one."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.model import OwnStep
from tutor.engines.model import Call, CallResult
from tutor.errors import TutorError
from tutor.home import command_line
from tutor.session import progression
from tutor.session.events import CommandFinished, CommandStarted, Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tutor.session.lesson_run import LessonRun

WORDS = ("status", "run", "diff", "reset", "export")
_OF_A_STEP = ("run", "diff", "reset")
_IDS = itertools.count(3_000_000)  # greater than the number of any other call


def my(run: LessonRun, word: str, what: str = "") -> None:
    """`my WORD [WHAT]`: show where the learner stands, judge, compare, take back or export; WHAT is an exercise, of `export` a file.

    Without an exercise, the one of the present step is meant.

    Raises:
        TutorError: `session.error.unknown_word`; `own.*`.
    """
    if word not in WORDS:
        raise TutorError("session.error.unknown_word", word=word, known=", ".join(WORDS))
    if not what and word in _OF_A_STEP and isinstance(run.step.activity, OwnStep):
        what = run.step.activity.exercise
    _told(run, word, what, lambda: _lines(run, word, what))
    if word in ("run", "reset"):
        if run.own is not None:
            run.reread_config("outside")
        progression.check(run, tried=word == "run")


def _told(run: LessonRun, word: str, what: str, work: Callable[[], tuple[bool, Iterable[str]]]) -> None:
    """Run one word, and publish what it says as the output of a command."""
    typed = command_line(("my", word, *([what] if what else [])))
    call = Call(next(_IDS), ("oci-tutor", "my", word), typed, str(run.workspace.directory))
    began = time.monotonic()
    run.publish(CommandStarted(call))
    done, text = False, ""
    try:
        done, lines = work()
        text = "".join(f"{line}\n" for line in lines)
        run.publish(Output(call, "stdout", text))
    finally:
        run.publish(CommandFinished(CallResult(call, int(not done), time.monotonic() - began, text, "")))


def _lines(run: LessonRun, word: str, what: str) -> tuple[bool, Iterable[str]]:
    """Return whether all is well, and what to say."""
    from tutor.own_steps import my  # a lesson is on the screen before this is needed

    home, messages = run.home, run.messages
    match word:
        case "status":
            return True, list(my.status(home, messages))
        case "run":
            found, lines = my.run(home, what, messages)
            return found.passed, lines
        case "diff":
            return True, list(my.diff(home, what, _second_way(run, what), messages))
        case "reset":
            return True, [my.reset(home, what, messages)]
        case _:
            target = Path(run.workspace.directory, what).absolute() if what else None
            return True, [my.export(home, target, messages)]


def _second_way(run: LessonRun, name: str) -> str:
    from tutor.course.course import Course
    from tutor.course.variants import second_way
    from tutor.own_steps import my

    wanted = my.find(name).id
    return second_way([run.lesson], wanted) or second_way(
        Course.load(run.messages.language).every_lesson, wanted
    )
