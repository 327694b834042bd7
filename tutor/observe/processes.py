"""The processes of a container: its init, their descendants, and those that entered from outside (`exec`).

- Descendants come from `/proc/PID/task/TID/children`.
- A process that entered has its parent outside. It is found by the container's own cgroup, or, if the container has none, by
  its own pid namespace.
- If a container shares both with the host, only descendants are found.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from tutor.lazy_dataclass import dataclass, field
from tutor.observe.cgroups import own_cgroups
from tutor.observe.known_processes import Known, KnownProcesses, run_time
from tutor.observe.one_process import children_of, read_process
from tutor.observe.procfs import ProcessDirectory, status_fields

if TYPE_CHECKING:
    from tutor.observe.model import CgroupMembership, Mount, Process

# More than a screen can show: a fork bomb in a lesson must not stop the panels.
_MOST_PROCESSES = 512


@dataclass(slots=True)
class Strangers:
    """The pids that are known to be in other pid namespaces than the container's, so that each is examined only once.

    A process never changes its own pid namespace (pid_namespaces(7): setns(2) moves only its children), so an answer stays
    true as long as every snapshot sees the pid.
    """

    namespace: int = 0
    outside: set[int] = field(default_factory=set)

    def members(self, namespace: int) -> list[int]:
        """Return the pids in a pid namespace, given its inode."""
        if namespace != self.namespace:
            self.namespace, self.outside = namespace, set()
        link = f"pid:[{namespace}]"
        pids = {int(name) for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208  (four times as fast)
        self.outside &= pids
        inside = []
        for pid in pids - self.outside:
            with suppress(OSError):
                if os.readlink(f"/proc/{pid}/ns/pid") == link:  # noqa: PTH115  (the same)
                    inside.append(pid)
                    continue
            self.outside.add(pid)
        return sorted(inside)


def read_processes(
    init: ProcessDirectory, entered: list[int], reference_pid: int, before: KnownProcesses
) -> tuple[Process, ...]:
    """Return the container's processes in the order of a tree: each parent before its children.

    Args:
        init: the container's process.
        entered: pids that belong to the container too, wherever their parents are.
        reference_pid: the reference process, which is never counted as a process of the container.
        before: what an earlier look has found; it is made what this one finds.
    """
    if before.look_again(entered):
        return before.found
    walk = _Walk({os.getpid(), reference_pid} - {init.pid}, before)
    walk.visit(init, 0)
    _visit_entered(walk, init.pid, entered)
    before.by_pid, before.entered = walk.found, entered
    before.found = tuple(known.process for known in walk.found.values())
    return before.found


def _visit_entered(walk: _Walk, init: int, entered: list[int]) -> None:
    left = [pid for pid in entered if pid not in walk.seen] if not walk.is_full else []
    parents = {pid: _parent(pid) for pid in left}
    ancestors = _ancestors(init) if left else set()
    roots = [pid for pid in left if parents[pid] not in parents and pid not in ancestors]
    for pid in roots:
        with suppress(OSError), ProcessDirectory(pid) as process:
            walk.visit(process, 0)


class _Walk:
    """A walk through the tree of processes; `seen` are those not to be visited any more."""

    def __init__(self, seen: set[int], before: KnownProcesses) -> None:
        self.seen = seen
        self.found: dict[int, Known] = {}
        self._before = before

    @property
    def is_full(self) -> bool:
        return len(self.found) >= _MOST_PROCESSES

    def visit(self, process: ProcessDirectory, depth: int, parent: int = 0) -> None:
        """Find a process and its descendants; `parent` is its parent's pid, if it was found by that."""
        pid = process.pid
        if pid in self.seen or self.is_full:
            return
        self.seen.add(pid)
        ran = run_time(pid)  # before the rest, so that what happens meanwhile is found by the next look
        again = self._before.reusable(pid, ran, depth, parent) if parent else None
        threads = [pid] if again else process.threads()
        try:
            read = again or read_process(process, depth, threads)
        except OSError:
            return
        children = children_of(process, threads)
        self.found[pid] = Known(ran, read, children)
        for each in children:
            if each not in self.seen and not self.is_full:
                with suppress(OSError), ProcessDirectory(each) as child:
                    self.visit(child, depth + 1, pid)


def _parent(pid: int) -> int:
    with suppress(OSError), ProcessDirectory(pid) as process:
        return int(status_fields(process.read("status")).get("PPid", "0"))
    return 0


def _ancestors(pid: int) -> set[int]:
    ancestors: set[int] = set()
    while (pid := _parent(pid)) > 0 and pid not in ancestors:
        ancestors.add(pid)
    return ancestors


def cgroup_members(
    own: tuple[CgroupMembership, ...],
    reference: tuple[CgroupMembership, ...],
    mounts: tuple[Mount, ...],
    reference_pid: int,
    outsiders: set[int],
) -> list[int] | None:
    """Return the pids in the container's own cgroup; None if it has none or it cannot be read.

    A hierarchy serves if the container's cgroup in it is
    - not that of the reference process
    - not that of one of the `outsiders`, as this process and its parent

    Its files are read through the mounts of the reference process.
    """
    for _membership, directory in own_cgroups(own, reference, mounts):
        path = f"/proc/{reference_pid}/root{directory}/cgroup.procs"
        with suppress(OSError, ValueError), open(path, "rb") as file:  # noqa: PTH123  (a path of the kernel's, read many times a second)
            pids = [int(line) for line in file.read().split()]
            if outsiders.isdisjoint(pids):
                return pids
    return None
