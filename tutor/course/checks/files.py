"""Checks on files of the bundle and its root filesystem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tutor.course.checks.context import CheckContext, Finding
from tutor.course.checks.registry import Argument, kind
from tutor.home import shown
from tutor.session.events import Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping


@kind(
    "file",
    Argument("path", "text", required=True),
    Argument("exists", "boolean"),
    Argument("contains", "text"),
    one_of=("exists", "contains"),
)
def file(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """A path below the bundle is there, is not there, or is a file that contains this text.

    The last part of the path is not followed when it is a symbolic link: a link out of the root filesystem is not its file.
    """
    words = context.messages
    path = context.bundle / arguments["path"]
    there = path.is_symlink() or path.exists()
    found = words("course.check.file.there" if there else "course.check.file.absent")
    passed = there == arguments.get("exists", True)
    expected = words(
        "course.check.file.there" if arguments.get("exists", True) else "course.check.file.absent"
    )
    if "contains" in arguments:
        content = ""
        if there and not path.is_symlink():
            try:
                content = path.read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                found = error.strerror or ""
        passed = passed and arguments["contains"] in content
        expected = words("course.check.file.contains", text=arguments["contains"])
        found = content.strip()[:60] or found
    command = f"cat {shown(path)}" if "contains" in arguments else f"ls -l {shown(path)}"
    return Finding(passed, (Evidence(shown(path), expected, found, command),))
