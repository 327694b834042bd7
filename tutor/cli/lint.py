"""`oci-tutor lint [PATH]`: what is wrong in lessons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from tutor.messages import Messages


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the arguments of `lint`."""
    parser.add_argument("path", type=Path, nargs="?", metavar="PATH", help=messages("lint.help.path"))
    parser.add_argument("--stamp", nargs="*", metavar="LESSON", help=messages("lint.help.stamp"))
    parser.add_argument("--schema", type=Path, metavar="DIR", help=messages("lint.help.schema"))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Print what is wrong with a course or a lesson, or write stamps or schemas; return 1 when something is wrong.

    Raises:
        TutorError: there is no such lesson, or a file can't be written.
    """
    from tutor.cli.terminal import text_width
    from tutor.course.find import lessons_folder
    from tutor.course.lint.course import folders, lint, stamp
    from tutor.course.schema import write_schemas

    path = arguments.path or arguments.course or lessons_folder()
    if arguments.schema is not None or arguments.stamp is not None:
        written = (
            write_schemas(arguments.schema, messages)
            if arguments.schema is not None
            else stamp(path, arguments.stamp)
        )
        for file in written:
            print(messages("lint.result.written", file=file))
        return 0
    findings = lint(path)
    width = text_width()
    for finding in findings:
        print(finding.render(messages, width))
    count = len(folders(path))
    if findings:
        print()
        print(messages("lint.result.found", findings=len(findings), lessons=count))
        return 1
    print(messages("lint.result.clean", lessons=count))
    return 0
