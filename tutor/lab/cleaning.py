"""Give back everything that a lab has taken. The guard does it when a lab ends; else the keeper, the client, or a later start."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from tutor.lab import cgroups, processes
from tutor.lab import state_roots as roots

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.lab.journal import Journal
    from tutor.lab.processes import Identity

_PATIENCE = 5.0  # seconds; a process in an uninterruptible system call dies only when that has ended


def clean(journal: Journal, *, reap: bool, ancestor: int | None = None) -> list[str]:
    """End the lab's processes, remove its cgroups and directories, then its journal; return what could not be removed.

    What is returned names a thing each, ready to show: `process 123 (sleep)`, `cgroup /sys/fs/cgroup/...`. The journal stays
    if anything did. `ancestor`: all descendants of this process are the lab's too. `reap`: this process may collect its children.
    """

    def remaining() -> list[Identity]:
        if reap:
            processes.reap_children()
        return _members(journal, ancestor)

    left = [f"process {who.pid} ({_name(who.pid)})" for who in _end(remaining, journal)]
    left += [f"cgroup {directory}" for directory in journal.cgroups if not cgroups.remove(directory)]
    for directory in (*roots.DIRECTORIES, *roots.DAEMONS):
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
    found.update(who for who in journal.strays if processes.is_alive(who))
    return [who for who in found if who.pid != os.getpid()]


def _end(remaining: Callable[[], list[Identity]], journal: Journal) -> list[Identity]:
    """Kill till nobody is left: what is killed may have started something the moment before."""
    deadline = time.monotonic() + _PATIENCE
    while (victims := remaining()) and time.monotonic() < deadline:
        for directory in journal.cgroups:
            cgroups.kill(directory)
            cgroups.freeze(directory)
        for who in remaining():
            processes.send_signal(who, signal.SIGKILL)
        for directory in journal.cgroups:
            cgroups.thaw(directory)
        for who in victims:
            processes.wait_for_end(who, deadline - time.monotonic())
    return victims


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:  # noqa: PTH123  (starts fast)
            return file.read().strip()
    except OSError:
        return "?"
