"""`oci-tutor verify [LESSON...]`: several lessons at a time, each in a lab and a folder of its own; what is wrong is said."""

from __future__ import annotations

import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.engines.engine import find
from tutor.home import Home
from tutor.text import wrap
from tutor.verify.player import play

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from tutor.course.course import Course
    from tutor.course.model import Lesson
    from tutor.engines.model import EngineName
    from tutor.messages import Messages
    from tutor.verify.model import LessonPlayed

_WIDTH = 100


def run(arguments: argparse.Namespace, messages: Messages, course: Course, engine: EngineName) -> int:
    """Play lessons with an engine and print what came of it; return 0 when all is well, 1 when something is not.

    Raises:
        UnknownLesson: a lesson named is none of the course's.
        TutorError: the engine is missing.
    """
    lessons = [course.lesson(name) for name in arguments.lessons] or list(course.lessons)
    find(engine)  # said once, not by every lesson
    stop = threading.Event()
    cache = Home.default().cache
    with tempfile.TemporaryDirectory(prefix="oci-verify-") as folder:

        def play_one(lesson: Lesson) -> LessonPlayed:
            home = Home(Path(folder, "labs"), Path(folder, lesson.id), cache)
            return play(course, lesson.id, engine, home, go_on=lambda: not stop.is_set())

        print(messages("verify.heading", count=len(lessons), engine=engine), flush=True)
        with ThreadPoolExecutor(max(1, arguments.jobs)) as pool:
            try:
                played = []
                for each in pool.map(play_one, lessons):
                    played.append(each)
                    print("\n".join(_lines(each, messages)), flush=True)
            except BaseException:
                stop.set()
                raise
    bad = sum(not each.good for each in played)
    key = "verify.bad" if bad else "verify.good"
    print(messages(key, bad=bad, count=len(played), engine=engine))
    return 1 if bad else 0


def _lines(played: LessonPlayed, messages: Messages) -> Iterator[str]:
    wrong = sum(each.wrong for each in played.steps)
    yield messages(
        "verify.lesson",
        mark="✓" if played.good else "✗",
        lesson=played.lesson.id,
        played=len(played.steps),
        steps=len(played.lesson.steps),
        wrong=wrong,
        seconds=f"{played.seconds:.1f}",
    )
    for step in played.steps:
        for problem in step.problems:
            text = messages(f"verify.problem.{problem.key}", **problem.values)
            yield from _indented(f"{step.step.id}: {text}")
    for problem in played.ending:
        yield from _indented(messages(f"verify.problem.{problem.key}", **problem.values))


def _indented(text: str) -> list[str]:
    first, *rest = wrap(text, _WIDTH - 4) or [""]
    return [f"  - {first}", *(f"    {line}" for line in rest)]
