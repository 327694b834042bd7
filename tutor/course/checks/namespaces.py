"""Checks on namespaces: which are the container's own, with which process it shares the others, how ids are mapped.

Checks on the kernel read `CheckContext.snapshot`, so that a verdict and the panel beside it never disagree.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tutor.course.checks.places import in_lab
from tutor.course.checks.registry import Argument, kind
from tutor.course.checks.tally import CONTAINER, Tally, living, no_process
from tutor.observe import NAMESPACE_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tutor.course.checks.context import CheckContext, Finding
    from tutor.observe import ContainerView, NamespaceKind

_MAP = (
    Argument("inside", "integer", required=True),
    Argument("outside", "integer", required=True),
    Argument("count", "integer", required=True),
)
_SAME_AS = (
    Argument("container", "text", required=True),
    Argument("kinds", "words", required=True, known=NAMESPACE_KINDS),
)


@kind(
    "namespaces",
    Argument("own", "words", known=NAMESPACE_KINDS),
    Argument("shared", "words", known=NAMESPACE_KINDS),
    Argument("equal", "map", known=NAMESPACE_KINDS, members=(Argument("path", "text"),)),
    Argument("same_as", "record", members=_SAME_AS),
    CONTAINER,
    one_of=("own", "shared", "equal", "same_as"),
)
def namespaces(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """The container's process has these namespaces of its own (`own`), and shares those with the runtime (`shared`).

    `equal`: kind to a path in the lab (of a bound namespace): it is in that namespace. `same_as`: it shares its namespaces of these
    kinds with another container.
    """
    asked, context = context, context.about(arguments.get("container"))
    words, tally, view = context.messages, Tally(), living(context)
    if view is None:
        kinds = [*arguments.get("own", ()), *arguments.get("shared", ()), *arguments.get("equal", ())]
        kinds += arguments.get("same_as", {}).get("kinds", ())
        key = "course.check.namespaces.own" if "own" in arguments else "course.check.namespaces.shared"
        return no_process(context, f"/proc/PID/ns/{kinds[0]}", words(key))
    wanted = [(name, False) for name in arguments.get("own", ())]
    wanted += [(name, True) for name in arguments.get("shared", ())]
    # One command for all of them, shown once: seven pairs of lines are too many to read.
    names = "*" if len(wanted) > 1 else wanted[0][0] if wanted else ""
    for name, shared in wanted:
        seen = view.namespace(name)
        if seen is None or not seen.known:
            found = words("course.check.namespaces.unknown", reason=seen.reason if seen else "")
        else:
            key = "course.check.namespaces.shared" if seen.shared else "course.check.namespaces.own"
            found = f"{words(key)} ({name}:[{seen.inode}])"
        tally.add(
            seen is not None and seen.known and seen.shared == shared,
            f"/proc/{view.pid}/ns/{name}",
            words("course.check.namespaces.shared" if shared else "course.check.namespaces.own"),
            found,
            f"readlink /proc/{view.pid}/ns/{names} /proc/self/ns/{names}",
        )
    for name, path in arguments.get("equal", {}).items():
        expected = words("course.check.namespaces.equal", path=path)
        _compare(tally, view, name, expected, _inode_at(asked, path), f"stat -Lc %i {path}")
    if "same_as" in arguments:
        _compare_with(
            tally, view, asked.about(arguments["same_as"]["container"]), arguments["same_as"]["kinds"]
        )
    return tally.finding


def _compare_with(
    tally: Tally, view: ContainerView, other: CheckContext, kinds: Sequence[NamespaceKind]
) -> None:
    theirs = living(other)
    expected = other.messages("course.check.namespaces.same_as", container=other.container_id)
    for name in kinds:
        seen = theirs.namespace(name) if theirs else None
        command = f"readlink /proc/{theirs.pid}/ns/{name}" if theirs else other.state_command
        _compare(tally, view, name, expected, seen.inode if seen else None, command)


def _compare(
    tally: Tally, view: ContainerView, name: NamespaceKind, expected: str, inode: int | None, command: str
) -> None:
    seen = view.namespace(name)
    own = seen.inode if seen else None
    found = f"{name}:[{own or '?'}] / {name}:[{inode or '?'}]"
    holds = inode is not None and own == inode
    link = f"/proc/{view.pid}/ns/{name}"
    tally.add(holds, link, expected, found, f"readlink {link}; {command}")


def _inode_at(context: CheckContext, path: str) -> int | None:
    try:
        return os.stat(in_lab(context, path)).st_ino  # noqa: PTH116  (a path of the kernel)
    except OSError:
        return None


@kind(
    "ids",
    Argument("uid_map", "records", members=_MAP),
    Argument("gid_map", "records", members=_MAP),
    CONTAINER,
    one_of=("uid_map", "gid_map"),
)
def ids(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """The container's user namespace maps exactly these ranges of user or group ids, in this order.

    `outside` is an id in the lab's user namespace. Without a user namespace of its own the map is `0 0 4294967295`.
    """
    context = context.about(arguments.get("container"))
    view, tally = living(context), Tally()
    for name in ("uid_map", "gid_map"):
        if name not in arguments:
            continue
        expected = _ranges([(each["inside"], each["outside"], each["count"]) for each in arguments[name]])
        if view is None:
            return no_process(context, f"/proc/PID/{name}", expected)
        seen = view.uid_map if name == "uid_map" else view.gid_map
        found = _ranges([(each.inside, each.outside, each.count) for each in seen])
        path = f"/proc/{view.pid}/{name}"
        tally.add(found == expected, path, expected, found, f"cat {path}")
    return tally.finding


def _ranges(ranges: Sequence[tuple[int, int, int]]) -> str:
    return ", ".join(" ".join(map(str, each)) for each in ranges) or "-"
