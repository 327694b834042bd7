"""Make, join, empty and remove the lab's cgroup, in every hierarchy where the caller may create one; cgroups(7).

`OWN/oci-tutor-LAB/keeper`: the keeper and all that it starts are in the leaf, so that an engine whose default is a cgroup *below*
its own (runc, v1) and one whose default is a cgroup *beside* its own (runc, v2) both stay inside `oci-tutor-LAB`.

With v2 the cgroup is created further up where it would have no controllers otherwise: a login session's cgroup has processes, so it
can enable none for those below it, and no container there could have a limit (admin-guide/cgroup-v2, No Internal Process
Constraint). What an ordinary user may create there has been delegated (`delegation`).
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from tutor import patience
from tutor.lab.processes import Identity, identity

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAF = "keeper"
_LIMITING = {"cpu", "memory", "pids"}  # the controllers that containers are to have


class Hierarchy(NamedTuple):
    """A mounted hierarchy: `controllers` as in /proc/self/cgroup ("cpu", "name=systemd"; "" for v2), `own` is this process's cgroup."""

    version: int
    controllers: str
    mount: str
    own: str


def hierarchies() -> list[Hierarchy]:
    """Return the hierarchies that are mounted and in which this process's own cgroup can be seen."""
    mounts = list(_mounted())
    found = []
    with open("/proc/self/cgroup", encoding="utf-8", newline="\n") as file:  # noqa: PTH123  (starts fast)
        for line in file:
            _number, controllers, path = line.rstrip("\n").split(":", 2)
            for filesystem, root, mount, options in mounts:
                version = 1 if controllers else 2
                if filesystem == ("cgroup" if controllers else "cgroup2") and set(
                    controllers.split(",")
                ) <= options | {""}:
                    own = os.path.normpath(mount + "/" + os.path.relpath(path, root))
                    if (path + "/").startswith(root.rstrip("/") + "/") and os.path.isdir(own):  # noqa: PTH112
                        found.append(Hierarchy(version, controllers, mount, own))
                        break
    return found


def _mounted() -> Iterator[tuple[str, str, str, set[str]]]:
    # A carriage return in a path ends no line, and other white space than a space no field.
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace", newline="\n") as file:  # noqa: PTH123  (starts fast)
        for line in file:
            before, _, after = line.rstrip("\n").partition(" - ")
            filesystem, _source, options = after.split(" ")[:3]
            if filesystem in ("cgroup", "cgroup2"):
                root, mount = before.split(" ")[3:5]
                yield filesystem, root, mount, set(options.split(","))


def make(name: str) -> list[str]:
    """Create the cgroup `name` and its leaf wherever this process may; return the directories (of `name`, not of the leaf)."""
    made = []
    for hierarchy in hierarchies():
        directory = f"{_above(hierarchy)}/{name}"
        try:
            os.mkdir(directory)  # noqa: PTH102  (starts fast)
            made.append(directory)
            os.mkdir(f"{directory}/{LEAF}")  # noqa: PTH102
            if "cpuset" in hierarchy.controllers.split(","):
                _inherit_cpuset(hierarchy.own, directory)
                _inherit_cpuset(directory, f"{directory}/{LEAF}")
        except (
            OSError
        ):  # read-only, delegated to another user, or too deep: the lab does without this hierarchy
            remove(directory)
            made = [one for one in made if one != directory]
    return made


def planned(name: str) -> list[str]:
    """Return the directories that `make` would create: they are journalled first, so that a crash leaves no unknown cgroup."""
    return [f"{_above(hierarchy)}/{name}" for hierarchy in hierarchies()]


def version2_alone() -> Hierarchy | None:
    """Return the hierarchy of v2 where it is the only one."""
    found = hierarchies()
    return found[0] if len(found) == 1 and found[0].version > 1 else None


def can_give_limits(hierarchy: Hierarchy) -> bool:
    """Return whether `make` will create a cgroup of v2 whose containers can have limits."""
    above = _above(hierarchy)
    return os.access(above, os.W_OK) and _given(above) >= _LIMITING


def has_limits(directory: str) -> bool:
    """Return whether a cgroup of v2 has the controllers for the limits of containers."""
    try:
        return set(_read(f"{directory}/cgroup.controllers").split()) >= _LIMITING
    except OSError:
        return False


