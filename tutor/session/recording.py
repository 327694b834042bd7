"""A lesson that can't be done by hand here: read, along with a recording of the real thing.

A recording lies in the lesson, `recorded/ENGINE.json`: by step id, what was typed and what came of it. Steps that would be done
by hand are read instead, and the progress says that they were.
"""

from __future__ import annotations

import itertools
import json
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tutor.course.model import Quiz, Read
from tutor.engines.model import Call, CallResult
from tutor.errors import TutorError
from tutor.paths import search_path
from tutor.session.events import CommandFinished, CommandStarted, Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tutor.course.model import Lesson, Step
    from tutor.session.events import Event

_IDS = itertools.count(2_000_000)  # beyond any number of a real call


@dataclass(frozen=True, slots=True)
class Recorded:
    """One command of a recording: what was typed, what it printed, and its exit status."""

    typed: str
    output: str
    status: int


def lacking(lesson: Lesson) -> TutorError | None:
    """Return what to say when this machine does not have what the lesson needs."""
    missing = missing_programs(lesson.needs)
    return TutorError("session.read_only.missing", programs=", ".join(missing)) if missing else None


def missing_programs(names: Iterable[str]) -> list[str]:
    """Return which of these programs are neither on PATH nor where daemons are."""
    folders = search_path()
    return [each for each in names if shutil.which(each, path=folders) is None]


def to_read(lesson: Lesson) -> Lesson:
    """Return the lesson with reading in place of what would be done by hand; questions that ask nothing of the lab stay."""
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
            return _bare(step, f"{step.body.rstrip()}\n\n{question.rstrip()}\n\n{listed}")
        case _:
            return _bare(step, step.body)


def _bare(step: Step, body: str) -> Step:
    return replace(
        step, kind="read", body=body, activity=Read(), checks=(), hints=(), wrong=(), dead_ends=(), setup=(),
        replay=False, requires="none",
    )  # fmt: skip


def by_hand(lesson: Lesson) -> frozenset[str]:
    """Return the ids of the steps that `to_read` turns into reading: those that want a hand."""
    pairs = zip(lesson.steps, to_read(lesson).steps, strict=True)
    return frozenset(before.id for before, after in pairs if before.kind != after.kind)


class Recording:
    """What was recorded of a lesson with one engine; empty where there is no recording."""

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
        """Tell whether anything was recorded of a step."""
        return bool(self._steps.get(step_id))

    def play(self, step_id: str, say: Callable[[Event], None]) -> None:
        """Tell the commands of a step, and what they printed, as if they had just been run."""
        for each in self._steps.get(step_id, ()):
            call = Call(next(_IDS), ("/bin/sh", "-c", each.typed), each.typed, "", recorded=True)
            say(CommandStarted(call))
            if each.output:
                say(Output(call, "stdout", each.output))
            say(CommandFinished(CallResult(call, each.status, 0.0, each.output, "")))
