"""`oci-tutor new-lesson`: write a new lesson that loads, lints and verifies without changes.

It is a copy of the lesson `my-lesson` in `tutor/course/scaffold`, with another name and order.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.errors import TutorError

if TYPE_CHECKING:
    import argparse

    from tutor.messages import Messages

_NAME = "my-lesson"
_MODEL = Path(__file__).parent.parent / "course" / "scaffold" / _NAME
_SCHEMA = "schema"


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the arguments of `new-lesson`."""
    parser.add_argument("name", metavar="NAME", help=messages("scaffold.help.name"))
    parser.add_argument("--dir", type=Path, metavar="DIR", help=messages("scaffold.help.dir"))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Write a lesson, print what was written and what to do with it, and return the exit status.

    Raises:
        TutorError: the name cannot be used, there is such a lesson, or it cannot be written.
    """
    course = arguments.dir or arguments.course or Path()
    folder = new_lesson(course, arguments.name, messages)
    print(messages("scaffold.written", folder=folder))
    for file in sorted(each.relative_to(folder) for each in folder.rglob("*") if each.is_file()):
        print(f"  {file}")
    print(messages("scaffold.next", folder=folder, name=arguments.name, course=course))
    return 0


def new_lesson(course: Path, name: str, messages: Messages) -> Path:
    """Write a lesson of this name into a course's folder, last in its order; return the lesson's folder.

    Raises:
        TutorError: the name cannot be used, there is such a lesson, or it cannot be written.
    """
    from tutor.course.lint.sources import Sources
    from tutor.course.lint.translation import write_stamps
    from tutor.course.schema import write_schemas

    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise TutorError("scaffold.name", name=name)
    folder = course / name
    if folder.exists():
        raise TutorError("scaffold.exists", folder=folder)
    try:
        order = _last_order(course) + 1
        shutil.copytree(_MODEL, folder)
        for file in folder.glob("*.yaml"):
            text = file.read_text(encoding="utf-8").replace(_NAME, name)
            text = re.sub(r"^order: .*$", f"order: {order}", text, flags=re.MULTILINE)
            file.write_text(text, encoding="utf-8")
        if not (course / _SCHEMA).exists():
            write_schemas(course / _SCHEMA, messages)
        write_stamps(Sources(folder))
    except OSError as error:
        raise TutorError("scaffold.unwritable", folder=folder, reason=error.strerror) from error
    return folder


def _last_order(course: Path) -> int:
    from tutor.course.find import LOGIC

    written = (file.read_text(encoding="utf-8") for file in course.glob(f"*/{LOGIC}"))
    orders = (re.search(r"^order: *([0-9]+)", text, re.MULTILINE) for text in written)
    return max((int(order[1]) for order in orders if order), default=0)
