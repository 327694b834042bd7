"""Remove everything that a lab has made. The guard does so when a lab ends; failing it the keeper, the client, or a later start."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from tutor import patience
from tutor.lab import cgroups, processes
from tutor.lab import state_roots as roots

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.lab.journal import Journal
    from tutor.lab.processes import Identity

_PATIENCE = 5.0  # seconds; a process in an uninterruptible system call dies only when the call returns


def clean(journal: Journal, *, reap: bool, ancestor: int | None = None) -> list[str]:
    """Kill the lab's processes, remove its cgroups and directories, then its journal; return what could not be removed.

    Each string names one thing, ready to show: `process 123 (sleep)`, `cgroup /sys/fs/cgroup/...`. If anything is left, so is the
    journal. `ancestor`: all descendants of this process belong to the lab too. `reap`: this process may wait for its children.
    """

    def remaining() -> list[Identity]:
        if reap:
            processes.reap_children()
        return _members(journal, ancestor)

    left = [f"process {process.pid} ({_name(process.pid)})" for process in _end(remaining, journal)]
    left += [f"cgroup {directory}" for directory in journal.cgroups if not cgroups.remove(directory)]
    for directory in (*roots.DIRECTORIES, *roots.COVERS):
        roots.remove_unused(directory)
    if not left:
        journal.remove()
    return left


def _members(journal: Journal, ancestor: int | None) -> list[Identity]:
    found = set(processes.in_mount_namespace_of(journal.name))
    for directory in journal.cgroups:
        found.update(cgroups.members(directory))
    if ancestor is not None:
        found.update(processes.descendants(ancestor))
    found.update(process for process in journal.strays if processes.is_alive(process))
    return [process for process in found if process.pid != os.getpid()]


def _end(remaining: Callable[[], list[Identity]], journal: Journal) -> list[Identity]:
    """Kill until no process is left: one may have forked just before it was killed."""
    deadline = time.monotonic() + patience.scaled(_PATIENCE)
    while (victims := remaining()) and time.monotonic() < deadline:
        for directory in journal.cgroups:
            cgroups.kill(directory)
            cgroups.freeze(directory)
        for process in remaining():
            processes.send_signal(process, signal.SIGKILL)
        for directory in journal.cgroups:
            cgroups.thaw(directory)
        for process in victims:
            processes.wait_for_end(process, deadline - time.monotonic())
    return victims


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:  # noqa: PTH123  (starts fast)
            return file.read().strip()
    except OSError:
        return "?"
