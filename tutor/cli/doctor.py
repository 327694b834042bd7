"""`oci-tutor doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor import waiting

if TYPE_CHECKING:
    import argparse

    from tutor.course.model import Lesson
    from tutor.messages import Messages

WIDEST = 110
"""Lines of the report longer than this (in cells) are hard to read, however wide the terminal is."""


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the arguments of `doctor`."""
    parser.add_argument("--json", action="store_true", help=messages("cli.doctor.json"))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Examine the machine, print the report, and return 0 when the first lesson can be done, else 1."""
    from tutor.cli.terminal import text_width
    from tutor.course.course import Course
    from tutor.doctor.conclusions import conclude
    from tutor.doctor.findings import assess
    from tutor.doctor.machine import examine
    from tutor.doctor.report import as_json, as_text
    from tutor.errors import TutorError
    from tutor.home import Home
    from tutor.session.recording import missing_programs

    problem = ""
    lessons: tuple[Lesson, ...] = ()
    try:
        lessons = Course.load(messages.language).every_lesson
    except TutorError as error:  # a defective lesson does not keep the machine from being examined
        problem = " ".join(filter(None, error.render(messages)))
    machine = examine(
        Home.default(),
        lambda left: waiting.say(
            messages(
                "doctor.waiting",
                left=messages("doctor.comma").join(messages(f"doctor.waits.{each}") for each in left),
            )
        ),
    )
    findings = assess(machine)
    lacking = {each for lesson in lessons for each in missing_programs(lesson.needs)}
    conclusions = conclude(machine, lessons, problem, lacking)
    waiting.clear()
    if arguments.json:
        print(as_json(machine, findings, conclusions, messages))
    else:
        print("\n".join(as_text(machine, findings, conclusions, messages, text_width(WIDEST))))
    return 0 if conclusions.can_start else 1
