"""What a poller knows of a container's processes from its last look, so that it reads again only what may have changed.

A process that has not run since has not changed: `/proc/PID/schedstat` (proc(5)) counts the nanoseconds for which its first thread
has run. A new process is a child of one that has run, or of an ancestor of that one (clone(2), CLONE_PARENT; subreapers); a parent
that ends was a process that ran. So of a thousand processes that sleep, a look opens one file each, and not twelve.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from tutor.lazy_dataclass import dataclass, field
from tutor.observe.one_process import children_of, read_process
from tutor.observe.procfs import ProcessDirectory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tutor.observe.model import Process

_ENDED = frozenset("ZXx")


@dataclass(slots=True)
class Known:
    """A process at the last look: how long it had run by then, what was read after that, and its children."""

    ran: bytes
    process: Process
    children: list[int]

    def is_same(self, ran: bytes) -> bool:
        """Tell whether it has not run since; of several threads that can't be told, nor where the kernel counts nothing."""
        return ran == self.ran and self.process.threads == 1 and not ran.startswith(b"0 ")


@dataclass(slots=True)
class KnownProcesses:
    """The processes of one container by pid, in the order of their tree, and the pids that entered it."""

    by_pid: dict[int, Known] = field(default_factory=dict)
    entered: list[int] = field(default_factory=list)
    found: tuple[Process, ...] = ()

    def look_again(self, entered: list[int]) -> bool:
        """Read what has changed since the last look into `found`; return False if the tree may be another one."""
        if not self.by_pid or entered != self.entered:
            return False
        ran: dict[int, bytes] = {}
        for pid, known in self.by_pid.items():
            now = run_time(pid)
            if not now:
                return False
            if not known.is_same(now):
                ran[pid] = now
        init = next(iter(self.by_pid))
        with suppress(OSError):
            for pid in {init, *ran, *self._ancestors(ran)}:
                with ProcessDirectory(pid) as process:
                    if not self._read_again(process, ran.get(pid)):
                        return False
            if ran:
                self.found = tuple(known.process for known in self.by_pid.values())
            return True
        return False

    def _read_again(self, process: ProcessDirectory, ran: bytes | None) -> bool:
        """Read a process again if it has run; return whether it has ended neither itself nor its part of the tree."""
        known = self.by_pid[process.pid]
        threads = process.threads()
        if children_of(process, threads) != known.children:
            return False
        if ran is not None:
            again = read_process(process, known.process.depth, threads)
            if again.state in _ENDED or again.ppid != known.process.ppid:
                return False
            known.ran = ran
            if again != known.process:
                known.process = again
        return True

    def _ancestors(self, pids: Iterable[int]) -> set[int]:
        found: set[int] = set()
        for pid in pids:
            parent = self.by_pid[pid].process.ppid
            while parent in self.by_pid and parent not in found:
                found.add(parent)
                parent = self.by_pid[parent].process.ppid
        return found

    def reusable(self, pid: int, ran: bytes, depth: int, parent: int) -> Process | None:
        """Return what is known of a process that is found again, now a child of `parent`; None if it must be read."""
        known = self.by_pid.get(pid)
        if known is None or not known.is_same(ran) or known.process.state in _ENDED:
            return None
        if (known.process.depth, known.process.ppid) == (depth, parent):
            return known.process
        return replace(known.process, depth=depth, ppid=parent)


def run_time(pid: int) -> bytes:
    """Return for how long a process has run, as the kernel writes it; empty if it has ended."""
    try:
        descriptor = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 128)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
