"""Checks on the container's own cgroup: its files, whether it is frozen, whether it is there (cgroups(7); version 1 and 2).

A check names the files of both versions. Version 1 is read where the controller is mounted as such (as on a hybrid machine), else
version 2. The directories are reached through the lab's own mounts.
"""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tutor.course.checks.registry import Argument, kind
from tutor.course.checks.tally import CONTAINER, Tally, living, no_process, short
from tutor.observe.parts import parse_cgroups

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tutor.course.checks.context import CheckContext, Finding
    from tutor.observe import CgroupMembership, Mount

_BOUNDS = (Argument("equals", "data"), Argument("at_least", "integer"), Argument("at_most", "integer"))
_FILE = (
    Argument("file", "text", required=True),
    *_BOUNDS,
    Argument("contains", "text"),
    Argument("key", "map", members=(Argument("value", "record", members=_BOUNDS, bare=True),)),
)
_MANY = 1 << 63  # the value of `max` in a comparison


class _Directory(NamedTuple):
    """A cgroup in one hierarchy: `path` is where the lab sees it, `real` where this process does."""

    version: int
    path: str
    real: str


@kind(
    "cgroup",
    Argument("v1", "record", members=(Argument("controller", "text", required=True), *_FILE)),
    Argument("v2", "record", members=_FILE),
    Argument("frozen", "boolean"),
    Argument("path", "text"),
    Argument("exists", "boolean"),
    CONTAINER,
    one_of=("v1", "v2", "frozen", "path", "exists"),
)
def cgroup(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """A file of the container's cgroup has this content, the cgroup is frozen, its path ends in this, or it exists (`exists`).

    `v1` and `v2` name the file for each version and its content: `equals` the whole text, `at_least` and `at_most` a number (`max`
    is more than any), `contains` a part of the text, `key` the NAME of a line `NAME VALUE` and its value. Without a process in the
    container, find the cgroup by `path`, by default the container's id: a cgroup stays until `delete`.
    """
    context = context.about(arguments.get("container"))
    ending = arguments.get("path", context.container_id)
    tally = Tally()
    if "exists" in arguments:
        _existence(context, tally, ending, exists=arguments["exists"])
    elif "path" in arguments and not {"v1", "v2", "frozen"} & arguments.keys():
        view = living(context)
        if view is None:
            return no_process(context, "/proc/PID/cgroup", f"…/{ending.strip('/')}")
        paths = [each.path for each in view.cgroups]
        holds = next((each for each in paths if _ends(each, ending)), None)
        file = f"/proc/{view.pid}/cgroup"
        tally.add(
            bool(holds),
            file,
            f"…/{ending.strip('/')}",
            holds or max(paths, key=len, default="-"),
            f"cat {file}",
        )
    if "v1" in arguments or "v2" in arguments:
        version1 = "v1" in arguments and _mount_of(context, arguments["v1"]["controller"]) is not None
        wanted = arguments.get("v1" if version1 else "v2")
        if wanted is not None:
            directory = _find(context, wanted["controller"] if version1 else "", arguments.get("path"))
            _contents(context, tally, directory, wanted)
        else:
            found = context.messages("course.check.cgroup.no_version")
            tally.add(False, "/proc/self/mountinfo", "cgroup", found, "grep cgroup /proc/self/mountinfo")
    if "frozen" in arguments:
        version1 = _mount_of(context, "freezer") is not None
        directory = _find(context, "freezer" if version1 else "", arguments.get("path"))
        file, value = ("freezer.state", "FROZEN") if version1 else ("cgroup.freeze", "1")
        if not arguments["frozen"]:
            value = "THAWED" if version1 else "0"
        _contents(context, tally, directory, {"file": file, "equals": value})
    return tally.finding


def _existence(context: CheckContext, tally: Tally, ending: str, *, exists: bool) -> None:
    words = context.messages
    found = [each for mount in _mounts(context) for each in _search(context, mount, ending)]
    said = {side: words(f"course.check.file.{'there' if side else 'absent'}") for side in (True, False)}
    name = ending.strip("/")
    tally.add(
        bool(found) == exists,
        found[0].path if found else f"/sys/fs/cgroup/…/{name}",
        said[exists],
        said[bool(found)],
        f"find /sys/fs/cgroup -type d -path '*/{name}'",
    )


def _contents(
    context: CheckContext, tally: Tally, directory: _Directory | None, wanted: Mapping[str, Any]
) -> None:
    file = wanted["file"]
    expected = _expected(context, wanted)
    if directory is None:
        found = context.messages("course.check.cgroup.none")
        tally.add(False, f"/sys/fs/cgroup/…/{file}", expected, found, "cat /proc/self/cgroup")
        return
    path = f"{directory.path}/{file}"
    try:
        content = Path(directory.real, file).read_text(errors="replace")
    except OSError as error:
        tally.add(False, path, expected, error.strerror or "", f"ls {directory.path}")
        return
    lines = dict(line.split(maxsplit=1) for line in content.splitlines() if " " in line)
    keys: dict[str, Any] = wanted.get("key", {})
    holds = _within(content.strip(), wanted) and wanted.get("contains", "") in content
    holds = holds and all(name in lines and _within(lines[name], each) for name, each in keys.items())
    found = ", ".join(f"{name} {lines.get(name, '-')}" for name in keys) or short(content) or "-"
    tally.add(holds, path, expected, found, f"cat {path}")


def _within(value: str, bounds: Mapping[str, Any]) -> bool:
    if "equals" in bounds and value != str(bounds["equals"]):
        return False
    if "at_least" in bounds or "at_most" in bounds:
        if value != "max" and not value.lstrip("-").isdecimal():
            return False
        number = _MANY if value == "max" else int(value)
        return bool(bounds.get("at_least", number) <= number <= bounds.get("at_most", number))
    return True


def _expected(context: CheckContext, wanted: Mapping[str, Any]) -> str:
    parts = _bounds(wanted)
    if "contains" in wanted:
        parts.append(context.messages("course.check.has", value=wanted["contains"]))
    for name, each in wanted.get("key", {}).items():
        parts += [f"{name} {bound}" for bound in _bounds(each)]
    return context.messages("course.check.and").join(parts)


def _bounds(wanted: Mapping[str, Any]) -> list[str]:
    signs = {"equals": "=", "at_least": "≧", "at_most": "≦"}
    return [f"{sign} {wanted[name]}" for name, sign in signs.items() if name in wanted]


def _ends(path: str, ending: str) -> bool:
    return f"/{path.strip('/')}".endswith(f"/{ending.strip('/')}")


def _mounts(context: CheckContext) -> list[Mount]:
    """Return the lab's mounts of cgroups: of several on one target the last, which covers the others."""
    mounts = context.snapshot.host.mounts if context.snapshot else ()
    return list({each.target: each for each in mounts if each.fstype in ("cgroup", "cgroup2")}.values())


def _mount_of(context: CheckContext, controller: str) -> Mount | None:
    """Return the lab's mount of a controller's hierarchy of version 1, or with an empty name of the hierarchy of version 2."""
    for mount in _mounts(context):
        if mount.fstype == "cgroup" and controller in mount.super_options:
            return mount
        if mount.fstype == "cgroup2" and not controller:
            return mount
    return None


def _belongs(membership: CgroupMembership, mount: Mount) -> bool:
    if not membership.controllers:
        return mount.fstype == "cgroup2"
    return mount.fstype == "cgroup" and set(membership.controllers) <= set(mount.super_options)


def _directory(context: CheckContext, mount: Mount, path: str) -> _Directory:
    """Return a cgroup by its path in the hierarchy, as `/proc/PID/cgroup` has it."""
    seen = posixpath.normpath(f"{mount.target}/{posixpath.relpath(path, mount.root)}")
    keeper = context.snapshot.host.pid if context.snapshot else os.getpid()
    return _Directory(1 if mount.fstype == "cgroup" else 2, seen, f"/proc/{keeper}/root{seen}")


def _find(context: CheckContext, controller: str, ending: str | None) -> _Directory | None:
    mount, view = _mount_of(context, controller), living(context)
    if mount is None:
        return None
    if view is None:
        return next(_search(context, mount, ending or context.container_id), None)
    for membership in view.cgroups:
        if _belongs(membership, mount) and (ending is None or _ends(membership.path, ending)):
            return _directory(context, mount, membership.path)
    return None


def _search(context: CheckContext, mount: Mount, ending: str) -> Iterator[_Directory]:
    """Yield the cgroups whose path ends in this: at the top of the hierarchy, or below the lab's cgroup."""
    top = _directory(context, mount, posixpath.join(mount.root, ending.strip("/")))
    if Path(top.real).is_dir():
        yield top
    for membership in _lab_cgroups(context):
        # The keeper is in a leaf: its engines' containers are below that or beside it.
        if _belongs(membership, mount) and posixpath.basename(membership.path) == "keeper":
            lab = _directory(context, mount, posixpath.dirname(membership.path))
            for folder, _folders, _files in os.walk(lab.real):
                seen = posixpath.join(lab.path, posixpath.relpath(folder, lab.real))
                if folder != lab.real and _ends(seen, ending):
                    yield _Directory(lab.version, posixpath.normpath(seen), folder)


def _lab_cgroups(context: CheckContext) -> tuple[CgroupMembership, ...]:
    if context.snapshot is None:
        return ()
    try:
        return parse_cgroups(Path(f"/proc/{context.snapshot.host.pid}/cgroup").read_bytes())
    except OSError:
        return ()
