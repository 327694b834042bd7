"""`oci-tutor repl`: the session for a lesson, and the loop that fits where we are."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from typing import TYPE_CHECKING

from tutor.cli.open_course import open_course, read_course
from tutor.course.progress import Progress
from tutor.repl.paint import wants_colours, wants_escapes
from tutor.repl.render import Renderer
from tutor.repl.repl import Printer, Repl
from tutor.session.session import Session

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from types import FrameType

    from tutor.course.course import Course
    from tutor.engines.model import EngineName
    from tutor.home import Home
    from tutor.messages import Messages
    from tutor.session.protocol import SessionProtocol

    Opening = Callable[[SessionProtocol], None]

WIDEST = 100
"""Lines of prose longer than this (in cells) are hard to read, however wide the terminal is."""


def run(arguments: argparse.Namespace, messages: Messages, *, engine: EngineName) -> int:
    """Take a lesson by commands; return the exit status: of a script, 1 when one of its commands failed.

    Raises:
        TutorError: the lesson is unknown or defective, or its lab cannot be laid here.
    """
    course, home = open_course(arguments, messages)
    named: str | None = arguments.lesson
    lesson = named if named is not None else _waiting_lesson(course, Progress(home.records))
    course.lesson(lesson)
    return _take(lambda session: session.open(lesson), course, engine, home, messages)


def play(arguments: argparse.Namespace, messages: Messages, *, engine: EngineName) -> int:
    """Take a bundle by commands, where nothing is checked; return the exit status, as `run` does.

    Raises:
        TutorError: there is nothing in the bundle to play with, or its lab cannot be laid here.
    """
    course, home = read_course(arguments, messages)
    return _take(lambda session: session.play_freely(arguments.bundle), course, engine, home, messages)


def _take(opening: Opening, course: Course, engine: EngineName, home: Home, messages: Messages) -> int:
    if sys.stdin.isatty() and wants_escapes():
        return asyncio.run(_interact(course, engine, home, opening, messages))
    return _run_script(course, engine, home, opening, messages)


def text_width() -> int:
    """Return how wide text is set: as wide as the terminal, but no wider than `WIDEST`; without one, that."""
    return min(shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST)


def _waiting_lesson(course: Course, progress: Progress) -> str:
    """Return the lesson that the learner is in the middle of, else the first unfinished one, else the first."""
    standing = [(each.id, progress.of(each.id)) for each in course.lessons]
    begun = [name for name, done in standing if done.step_id is not None and not done.finished]
    new = [name for name, done in standing if not done.finished]
    return next(iter(begun + new), course.lessons[0].id)


def _run_script(course: Course, engine: EngineName, home: Home, opening: Opening, messages: Messages) -> int:
    from tutor.repl.script import EventWriter, run_script

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    writer = EventWriter()
    printer = Printer(Renderer(messages, text_width()), escapes=wants_escapes(), colours=wants_colours())
    with Session(course=course, engine=engine, publish=writer.publish, home=home) as session:
        repl = Repl(session, printer, messages)
        writer.repl = repl
        opening(session)
        return run_script(repl, writer, sys.stdin)


def _leave(number: int, frame: FrameType | None) -> None:
    """End the program as the signal asks, but through every `finally`: the lab is closed on the way."""
    del frame
    raise SystemExit(128 + number)


async def _interact(
    course: Course, engine: EngineName, home: Home, opening: Opening, messages: Messages
) -> int:
    from tutor.repl.interactive import EventQueue, Interactive

    events = EventQueue(asyncio.get_running_loop())
    printer = Printer(Renderer(messages, text_width()), escapes=True, colours=wants_colours())
    session = Session(course=course, engine=engine, publish=events.publish, home=home)
    try:
        repl = Repl(session, printer, messages)
        loop = Interactive(repl, events, home.state, text_width, colours=wants_colours())
        return await loop.run(lambda: opening(session))
    finally:
        await asyncio.to_thread(session.close)
