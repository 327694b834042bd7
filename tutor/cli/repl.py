"""`oci-tutor repl [LESSON]`: a lesson in the REPL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor import waiting

if TYPE_CHECKING:
    import argparse

    from tutor.messages import Messages
    from tutor.session.session import Session


STARTS_LABS = True


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the arguments of `repl`."""
    parser.add_argument("lesson", metavar=messages("cli.lesson"), nargs="?", help=messages("cli.repl.lesson"))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Open a lesson in the REPL; return the exit status: of a script, 1 when one of its commands failed.

    Raises:
        TutorError: the lesson is unknown or defective, or its lab cannot be set up.
    """
    from tutor.collector import importing

    with importing():
        from tutor.cli.open_course import open_course
        from tutor.course.progress import Progress
        from tutor.log import log_to_file
        from tutor.session.ahead import SessionAhead
        from tutor.view.course_view import recommended

    course, home = open_course(arguments, messages)
    named: str | None = arguments.lesson
    lesson = recommended(course, Progress(home.records).all()).id if named is None else named
    course.lesson(lesson)
    log_to_file(home)
    waiting.say(messages("cli.waiting.lab"))

    def opening(session: Session) -> None:
        session.open(lesson)

    with SessionAhead(opening, course=course, engine=arguments.engine, home=home) as ahead:
        with importing():
            from tutor.repl.run import run as run_repl

        return run_repl(ahead, messages, in_plain=arguments.plain)
