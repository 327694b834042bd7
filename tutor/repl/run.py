"""The REPL as a whole: a session, and the loop that fits where it runs (a terminal, or commands from a pipe)."""

from __future__ import annotations

import asyncio
import shutil
import sys
from typing import TYPE_CHECKING

from tutor import ending
from tutor.repl.paint import wants_colours, wants_escapes
from tutor.repl.render import Renderer
from tutor.repl.repl import Printer, Repl
from tutor.session.session import Session
from tutor.text.plain import WIDTH
from tutor.view.plain import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.course.course import Course
    from tutor.engines.model import EngineName
    from tutor.home import Home
    from tutor.messages import Messages
    from tutor.session.protocol import SessionProtocol

    Opening = Callable[[SessionProtocol], None]

WIDEST = 100
"""Lines of prose longer than this (in cells) are hard to read, however wide the terminal is."""


def run(
    opening: Opening,
    course: Course,
    engine: EngineName,
    home: Home,
    messages: Messages,
    *,
    in_plain: bool = False,
) -> int:
    """Open something in a session (`opening`) and take commands for it until the end; return the exit status.

    `in_plain`: as plain text, one line after the other (`--plain`). The exit status is 1 when one of the commands of a script failed.

    Raises:
        TutorError: it cannot be opened, or its lab cannot be set up.
    """
    with ending.watched(0):
        if not in_plain and sys.stdin.isatty() and wants_escapes():
            return asyncio.run(_interact(course, engine, home, opening, messages))
        return _run_script(course, engine, home, opening, messages, in_plain=in_plain)


def text_width() -> int:
    """Return how wide text is set: as wide as the terminal, but no wider than `WIDEST`; without one, that."""
    return min(shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST)


def _run_script(
    course: Course, engine: EngineName, home: Home, opening: Opening, messages: Messages, *, in_plain: bool
) -> int:
    from tutor.repl.plain_loop import run_at_terminal
    from tutor.repl.script import EventWriter, run_script

    writer = EventWriter()
    renderer = Renderer(messages, WIDTH if in_plain else text_width(), plain=in_plain)
    printer = Printer(
        renderer,
        escapes=wants_escapes() and not in_plain,
        colours=wants_colours(),
        words=words(messages) if in_plain else None,
    )
    session = Session(course=course, engine=engine, publish=writer.publish, home=home)
    try:
        repl = Repl(session, printer, messages)
        writer.repl = repl
        opening(session)
        if in_plain and sys.stdin.isatty():
            return run_at_terminal(repl, writer)
        return run_script(repl, writer, sys.stdin)
    finally:
        with ending.unheeded():
            session.close()


async def _interact(
    course: Course, engine: EngineName, home: Home, opening: Opening, messages: Messages
) -> int:
    from tutor.repl.interactive import EventQueue, Interactive

    events = EventQueue(asyncio.get_running_loop())
    printer = Printer(Renderer(messages, text_width()), escapes=True, colours=wants_colours())
    session = Session(course=course, engine=engine, publish=events.publish, home=home)
    with ending.unheeded():  # but by the prompts
        try:
            repl = Repl(session, printer, messages)
            prompts = Interactive(repl, events, home.state, text_width, colours=wants_colours())
            return await prompts.run(lambda: opening(session))
        finally:
            await asyncio.to_thread(session.close)
