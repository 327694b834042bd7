"""`oci-tutor verify [LESSON...]`: play lessons, several at a time, each in a lab and a home of its own."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from tutor import ending
from tutor.home import Home
from tutor.text import wrap
from tutor.text.glyphs import FAILED, PASSED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator, Iterator

    from tutor.course.course import Course
    from tutor.course.model import Lesson
    from tutor.engines.model import EngineName
    from tutor.messages import Messages
    from tutor.session.protocol import PlayerSession
    from tutor.verify.model import LessonPlayed

STARTS_LABS = True
_WIDTH = 100
_INTERRUPT_EVERY = 0.05  # seconds, until every lesson has stopped


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the arguments of `verify`."""
    parser.add_argument(
        "lessons", nargs="*", metavar=messages("cli.lesson"), help=messages("verify.help.lessons")
    )
    parser.add_argument(
        "--jobs", type=int, default=_default_jobs(), metavar="N", help=messages("verify.help.jobs")
    )


def _default_jobs() -> int:
    # A lesson spends most of its time waiting for processes.
    return min(8, 2 * (os.cpu_count() or 1))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Play lessons with an engine and print the results; return 0 if nothing is wrong, else 1.

    Raises:
        UnknownLesson: a lesson named is none of the course's.
        TutorError: the engine is missing.
    """
    from tutor.cli.open_course import open_course
    from tutor.engines.engine import find
    from tutor.log import log_to_file

    course, home = open_course(arguments, messages)
    log_to_file(home)
    lessons = [course.lesson(name) for name in arguments.lessons] or list(course.every_lesson)
    engine: EngineName = arguments.engine
    find(engine)  # reported once, not by every lesson
    print(messages("verify.heading", count=len(lessons), engine=engine), flush=True)
    bad = 0
    with closing(_play(course, lessons, engine, max(1, arguments.jobs), home.cache)) as results:
        for played in results:
            print("\n".join(_lines(played, messages)), flush=True)
            bad += not played.good
    print(messages("verify.bad" if bad else "verify.good", bad=bad, count=len(lessons), engine=engine))
    return 1 if bad else 0


def _play(
    course: Course, lessons: list[Lesson], engine: EngineName, jobs: int, cache: Path
) -> Generator[LessonPlayed]:
    """Play `jobs` lessons at a time, each with a home of its own; yield the results in the order of the lessons."""
    import tempfile
    import threading
    from concurrent.futures import ThreadPoolExecutor, wait

    from tutor.verify.player import play

    stop = threading.Event()
    sessions: list[PlayerSession] = []
    with tempfile.TemporaryDirectory(prefix="oci-verify-") as folder:

        def play_one(lesson: Lesson) -> LessonPlayed:
            # The lessons of a course may share files of the learner's, and several are played at a time.
            labs = Path(folder, "labs", lesson.id if lesson.course else "")
            home = Home(labs, Path(folder, lesson.id), cache)
            return play(
                course, lesson.id, engine, home, go_on=lambda: not stop.is_set(), opened=sessions.append
            )

        with ThreadPoolExecutor(jobs) as pool:
            playing = [pool.submit(play_one, lesson) for lesson in lessons]
            try:
                for each in playing:
                    yield each.result()
            except BaseException:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                with ending.unheeded():
                    while wait([each for each in playing if not each.done()], _INTERRUPT_EVERY).not_done:
                        for session in sessions:
                            session.interrupt()  # what it runs now; it may have begun after the last time
                raise


def _lines(played: LessonPlayed, messages: Messages) -> Iterator[str]:
    wrong = sum(each.wrong for each in played.steps)
    yield messages(
        "verify.lesson",
        mark=PASSED if played.good else FAILED,
        lesson=played.lesson.id,
        played=len(played.steps),
        steps=len(played.lesson.steps),
        wrong=wrong,
        seconds=f"{played.seconds:.1f}",
    )
    if played.only_read:
        yield from _indented(
            messages("verify.only_read", count=len(played.only_read), ids=", ".join(played.only_read))
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
