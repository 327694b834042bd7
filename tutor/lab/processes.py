"""Processes by pid and start time, so that a reused pid is not mistaken for the process that had it before."""

from __future__ import annotations

import os
import select
import signal
import time
from typing import NamedTuple

_STATE, _PARENT, _START = 0, 1, 19  # fields of /proc/PID/stat after the command, proc(5)


class Identity(NamedTuple):
    """A process: `start` is its start time in clock ticks since boot (proc(5), field 22)."""

    pid: int
    start: int


def _stat(pid: int) -> list[str] | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123  (starts fast)
            return file.read().rpartition(") ")[2].split()
    except OSError:
        return None


def identity(pid: int) -> Identity | None:
    """Return the identity of the process that has `pid` now; None when there is none or it is a zombie."""
    fields = _stat(pid)
    return Identity(pid, int(fields[_START])) if fields and fields[_STATE] not in "ZX" else None


def own_identity() -> Identity:
    """Return this process's identity."""
    found = identity(os.getpid())
    if found is None:
        raise FileNotFoundError(2, "no such file or directory", "/proc/self/stat")
    return found


def is_alive(process: Identity) -> bool:
    """Return whether the process still runs (a zombie does not)."""
    return identity(process.pid) == process


def boot_id() -> str:
    """Return the id of this boot: pids and start times of another one mean nothing."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # noqa: PTH123  (starts fast)
        return file.read().strip()


def pid_namespace(pid: int | str = "self") -> int:
    """Return the inode that identifies the PID namespace of a process; pid_namespaces(7).

    Raises:
        OSError: it has ended, or may not be looked at.
    """
    return os.stat(f"/proc/{pid}/ns/pid").st_ino  # noqa: PTH116  (starts fast)


def has_processes(namespace: int) -> bool:
    """Return whether a process that this one may look at is in the PID namespace with this inode."""
    for pid in all_pids():
        try:
            if pid_namespace(pid) == namespace and identity(pid):  # a zombie has a namespace too
                return True
        except OSError:
            continue  # it has ended, or it is another user's
    return False


def all_pids() -> list[int]:
    """Return the pids of all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208  (starts fast)


def descendants(ancestor: int) -> list[Identity]:
    """Return the descendants of a process without zombies, children first."""
    children: dict[int, list[Identity]] = {}
    for pid in all_pids():
        fields = _stat(pid)
        if fields:
            children.setdefault(int(fields[_PARENT]), []).append(Identity(pid, int(fields[_START])))
    found: list[Identity] = []
    generation = [ancestor]
    while generation:
        below = [child for parent in generation for child in children.get(parent, [])]
        found += below
        generation = [child.pid for child in below]
    return [child for child in found if is_alive(child)]


def in_mount_namespace_of(marker: str) -> list[Identity]:
    """Return the processes whose mount namespace has a mount with the source `marker`.

    The mounts of a lab have its name as their source: the inode number of a namespace may be reused, that name never is.
    """
    verdicts: dict[str, bool] = {}
    found = []
    for pid in all_pids():
        try:
            namespace = os.readlink(f"/proc/{pid}/ns/mnt")  # noqa: PTH115  (starts fast)
            if namespace not in verdicts:
                verdicts[namespace] = has_mount_from(marker, f"/proc/{pid}/mountinfo")
        except OSError:
            continue  # it has ended, or it is a kernel thread
        process = identity(pid) if verdicts[namespace] else None
        if process:
            found.append(process)
    return found


def has_mount_from(marker: str, mountinfo: str = "/proc/self/mountinfo") -> bool:
    """Return whether a mount table has a mount with the source `marker`."""
    with open(mountinfo, encoding="utf-8", errors="replace", newline="\n") as file:  # noqa: PTH123  (starts fast)
        return any(line.rpartition(" - ")[2].split(" ")[1] == marker for line in file)


def send_signal(process: Identity, number: int) -> bool:
    """Send a signal to exactly this process; False when it has ended."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        if not is_alive(process):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def wait_for_end(process: Identity, seconds: float) -> bool:
    """Wait until a process, a child or not, has ended; return False when it still runs after `seconds`."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        return True
    try:
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        deadline = time.monotonic() + seconds
        while is_alive(process):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            poller.poll(left * 1000)
    finally:
        os.close(descriptor)
    return True


def reap_children() -> list[tuple[int, int]]:
    """Wait for every child that has ended: yield its pid and return code, as in subprocess."""
    ended: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append((pid, os.waitstatus_to_exitcode(status)))
