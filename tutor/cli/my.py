"""`oci-tutor my`: the learner's own runtime, `my_runtime.py`, outside of a lesson."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from tutor.messages import Messages

STARTS_LABS = True


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the arguments of `my`."""
    commands = parser.add_subparsers(dest="word", metavar="COMMAND", required=True)
    for word in ("status", "run", "diff", "reset", "export"):
        command = commands.add_parser(
            word, help=messages(f"cli.my.{word}"), description=messages(f"cli.my.{word}")
        )
        if word == "run":
            command.add_argument(
                "exercise", metavar="STEP", nargs="?", default="", help=messages("cli.my.step")
            )
        elif word in ("diff", "reset"):
            command.add_argument("exercise", metavar="STEP", help=messages("cli.my.step"))
        elif word == "export":
            command.add_argument("file", metavar="FILE", type=Path, nargs="?", help=messages("cli.my.target"))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Run one word of `my`; return the exit status: 1 if an exercise is not passed.

    Raises:
        TutorError: the file can't be read, or is not Python; there is no such exercise; no sandbox can be made here.
    """
    from tutor import waiting
    from tutor.home import Home
    from tutor.own_steps import my

    home = Home.default()
    passed = True
    if arguments.word == "status":
        lines = list(my.status(home, messages))
    elif arguments.word == "run":
        waiting.say(messages("own.my.running"))
        found, lines = my.run(home, arguments.exercise, messages)
        waiting.clear()
        passed = found.passed
    elif arguments.word == "diff":
        lines = list(my.diff(home, arguments.exercise, _second_way(arguments.exercise, messages), messages))
    elif arguments.word == "reset":
        lines = [my.reset(home, arguments.exercise, messages)]
    else:
        target = arguments.file.absolute() if arguments.file is not None else None
        lines = [my.export(home, target, messages)]
    print("\n".join(lines))
    return int(not passed)


def _second_way(name: str, messages: Messages) -> str:
    from tutor.course.course import Course
    from tutor.course.variants import second_way
    from tutor.own_steps import my

    return second_way(Course.load(messages.language).every_lesson, my.find(name).id)
