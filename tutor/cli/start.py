"""`oci-tutor start LESSON`, and `oci-tutor` alone: the TUI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor import waiting

if TYPE_CHECKING:
    import argparse

    from tutor.messages import Messages
    from tutor.session.session import Session


STARTS_LABS = True


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the arguments of `start`."""
    parser.add_argument("lesson", metavar=messages("cli.lesson"), help=messages("cli.start.lesson"))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Open the TUI, in a lesson if one is named; return the exit status.

    Raises:
        TutorError: the lesson is unknown, a lesson is defective, or the TUI cannot be drawn here.
    """
    if arguments.plain:
        from tutor.cli import repl

        arguments.lesson = getattr(arguments, "lesson", None)
        return repl.run(arguments, messages)
    from tutor.collector import importing

    with importing():
        from tutor.cli.open_course import open_course
        from tutor.cli.terminal import need_full_screen

    course, home = open_course(arguments, messages)
    lesson_id: str | None = getattr(arguments, "lesson", None)  # without a subcommand there is none
    if lesson_id is not None:
        course.lesson(lesson_id)  # an unknown name is reported here, before the TUI takes the screen
    need_full_screen()
    waiting.say(messages("cli.waiting.screen"))
    from tutor.log import log_to_file

    log_to_file(home)
    if lesson_id is None:
        with importing():
            from tutor.tui.app import run as run_tui

        return run_tui(course=course, engine=arguments.engine, messages=messages, home=home)
    with importing():
        from tutor.session.ahead import SessionAhead

    def opening(session: Session) -> None:
        session.open(lesson_id)

    with SessionAhead(opening, course=course, engine=arguments.engine, home=home) as ahead:
        with importing():
            from tutor.tui.app import run as run_tui
            from tutor.tui.screens import lesson  # noqa: F401  (while the lab starts)

        return run_tui(course=course, engine=arguments.engine, messages=messages, home=home, ahead=ahead)
