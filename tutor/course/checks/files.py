"""Checks on files: in the lesson's folder, in the container's root filesystem, in the lab."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Any

from tutor.course.checks.places import in_container, in_lab
from tutor.course.checks.registry import Argument, kind
from tutor.course.checks.tally import CONTAINER, Tally, living, no_process, short
from tutor.home import shell_word, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.course.checks.context import CheckContext, Finding

_TYPES = {
    "file": stat.S_ISREG,
    "directory": stat.S_ISDIR,
    "link": stat.S_ISLNK,
    "fifo": stat.S_ISFIFO,
    "socket": stat.S_ISSOCK,
    "char": stat.S_ISCHR,
    "block": stat.S_ISBLK,
}
_CONTENT = ("contains", "equals", "matches", "lines")
_LONGEST = 1 << 20  # bytes of a file that are read


@kind(
    "file",
    Argument("path", "text", required=True),
    Argument("exists", "boolean"),
    Argument("type", "word", known=tuple(_TYPES)),
    Argument("mode", "text"),
    Argument("contains", "text"),
    Argument("equals", "text"),
    Argument("matches", "pattern"),
    Argument("lines", "integer"),
    Argument("in", "word", known=("directory", "container", "host")),
    CONTAINER,
    one_of=("exists", "type", "mode", *_CONTENT),
)
def file(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """A path exists or not, or is a file of this type and mode that contains, matches or is this text, or has so many lines.

    The path is relative to the lab's directory; with `in: container` it is in the root filesystem of the container's process, with
    `in: host` an absolute path in the lab. A symbolic link as its last component is not followed: a link out of the root filesystem
    is not a file in it. `equals` ignores white space at both ends.
    """
    context = context.about(arguments.get("container"))
    words, tally, path = context.messages, Tally(), arguments["path"]
    typed = _typed(context, arguments)
    expected_there = arguments.get("exists", True)
    said = {side: words(f"course.check.file.{'there' if side else 'absent'}") for side in (True, False)}
    try:
        real = _place(context, arguments)
        if real is None:
            return no_process(context, path, said[expected_there])
        status = os.lstat(real)
    except OSError:
        content = (
            words("course.check.file.contains", text=arguments["contains"]) if "contains" in arguments else ""
        )
        tally.add(
            not expected_there,
            typed,
            content or said[expected_there],
            said[False],
            f"ls -ld {shell_word(typed)}",
        )
        return tally.finding
    if "exists" in arguments or not expected_there:
        tally.add(expected_there, typed, said[expected_there], said[True], f"ls -ld {shell_word(typed)}")
    if "type" in arguments:
        found = next((name for name, test in _TYPES.items() if test(status.st_mode)), "?")
        tally.add(
            found == arguments["type"], typed, arguments["type"], found, f"stat -c %F {shell_word(typed)}"
        )
    if "mode" in arguments:
        wanted, mode = arguments["mode"], f"{stat.S_IMODE(status.st_mode):04o}"
        tally.add(mode == wanted.zfill(4), typed, wanted, mode, f"stat -c %a {shell_word(typed)}")
    if any(name in arguments for name in _CONTENT):
        _contents(context, tally, real, typed, arguments)
    return tally.finding


def _place(context: CheckContext, arguments: Mapping[str, Any]) -> str | None:
    """Return the path as this process reaches it (None: in a container without a process).

    Raises:
        OSError: a component before the last does not exist.
    """
    path = arguments["path"]
    match arguments.get("in", "directory"):
        case "container":
            return in_container(context, path)
        case "host":
            return in_lab(context, path)
        case _:
            return str(context.place / path)


def _typed(context: CheckContext, arguments: Mapping[str, Any]) -> str:
    """Return the path as it is typed in the lab."""
    path: str = arguments["path"]
    match arguments.get("in", "directory"):
        case "container":
            view = living(context)
            return f"/proc/{view.pid}/root/{path.lstrip('/')}" if view else path
        case "host":
            return path
        case _:
            return shown(context.place / path)


def _contents(
    context: CheckContext, tally: Tally, real: str, typed: str, arguments: Mapping[str, Any]
) -> None:
    words, command = context.messages, f"cat {shell_word(typed)}"
    try:
        content = read_plain(real)
        found = short(content) or words("course.check.file.empty")
    except OSError as error:
        content, found = None, error.strerror or ""
    if "contains" in arguments:
        wanted = arguments["contains"]
        line = next((line for line in (content or "").splitlines() if wanted in line), "")
        expected = words("course.check.file.contains", text=wanted)
        tally.add(content is not None and wanted in content, typed, expected, short(line) or found, command)
    if "equals" in arguments:
        wanted = arguments["equals"].strip()
        holds = content is not None and content.strip() == wanted
        tally.add(holds, typed, short(wanted) or words("course.check.file.empty"), found, command)
    if "matches" in arguments:
        holds = content is not None and re.search(arguments["matches"], content, re.MULTILINE) is not None
        tally.add(holds, typed, words("course.check.matches", pattern=arguments["matches"]), found, command)
    if "lines" in arguments:
        number = len(_lines(content)) if content is not None else None
        said = found if number is None else words("course.check.file.lines", count=number)
        expected = words("course.check.file.lines", count=arguments["lines"])
        tally.add(number == arguments["lines"], typed, expected, said, f"wc -l {typed}")


def read_plain(path: str) -> str:
    """Return the first megabyte of a regular file; follow no symbolic link, and do not block in the open of a FIFO.

    Raises:
        OSError: it can't be read, or is no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        return opened.read(_LONGEST).decode("utf-8", "replace")


@kind(
    "order",
    Argument("path", "text", required=True),
    Argument("equals", "texts"),
    Argument("contains", "texts"),
    one_of=("equals", "contains"),
)
def order(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """The lines of a file are these (`equals`), or contain these in this order, with others between them (`contains`)."""
    place, tally = context.place / arguments["path"], Tally()
    words, typed = context.messages, shown(context.place / arguments["path"])
    try:
        lines = [line.strip() for line in _lines(read_plain(str(place))) if line.strip()]
        found = short(" → ".join(lines), 100) or words("course.check.file.empty")
    except OSError as error:
        lines, found = [], error.strerror or ""
    if "equals" in arguments:
        wanted = arguments["equals"]
        tally.add(tuple(lines) == wanted, typed, " → ".join(wanted), found, f"cat {shell_word(typed)}")
    if "contains" in arguments:
        wanted = arguments["contains"]
        tally.add(_in_order(lines, wanted), typed, " → … → ".join(wanted), found, f"cat {shell_word(typed)}")
    return tally.finding


def _lines(content: str) -> list[str]:
    """Return the lines as wc(1) counts them: a newline ends a line, a form feed or a separator of Unicode does not."""
    return content.removesuffix("\n").split("\n") if content else []


def _in_order(lines: list[str], wanted: tuple[str, ...]) -> bool:
    left = iter(lines)
    return all(any(text in line for line in left) for text in wanted)
