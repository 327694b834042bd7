"""The cgroup hierarchies, and the cgroup of this process in each (cgroups(7); proc(5), /proc/PID/cgroup)."""

from __future__ import annotations

import os

from runtime.cgroups.group import write
from runtime.support.files import mountinfo, unescape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


UNIFIED = "unified"
"""The usual name of the hierarchy of v2 on a hybrid machine, where the controllers belong to v1."""


class Hierarchy:
    """One mounted hierarchy.

    `name` is the name of its directory in a container: the controllers, `systemd`, or empty for cgroup v2. `UNIFIED` is v2
    beside v1, which a container joins and is not shown.
    `own` is this process's cgroup in it, below `mountpoint`: `/` or a path without a slash at its end; empty when it is
    not below what is mounted there.
    """

    __slots__ = ("mountpoint", "name", "own")

    def __init__(self, name: str, mountpoint: str, own: str) -> None:
        self.name = name
        self.mountpoint = mountpoint
        self.own = own


_found: list[Hierarchy] = []


def mounted() -> list[Hierarchy]:
    """Return the hierarchies to use: all of v1 and, last, that of v2 beside them (`UNIFIED`), or the one of v2.

    They are searched once.
    """
    if not _found:
        _found.extend(_find())
    return _found


def is_version2() -> bool:
    """Tell whether the hierarchy of v2 is the one to use."""
    return [hierarchy.name for hierarchy in mounted()] == [""]


def controllers() -> set[str]:
    """Return the names of all controllers that a cgroup can have here."""
    if is_version2():
        return set(_read(f"{mounted()[0].mountpoint}/cgroup.controllers").split())
    return {name for hierarchy in mounted() for name in hierarchy.name.split(",")}


def controllers_of(directories: Sequence[str]) -> set[str]:
    """Return the names of the controllers that the cgroup with these directories has."""
    if is_version2():
        return set(_read(f"{directories[0]}/cgroup.controllers").split())
    return {
        name
        for hierarchy in mounted()
        for name in hierarchy.name.split(",")
        if any(directory.startswith(f"{hierarchy.mountpoint}/") for directory in directories)
    }


def _find() -> list[Hierarchy]:
    """Find the hierarchies of `mounted`."""
    memberships = _memberships()
    first: dict[str, Hierarchy] = {}
    second: dict[str, Hierarchy] = {}
    for line in mountinfo():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind not in ("cgroup", "cgroup2"):
            continue
        fields = left.split(" ")
        root, mountpoint = unescape(fields[3]), unescape(fields[4])
        name = "" if kind == "cgroup2" else _name(options)
        key = "" if kind == "cgroup2" else next((key for key in memberships if _is_named(key, options)), None)
        if key is None or key not in memberships or not _is_visible(mountpoint, fields[2]):
            continue
        found = second if kind == "cgroup2" else first
        hierarchy = Hierarchy(name, mountpoint, _below(memberships[key], root))
        # A file or cgroup that is mounted elsewhere changes nothing; over the same place it covers the hierarchy.
        if hierarchy.own or name not in found or found[name].mountpoint == mountpoint:
            found[name] = hierarchy
    if first and second:
        second[""].name = UNIFIED
    return [*first.values(), *second.values()]


def _is_visible(mountpoint: str, device: str) -> bool:
    """Tell whether the filesystem `device`, written `major:minor`, is what a path leads to: no other mount covers it."""
    try:
        found = os.stat(mountpoint).st_dev
    except OSError:
        return False
    return f"{os.major(found)}:{os.minor(found)}" == device


def prepare(leaf: str) -> None:
    """Prepare a new cgroup for joining: v1's cpuset needs the parent's processors and memory nodes."""
    if not os.path.exists(f"{leaf}/cpuset.cpus") or not os.path.exists(f"{leaf}/tasks"):
        return
    above = os.path.dirname(leaf)
    for name in ("cpuset.cpus", "cpuset.mems"):
        # It has them already with cgroup.clone_children in the parent.
        if not _read(f"{leaf}/{name}"):
            if not _read(f"{above}/{name}"):
                prepare(above)
            write(f"{leaf}/{name}", _read(f"{above}/{name}"))


