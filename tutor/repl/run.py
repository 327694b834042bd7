"""The REPL as a whole: a session, and the loop that fits where it runs (a terminal, or commands from a pipe)."""

from __future__ import annotations

import asyncio
import shutil
import sys
from typing import TYPE_CHECKING

from tutor import ending
from tutor.collector import importing
from tutor.repl.paint import wants_colours, wants_escapes
from tutor.repl.render import Renderer
from tutor.repl.repl import Printer, Repl
from tutor.text.plain import WIDTH
from tutor.view.plain import words

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.session.ahead import SessionAhead

WIDEST = 100
"""Lines of prose longer than this (in cells) are hard to read, however wide the terminal is."""


def run(ahead: SessionAhead, messages: Messages, *, in_plain: bool = False) -> int:
    """Take commands for a session that is being opened, until the end; return the exit status.

    `in_plain`: as plain text, one line after the other (`--plain`). The exit status is 1 when one of the commands of a script failed.

    Raises:
        TutorError: it cannot be opened, or its lab cannot be set up.
    """
    with ending.watched(0):
        if not in_plain and sys.stdin.isatty() and wants_escapes():
            return asyncio.run(_interact(ahead, messages))
        return _run_script(ahead, messages, in_plain=in_plain)


def text_width() -> int:
    """Return how wide text is set: as wide as the terminal, but no wider than `WIDEST`; without one, that."""
    return min(shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST)


def _run_script(ahead: SessionAhead, messages: Messages, *, in_plain: bool) -> int:
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
    repl = Repl(ahead.session, printer, messages)
    writer.repl = repl
    ahead.hand_over(writer.publish)
    if in_plain and sys.stdin.isatty():
        return run_at_terminal(repl, writer)
    return run_script(repl, writer, sys.stdin)


async def _interact(ahead: SessionAhead, messages: Messages) -> int:
    with importing():
        from tutor.repl.interactive import EventQueue, Interactive

    events = EventQueue(asyncio.get_running_loop())
    printer = Printer(Renderer(messages, text_width()), escapes=True, colours=wants_colours())
    session = ahead.session
    with ending.unheeded():  # but by the prompts
        try:
            repl = Repl(session, printer, messages)
            prompts = Interactive(repl, events, session.home.state, text_width, colours=wants_colours())
            return await prompts.run(lambda: ahead.hand_over(events.publish))
        finally:
            await asyncio.to_thread(session.close)
