"""One process of a container: what is read of it for a snapshot, and its children."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tutor.observe.model import Process
from tutor.observe.procfs import decoded, name_of, status_fields, text
from tutor.observe.waits import read_wait
from tutor.text import visible

if TYPE_CHECKING:
    from tutor.observe.procfs import ProcessDirectory


def read_process(process: ProcessDirectory, depth: int, threads: list[int]) -> Process:
    """Return a process at a depth of the tree.

    Raises:
        OSError: it has ended.
    """
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


def children_of(process: ProcessDirectory, threads: list[int]) -> list[int]:
    """Return the pids of its children, `/proc/PID/task/TID/children`."""
    children: list[int] = []
    for tid in threads:
        with suppress(OSError):
            children += map(int, process.read(f"task/{tid}/children").split())
    return sorted(children)