def enable_controllers(leaf: str) -> None:
    """Enable all controllers for a cgroup of v2, from the top of the hierarchy down to it.

    admin-guide/cgroup-v2, Top-down Constraint: a controller is enabled when it is in `cgroup.subtree_control` of each cgroup
    above. It can't be enabled where a cgroup above has processes of its own; setting a limit then is an error.
    """
    top = mounted()[0].mountpoint
    above = top
    for name in ["", *os.path.relpath(leaf, top).split("/")[:-1]]:
        above = f"{above}/{name}" if name else above
        missing = set(_read(f"{above}/cgroup.controllers").split())
        missing -= set(_read(f"{above}/cgroup.subtree_control").split())
        if missing and not _enable(above, missing):
            for controller in missing:
                _enable(above, {controller})


def may_move_into(leaf: str) -> bool:
    """Tell whether this user may move a process of its own into a cgroup of v2 that it may write to.

    admin-guide/cgroup-v2, Delegation Containment: it needs write access to the `cgroup.procs` of the cgroup above both.
    """
    hierarchy = mounted()[0]
    above = os.path.commonpath([hierarchy.mountpoint + hierarchy.own, leaf])
    return os.access(f"{above}/cgroup.procs", os.W_OK)


def open_for_joining(leaf: str) -> int:
    """Return a descriptor into which a single-threaded process writes `0` to become a member of the cgroup `leaf`.

    With v1 that is `tasks` and not `cgroup.procs`, which would stop the whole machine for a moment so that
    no thread is missed.
    """
    if not is_version2():
        try:
            return os.open(f"{leaf}/tasks", os.O_WRONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            # A cgroup of the hierarchy `UNIFIED`.
            pass
    return os.open(f"{leaf}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)


def version2_leaf(leaves: Sequence[str]) -> str:
    """Return the one of a container's cgroups that is in the hierarchy of v2; empty if none is."""
    top = mounted()[-1] if mounted() else None
    if top is None or top.name not in ("", UNIFIED):
        return ""
    return next((leaf for leaf in leaves if leaf.startswith(f"{top.mountpoint}/")), "")


def _enable(directory: str, names: set[str]) -> bool:
    """Enable controllers for the cgroups below `directory`, all or none; return whether it could be done."""
    try:
        write(f"{directory}/cgroup.subtree_control", " ".join(f"+{name}" for name in names))
    except OSError:
        return False
    return True


def directory_of(pid: int) -> str:
    """Return the directory of the cgroup of v2 that a process is in. Raises OSError if it has ended."""
    return f"{mounted()[-1].mountpoint}{_memberships(pid)['']}"


def _memberships(pid: int | None = None) -> dict[str, str]:
    """Return the cgroup of a process, or of this one, by the controllers of the hierarchy (proc(5), /proc/PID/cgroup)."""
    found = {}
    with open(
        f"/proc/{pid or 'self'}/cgroup", encoding="utf-8", errors="surrogateescape", newline="\n"
    ) as file:
        for line in file:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            found[controllers] = path
    return found


def _is_named(controllers: str, options: str) -> bool:
    """Tell whether a mount with these super options is the hierarchy with these controllers."""
    return bool(controllers) and set(controllers.split(",")) <= set(options.split(","))


def _name(options: str) -> str:
    """Return the usual name of a v1 hierarchy: `cpu,cpuacct`, or `systemd` for the named one without controllers."""
    names = [
        option
        for option in options.split(",")
        if option not in ("rw", "ro", "xattr", "noprefix", "clone_children")
    ]
    return ",".join(name.removeprefix("name=") for name in names if not name.startswith("release_agent="))


def _below(path: str, root: str) -> str:
    """Return a cgroup's path below the part of the hierarchy that is mounted, empty if it is not below it."""
    if root == "/":
        return path
    if path == root:
        return "/"
    return path.removeprefix(root) if path.startswith(f"{root}/") else ""


def _read(path: str) -> str:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 4096).decode("ascii").strip()
    finally:
        os.close(fd)
