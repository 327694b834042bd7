"""Open the course that the command line names. What another course would execute is shown first, and needs the user's consent."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING

from tutor import waiting
from tutor.course.course import Course
from tutor.errors import TutorError
from tutor.home import Home, shown
from tutor.lab.user_namespace import is_ordinary_user
from tutor.text import visible

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from tutor.course.executes import Executed
    from tutor.messages import Messages

_YES = frozenset({"y", "yes"})


def read_course(arguments: argparse.Namespace, messages: Messages) -> tuple[Course, Home]:
    """Return the course of a command line and the home of its work, for a subcommand that only reads it.

    Raises:
        LessonError: one of its lessons is defective.
    """
    waiting.say(messages("cli.waiting.course"))
    course = Course.load(messages.language, arguments.course)
    waiting.clear()
    return course, Home.default().of_course(course.key)


def open_course(arguments: argparse.Namespace, messages: Messages) -> tuple[Course, Home]:
    """Return the course of a command line and the home of its work, for a subcommand that executes it.

    What a course other than the installed one would execute is shown, and the user is asked; once for the same content.

    Raises:
        LessonError: one of its lessons is defective.
        TutorError: `cli.course.unasked` (no terminal), `cli.course.refused`.
    """
    course, home = read_course(arguments, messages)
    if course.key and not arguments.trust:
        _ask_consent(course, home, messages)
    return course, home


def _ask_consent(course: Course, home: Home, messages: Messages) -> None:
    from tutor.course.executes import executed_by
    from tutor.course.other_courses import Consents, content_digest

    consents = Consents(home)
    digest = content_digest(course.folder)
    executed = executed_by(course)
    if not executed or consents.has(digest):
        return
    path = shown(course.folder.resolve())
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise TutorError("cli.course.unasked", path=path)
    user = messages("cli.course.user" if is_ordinary_user() else "cli.course.root")
    print(messages("cli.course.executes", path=path, count=len(executed), user=user))
    for line in _listed(executed, messages):
        print(line)
    print()
    if _answer(messages("cli.course.question", count=len(executed))).strip().lower() not in _YES:
        raise TutorError("cli.course.refused", path=path)
    consents.add(digest, course.folder)


def _answer(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        print()
        return ""


def _listed(executed: list[Executed], messages: Messages) -> Iterator[str]:
    for (lesson, step), members in groupby(executed, key=lambda each: (each.lesson, each.step)):
        yield ""
        yield _visible(f"{lesson} / {step or messages('cli.course.opened')}")
        for each in members:
            first, *rest = each.text.rstrip("\n").split("\n")
            yield f"  {messages(f'cli.course.kind.{each.kind}')}  {_visible(first)}"
            yield from (f"      {_visible(line)}" for line in rest)


def _visible(line: str) -> str:
    # Control characters could hide the rest of a line.
    return visible(line, keep="\t")
