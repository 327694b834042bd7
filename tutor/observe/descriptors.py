"""The open file descriptors of one process, read on demand: a snapshot is taken many times a second and leaves them out."""

from __future__ import annotations

from contextlib import suppress

from tutor.observe.procfs import ProcessDirectory, text


def read_descriptors(pid: int) -> tuple[tuple[int, str], ...]:
    """Return the open descriptors of a process, each with where its link in `/proc/PID/fd` points (proc_pid_fd(5)); none if unreadable."""
    found = []
    with suppress(OSError), ProcessDirectory(pid) as process:
        for number in sorted(map(int, process.names("fd"))):
            with suppress(OSError):  # closed meanwhile
                found.append((number, text(process.link(f"fd/{number}"))))
    return tuple(found)
