"""`oci-tutor lint`: what is printed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tutor.cli.open_course import named_course
from tutor.course.errors import UnknownLesson
from tutor.course.find import lessons_folder
from tutor.course.lint.course import folders, lint
from tutor.course.lint.sources import Sources
from tutor.course.lint.translation import FIRST, write_stamps
from tutor.course.schema import write_schemas
from tutor.errors import TutorError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from tutor.messages import Messages

WIDEST = 100


def run(args: argparse.Namespace, messages: Messages) -> int:
    """Run `lint` as `args` say; return the exit status: 1 when something was found.

    Raises:
        TutorError: there is no such lesson, or a file can't be written.
    """
    if args.schema is not None:
        for file in write_schemas(args.schema, messages):
            print(messages("lint.result.written", file=file))
        return 0
    path = args.path or named_course(args) or lessons_folder()
    if args.stamp is not None:
        return _stamp(path, args.stamp, messages)
    findings = lint(path)
    width = min(shutil.get_terminal_size().columns, WIDEST)
    for finding in findings:
        print(finding.render(messages, width))
    count = len(folders(path))
    if findings:
        print()
        print(messages("lint.result.found", findings=len(findings), lessons=count))
        return 1
    print(messages("lint.result.clean", lessons=count))
    return 0


def _stamp(path: Path, names: list[str], messages: Messages) -> int:
    known = {folder.name: folder for folder in folders(path)}
    for name in names:
        if name not in known:
            raise UnknownLesson(name, tuple(known))
    for name in names or known:
        sources = Sources(known[name])
        if FIRST not in sources.texts:
            raise TutorError("lint.no_original", file=sources.folder / f"text.{FIRST}.yaml")
        for file in write_stamps(sources):
            print(messages("lint.result.written", file=file))
    return 0
