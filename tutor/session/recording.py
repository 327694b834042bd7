"""A lesson that cannot be done by hand on this machine is read, along with a recording of a real run.

A recording is the file `recorded/ENGINE.json` of the lesson: by step id, the commands and their output. Steps that would be done by
hand are read instead, and the progress records that.
"""

from __future__ import annotations

import itertools
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tutor.course.model import Quiz, Read
from tutor.engines.model import Call, CallResult
from tutor.errors import TutorError
from tutor.lab.user_namespace import is_ordinary_user
from tutor.lazy_dataclass import dataclass
from tutor.paths import search_path
from tutor.session.events import CommandFinished, CommandStarted, Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tutor.course.model import Lesson, Step
    from tutor.session.events import Event

_IDS = itertools.count(2_000_000)  # greater than the number of any real call


@dataclass(frozen=True, slots=True)
class Recorded:
    """One command of a recording: what was typed, what it printed, and its exit status."""

    typed: str
    output: str
    status: int


def lacking(lesson: Lesson) -> TutorError | None:
    """Return a warning when the lesson needs a program that is not installed, or a daemon that only root can run; None: it can be done."""
    missing = missing_programs(lesson.needs)
    if missing:
        return TutorError("session.read_only.missing", programs=", ".join(missing))
    if lesson.lab.daemon and is_ordinary_user():
        return TutorError("session.read_only.ordinary_user")
    return None


def missing_programs(names: Iterable[str]) -> list[str]:
    """Return those of the programs that are neither on PATH nor in the folders of daemons."""
    folders = search_path()
    return [each for each in names if shutil.which(each, path=folders) is None]


def to_read(lesson: Lesson) -> Lesson:
    """Return the lesson with steps to read in place of those to do by hand; keep questions that need no lab."""
    lab = replace(lesson.lab, daemon=False, provides=())
    return replace(lesson, lab=lab, steps=tuple(_to_read(step) for step in lesson.steps))


def _to_read(step: Step) -> Step:
    match step.activity:
        case Read():
            return step
        case Quiz(when=(), command=""):
            return replace(step, setup=(), replay=False)
        case Quiz(question=question, choices=choices):
            listed = "".join(f"- {choice.text.strip()}\n" for choice in choices)
            return bare(step, f"{step.body.rstrip()}\n\n{question.rstrip()}\n\n{listed}")
        case _:
            return bare(step, step.body)


def bare(step: Step, body: str) -> Step:
    """Return a step to read, with this body, in place of one to do."""
    return replace(
        step, kind="read", body=body, activity=Read(), checks=(), hints=(), wrong=(), dead_ends=(), setup=(),
        replay=False, requires="none",
    )  # fmt: skip


def by_hand(lesson: Lesson) -> frozenset[str]:
    """Return the ids of the steps that `to_read` replaces: those that are done by hand."""
    pairs = zip(lesson.steps, to_read(lesson).steps, strict=True)
    return frozenset(before.id for before, after in pairs if before.kind != after.kind)


class Recording:
    """The recording of a lesson with one engine; empty where there is none."""

    def __init__(self, lesson: Lesson, engine: str) -> None:
        path = lesson.folder / "recorded" / f"{engine}.json"
        try:
            document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            document = {"steps": {}}
        self._steps = {
            name: tuple(Recorded(each["typed"], each["output"], each["status"]) for each in commands)
            for name, commands in document["steps"].items()
        }

    def has(self, step_id: str) -> bool:
        """Return whether there is a recording of a step."""
        return bool(self._steps.get(step_id))

    def play(self, step_id: str, publish: Callable[[Event], None]) -> None:
        """Publish the commands of a step and their output, as if they had just been run."""
        for each in self._steps.get(step_id, ()):
            call = Call(next(_IDS), ("/bin/sh", "-c", each.typed), each.typed, "", recorded=True)
            publish(CommandStarted(call))
            if each.output:
                publish(Output(call, "stdout", each.output))
            publish(CommandFinished(CallResult(call, each.status, 0.0, each.output, "")))
