"""The processes of a cgroup, and sending all of them a signal."""

from __future__ import annotations

import os
import time

from runtime.cgroups.group import write
from runtime.state import freezer, liveness
from runtime.support import signals
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_PATIENCE = 10.0
"""How many seconds to wait for the end of processes that have been killed."""


def processes(paths: Iterable[str]) -> list[int]:
    """Return the pids of all processes in the cgroups `paths` and below them, sorted."""
    found: set[int] = set()
    for path in paths:
        for directory, _, names in os.walk(path):
            if "cgroup.procs" in names:
                found.update(_read_processes(f"{directory}/cgroup.procs"))
    # Processes that have no pid in this PID namespace are listed as 0.
    return sorted(found - {0})


def kill_all(paths: Iterable[str], signum: int) -> None:
    """Send `signum` to every process in the cgroups `paths` and below them.

    Raises RuntError when the kernel refuses. With SIGKILL it is repeated until no process is left, also none that was made
    in the meantime.
    """
    paths = list(paths)
    if signum == signals.SIGKILL:
        _kill_until_empty(paths)
        return
    for pid in processes(paths):
        _signal_member(pid, signum, paths)


def _kill_until_empty(paths: list[str]) -> None:
    """Kill every process in the cgroups `paths` and below them. Raises RuntError if some do not end."""
    deadline = time.monotonic() + _PATIENCE
    _kill_version2(paths)
    has_tried = False
    while pids := processes(paths):
        if has_tried:
            # Some are new, and more may come as fast: freeze all.
            _try_to_freeze(paths)
        for pid in processes(paths) if has_tried else pids:
            _signal_member(pid, signals.SIGKILL, paths)
        freezer.thaw(paths)
        has_tried = True
        if time.monotonic() > deadline:
            raise RuntError(
                f"processes {', '.join(map(str, pids))} do not end although they have been killed"
            )
        _wait_for_end(pids[0])


def _kill_version2(paths: list[str]) -> None:
    """Kill all processes of a cgroup of v2 at once (cgroup.kill, since Linux 5.14), also without a pid in this namespace."""
    for path in paths:
        if os.path.exists(f"{path}/cgroup.kill"):
            write(f"{path}/cgroup.kill", "1")


def _try_to_freeze(paths: list[str]) -> None:
    try:
        freezer.freeze(paths)
    except RuntError:
        # Without a freezer, or with too many processes: kill them one by one.
        pass


def _read_processes(path: str) -> list[int]:
    try:
        with open(path, encoding="utf-8") as file:
            return [int(line) for line in file]
    except OSError:
        # The directory has been removed, or its processes can't be listed (a threaded cgroup).
        return []


def _signal_member(pid: int, signum: int, paths: list[str]) -> None:
    """Send a signal to `pid` if it still is in one of the cgroups when its pid can't be reused any more."""
    process = liveness.identify(pid)
    if process is None or pid not in processes(paths):
        return
    try:
        liveness.send_signal(process, signum)
    except OSError as error:
        raise RuntError(f"cannot send signal {signum} to process {pid}: {describe(error)}") from None


def _wait_for_end(pid: int) -> None:
    """Wait a moment for one process to end."""
    fd = liveness.open_pidfd(liveness.identify(pid))
    if fd is None:
        # A zombie, which its parent has to wait for; or it has ended already.
        time.sleep(0.001)
        return
    liveness.wait_for_exit(fd, 0.1)
    os.close(fd)
