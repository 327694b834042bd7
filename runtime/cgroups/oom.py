"""Out-of-memory events of a cgroup: with v1 through an eventfd, with v2 through its file `memory.events`."""

from __future__ import annotations

import os
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.cgroups.group import Group


class OutOfMemory:
    """A watch on one cgroup: poll `fd` for `mask`, then call `happened`."""

    def __init__(self, group: Group) -> None:
        self.fd = -1
        self.mask = select.POLLIN
        self._files: list[int] = []
        control = group.path("cgroup.event_control") if group.path("memory.oom_control") else None
        if control is not None:
            self._watch_version1(os.path.dirname(group.path("memory.oom_control") or ""))
        elif (events := group.path("memory.events")) is not None:
            self.fd = os.open(events, os.O_RDONLY | os.O_CLOEXEC)
            self.mask = select.POLLPRI
            self._files.append(self.fd)
            self._count = self._read_count()

    def happened(self) -> bool:
        """Tell whether memory has run out since the last time, after the descriptor has become ready."""
        if self.mask == select.POLLIN:
            return int.from_bytes(os.read(self.fd, 8), "little") > 0
        before, self._count = self._count, self._read_count()
        return self._count > before

    def close(self) -> None:
        """Stop watching."""
        for fd in self._files:
            os.close(fd)

    def _watch_version1(self, directory: str) -> None:
        """Register an eventfd(2) that the kernel counts up (cgroup-v1/memory, OOM Control)."""
        control = os.open(f"{directory}/memory.oom_control", os.O_RDONLY | os.O_CLOEXEC)
        self.fd = os.eventfd(0, os.EFD_CLOEXEC)
        self._files += [control, self.fd]
        event_control = os.open(f"{directory}/cgroup.event_control", os.O_WRONLY | os.O_CLOEXEC)
        os.write(event_control, b"%d %d" % (self.fd, control))
        os.close(event_control)

    def _read_count(self) -> int:
        """Return how many processes the kernel has killed, as v2 counts them."""
        for line in os.pread(self.fd, 4096, 0).decode("ascii").split("\n"):
            name, _, number = line.partition(" ")
            if name == "oom_kill":
                return int(number)
        return 0