def can_see_members(directory: str) -> bool:
    """Return whether a cgroup of v2 has processes, and all of them have a pid in this PID namespace."""
    try:
        pids = _read(f"{directory}/cgroup.procs").split()
    except OSError:
        return False
    return bool(pids) and "0" not in pids


def divide(directory: str, leaf: str) -> None:
    """Move this process into a new leaf of its own cgroup of v2, and give all controllers to those below; do without on failure."""
    try:
        os.mkdir(f"{directory}/{leaf}")  # noqa: PTH102  (starts fast)
        join(f"{directory}/{leaf}")
        names = _read(f"{directory}/cgroup.controllers").split()
        _write(f"{directory}/cgroup.subtree_control", " ".join(f"+{name}" for name in names))
    except OSError:
        return  # then the lab has no limits either, and says so


def _above(hierarchy: Hierarchy) -> str:
    """Return the parent for a lab's cgroup: this process's own, or the nearest above it that gives more of the controllers.

    An ordinary user may write to those alone that were delegated.
    """
    if hierarchy.version == 1:
        return hierarchy.own
    places = [hierarchy.own]
    while places[-1] != hierarchy.mount:
        places.append(os.path.dirname(places[-1]))  # noqa: PTH120  (starts fast)
    writable = [place for place in places if os.access(place, os.W_OK)] or places[:1]
    return max(writable, key=lambda place: len(_given(place) & _LIMITING))


def _given(directory: str) -> set[str]:
    """Return the controllers that a v2 cgroup enables for those below it."""
    try:
        return set(_read(f"{directory}/cgroup.subtree_control").split())
    except OSError:
        return set()


def _inherit_cpuset(parent: str, child: str) -> None:
    # A new v1 cpuset has neither processors nor memory nodes, and no process can join it until it has both: cpuset(7).
    for file in ("cpuset.cpus", "cpuset.mems"):
        _write(f"{child}/{file}", _read(f"{parent}/{file}").strip())


def join(directory: str) -> None:
    """Move this process, which must have a single thread, into a cgroup.

    Raises:
        OSError: the kernel refused.
    """
    # v1's `tasks` moves one thread and does without the RCU stall (5 to 20 ms for each hierarchy) that `cgroup.procs` costs.
    tasks = f"{directory}/tasks"
    _write(tasks if os.path.exists(tasks) else f"{directory}/cgroup.procs", "0")  # noqa: PTH110  (starts fast)


def members(directory: str) -> list[Identity]:
    """Return the processes in a cgroup and in all below it, without zombies; none when it does not exist."""
    found = []
    for folder, _folders, _files in os.walk(directory):
        try:
            pids = [int(line) for line in _read(f"{folder}/cgroup.procs").split()]
        except OSError:
            continue  # removed meanwhile
        found += [process for pid in pids if (process := identity(pid))]
    return found


def kill(directory: str) -> None:
    """Kill all processes in a v2 cgroup and below it at once, however fast they fork; do nothing in v1, which has no such file."""
    path = f"{directory}/cgroup.kill"
    if os.path.exists(path):  # noqa: PTH110  (starts fast)
        _write(path, "1")


def freeze(directory: str) -> None:
    """Freeze a v1 freezer cgroup and all below it, so that its processes cannot fork while they are killed one by one."""
    path = f"{directory}/freezer.state"
    if os.path.exists(path):  # noqa: PTH110  (starts fast)
        _write(path, "FROZEN")


def thaw(directory: str) -> None:
    """Thaw a v1 freezer cgroup and all below it: a frozen process does not even die of SIGKILL (in v2 it does)."""
    for folder, _folders, files in os.walk(directory):
        if "freezer.state" in files:
            try:
                _write(f"{folder}/freezer.state", "THAWED")
            except OSError:
                continue  # removed meanwhile


def remove(directory: str, seconds: float = 2.0) -> bool:
    """Remove a cgroup and all below it; return whether it is gone. A cgroup stays busy for a moment after its last process."""
    deadline = time.monotonic() + patience.scaled(seconds)
    while True:
        for folder, _folders, _files in os.walk(directory, topdown=False):
            try:
                os.rmdir(folder)  # noqa: PTH106  (starts fast)
            except OSError:
                continue  # busy still, or gone
        if not os.path.isdir(directory):  # noqa: PTH112  (starts fast)
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.01)


def _read(path: str) -> str:
    with open(path, encoding="ascii") as file:  # noqa: PTH123  (starts fast)
        return file.read()


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123  (starts fast)
        file.write(text)
