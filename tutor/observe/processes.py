"""The processes of a container: its init, their descendants, and those that entered from outside (`exec`).

- Descendants come from `/proc/PID/task/TID/children`.
- A process that entered has its parent outside. It is found by the container's own cgroup, or, if the container has none, by
  its own pid namespace.
- If a container shares both with the host, only descendants are found.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tutor.observe.cgroups import own_cgroups
from tutor.observe.model import Process
from tutor.observe.procfs import ProcessDirectory, decoded, name_of, status_fields, text
from tutor.observe.waits import read_wait
from tutor.text import visible

if TYPE_CHECKING:
    from tutor.observe.model import CgroupMembership, Mount

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


def read_processes(init: ProcessDirectory, entered: list[int], reference_pid: int) -> tuple[Process, ...]:
    """Return the container's processes in the order of a tree: each parent before its children.

    Args:
        init: the container's process.
        entered: pids that belong to the container too, wherever their parents are.
        reference_pid: the reference process, which is never counted as a process of the container.
    """
    seen: set[int] = {os.getpid(), reference_pid} - {init.pid}
    found: list[Process] = []
    _walk(init, 0, seen, found)
    left = [pid for pid in entered if pid not in seen]
    parents = {pid: _parent(pid) for pid in left}
    ancestors = _ancestors(init.pid)
    roots = [pid for pid in left if parents[pid] not in parents and pid not in ancestors]
    for pid in roots:
        if pid not in seen:
            with suppress(OSError), ProcessDirectory(pid) as process:
                _walk(process, 0, seen, found)
    return tuple(found)


def _walk(process: ProcessDirectory, depth: int, seen: set[int], found: list[Process]) -> None:
    if process.pid in seen or len(found) >= _MOST_PROCESSES:
        return
    seen.add(process.pid)
    threads = process.threads()
    try:
        found.append(_read(process, depth, threads))
    except OSError:
        return
    for pid in _children(process, threads):
        with suppress(OSError), ProcessDirectory(pid) as child:
            _walk(child, depth + 1, seen, found)


def _read(process: ProcessDirectory, depth: int, threads: list[int]) -> Process:
    status = status_fields(process.read("status"))
    state = status.get("State", "?")[:1]
    try:
        exe = text(process.link("exe"))
    except OSError:
        exe = ""
    try:
        cmdline = process.read("cmdline")
    except OSError:
        cmdline = b""
    return Process(
        pid=process.pid,
        ns_pid=int(status.get("NSpid", str(process.pid)).split()[-1]),
        ppid=int(status.get("PPid", "0")),
        state=state,
        comm=visible(name_of(status)),
        cmdline=tuple(decoded(part) for part in cmdline.rstrip(b"\0").split(b"\0")) if cmdline else (),
        exe=exe,
        threads=int(status.get("Threads", "1")),
        depth=depth,
        waits_for=read_wait(process, state, threads),
    )


def _children(process: ProcessDirectory, threads: list[int]) -> list[int]:
    children: list[int] = []
    for tid in threads:
        with suppress(OSError):
            children += map(int, process.read(f"task/{tid}/children").split())
    return sorted(children)


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
