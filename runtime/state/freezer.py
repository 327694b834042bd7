"""Freezing and thawing all processes of a container: freezer of cgroup v1, cgroup.freeze of v2 (cgroups(7)).

Beside `cgroups` and not in it: `state` checks whether a container is frozen, and loads nothing else for that.
"""

from __future__ import annotations

import os

from runtime.state import liveness
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from runtime.config.types import Process

_STATE = "freezer.state"
_FREEZE = "cgroup.freeze"
_PATIENCE = 10.0
"""How many seconds processes get to stop."""
_A_MOMENT = 0.5
"""How many seconds a process usually needs at most to end."""


def is_frozen(directories: Iterable[str]) -> bool:
    """Tell whether the cgroup with these directories has been frozen, itself and not one above it."""
    path = _find(directories)
    if path.endswith(_STATE):
        return _read(f"{os.path.dirname(path)}/freezer.self_freezing") == "1"
    return _read(path) == "1"


def stands_still(directory: str) -> bool:
    """Tell whether processes in this directory would be frozen, by this cgroup or one above it."""
    state = _read(f"{directory}/{_STATE}")
    if state is not None:
        return state != "THAWED"
    return "frozen 1" in (_read(f"{directory}/cgroup.events") or "")


def freeze(directories: Iterable[str]) -> None:
    """Freeze all processes of the cgroup and wait until all are frozen. Raises RuntError; then none is."""
    path = _find(directories)
    if not path:
        raise RuntError("cannot toggle freezer: cgroups not configured for container")
    try:
        if path.endswith(_STATE):
            _freeze_version1(path)
        else:
            _write(path, "1")
            _wait_until_frozen(os.path.dirname(path))
    except OSError as error:
        raise RuntError(f"unable to freeze: {describe(error)}") from None
    except RuntError:
        thaw(directories)
        raise


def thaw(directories: Iterable[str]) -> None:
    """Thaw the processes of the cgroup, if they are frozen."""
    path = _find(directories)
    try:
        if path:
            _write(path, "THAWED" if path.endswith(_STATE) else "0")
    except OSError:
        # The cgroup has been removed.
        pass


def thaw_killed(directories: Iterable[str], process: Process) -> None:
    """Let a process of the cgroup end that has been sent SIGKILL: with version 1 it does not while it is frozen.

    Another program may have taken it to a cgroup that is frozen. What leaves that one is thawed: it is moved back.
    """
    thaw(directories)
    path = _find(directories)
    try:
        pidfd = liveness.open_pidfd(process) if path.endswith(_STATE) else None
        if pidfd is None:
            return
        if not liveness.wait_for_exit(pidfd, _A_MOMENT):
            # As it has not ended, the pid is still its own.
            _write(f"{os.path.dirname(path)}/cgroup.procs", str(process["pid"]))
        os.close(pidfd)
    except OSError:
        # The cgroup has been removed.
        pass


def _find(directories: Iterable[str]) -> str:
    """Return the file that freezes the cgroup, an empty string if there is none."""
    # First where it usually is: there are ten hierarchies with v1.
    for directory in sorted(directories, key=lambda directory: "freezer" not in directory):
        for name in (_STATE, _FREEZE):
            if os.path.exists(f"{directory}/{name}"):
                return f"{directory}/{name}"
    return ""


def _freeze_version1(path: str) -> None:
    """Freeze with v1, which loses the race against a process that forks all the time.

    `FREEZING` means that some processes are not frozen. Each has to be scheduled for that, and the kernel checks only when
    the state is written and read. From time to time all are thawed and frozen again, as with runc; each time after a
    longer wait, because on a busy machine it takes a while until each process has been scheduled.
    """
    import time

    began = time.monotonic()
    patience = 0.05
    while True:
        _write(path, "FROZEN")
        if _read(path) == "FROZEN":
            return
        waited = time.monotonic() - began
        if waited > _PATIENCE:
            raise RuntError(f"unable to freeze: some process has not stopped for {_PATIENCE:.0f} seconds")
        if waited > patience:
            _write(path, "THAWED")
            patience *= 3
            time.sleep(0.01)
        time.sleep(0.0002)


def _wait_until_frozen(directory: str) -> None:
    """Wait for v2 to report that the last process is frozen: a change of cgroup.events is an exceptional condition."""
    import select
    import time

    fd = os.open(f"{directory}/cgroup.events", os.O_RDONLY | os.O_CLOEXEC)
    poll = select.poll()
    poll.register(fd, select.POLLPRI)
    deadline = time.monotonic() + _PATIENCE
    try:
        while b"frozen 1" not in os.pread(fd, 4096, 0):
            left = deadline - time.monotonic()
            if left <= 0:
                raise RuntError(f"unable to freeze: some process has not stopped for {_PATIENCE:.0f} seconds")
            poll.poll(left * 1000)
    finally:
        os.close(fd)


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return None


def _write(path: str, value: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, value.encode())
    finally:
        os.close(fd)
