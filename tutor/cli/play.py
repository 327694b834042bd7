"""`oci-tutor play [BUNDLE]`: free play, where nothing is checked, in the TUI or in the REPL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tutor import waiting

if TYPE_CHECKING:
    import argparse

    from tutor.messages import Messages
    from tutor.session.session import Session


STARTS_LABS = True


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the arguments of `play`."""
    parser.add_argument(
        "bundle", metavar=messages("cli.play.place"), nargs="?", type=Path, help=messages("cli.play.bundle")
    )
    parser.add_argument("--repl", action="store_true", help=messages("cli.play.repl"))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Open a bundle for free play; return the exit status.

    Raises:
        TutorError: the bundle cannot be used, the TUI cannot be drawn here, or the lab cannot be set up.
    """
    return (
        _in_repl(arguments, messages) if arguments.repl or arguments.plain else _in_tui(arguments, messages)
    )


def _in_repl(arguments: argparse.Namespace, messages: Messages) -> int:
    from tutor.cli.open_course import read_course
    from tutor.log import log_to_file
    from tutor.session.ahead import SessionAhead

    course, home = read_course(arguments, messages)
    log_to_file(home)
    waiting.say(messages("cli.waiting.lab"))

    def opening(session: Session) -> None:
        session.play_freely(arguments.bundle)

    with SessionAhead(opening, course=course, engine=arguments.engine, home=home) as ahead:
        from tutor.repl.run import run as run_repl

        return run_repl(ahead, messages, in_plain=arguments.plain)


def _in_tui(arguments: argparse.Namespace, messages: Messages) -> int:
    from tutor.cli.open_course import open_course
    from tutor.cli.terminal import need_full_screen
    from tutor.session.free_play import usable_bundle

    if arguments.bundle is not None:
        usable_bundle(arguments.bundle)
    need_full_screen()
    course, home = open_course(arguments, messages)  # its list of lessons is the screen below
    waiting.say(messages("cli.waiting.screen"))
    from tutor.log import log_to_file
    from tutor.tui.app import Playing
    from tutor.tui.app import run as run_tui

    log_to_file(home)
    return run_tui(
        course=course,
        engine=arguments.engine,
        messages=messages,
        home=home,
        playing=Playing(arguments.bundle),
    )
