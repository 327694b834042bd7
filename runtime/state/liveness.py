"""Whether a process still runs. A pid is reused, a pid *and* a start time are not.

The start time is field 22 of `/proc/PID/stat` (proc(5)), in clock ticks since boot. To act on a process, a pidfd
(pidfd_open(2)) is opened first and the start time is compared afterwards: from then on the descriptor
refers to this process and no other.
"""

from __future__ import annotations

import os

from runtime.support import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import Process


def identify(pid: int) -> Process | None:
    """Return the identity of the running process `pid`, or None if there is none (zombies don't run)."""
    fields = _stat(pid)
    if fields is None:
        return None
    return {"pid": pid, "start_time": int(fields[19])}


def is_alive(process: Process | None) -> bool:
    """Tell whether `process` still runs: the same pid with the same start time, and not a zombie."""
    return process is not None and identify(process["pid"]) == process


def name(process: Process) -> str:
    """Return the name that the kernel has for `process` (proc(5), comm), an empty string if it has ended."""
    try:
        return files.read(f"/proc/{process['pid']}/comm").decode("utf-8", "replace").removesuffix("\n")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def open_pidfd(process: Process | None) -> int | None:
    """Return a pidfd (close-on-exec) that refers to exactly `process`, or None if it does not run any more.

    Raises OSError when the kernel can't give one.
    """
    if process is None:
        return None
    try:
        fd = os.pidfd_open(process["pid"])
    except OSError:
        # No process has the pid any more, or it is a thread's now.
        if is_alive(process):
            raise
        return None
    if is_alive(process):
        return fd
    os.close(fd)
    return None


def send_signal(process: Process | None, signum: int) -> bool:
    """Send `signum` to exactly `process`; return False if it does not run any more.

    Raises OSError when the kernel refuses (no permission, no such signal).
    """
    fd = open_pidfd(process)
    if fd is None:
        return False
    try:
        from runtime.support.signals import pidfd_send_signal

        pidfd_send_signal(fd, signum)
    except ProcessLookupError:
        return False
    finally:
        os.close(fd)
    return True


def wait_for_exit(pidfd: int, timeout: float | None = None) -> bool:
    """Wait until the process behind `pidfd` has exited, at most `timeout` seconds; return whether it has."""
    import select

    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(None if timeout is None else timeout * 1000))


def _stat(pid: int) -> list[str] | None:
    """Return the fields of `/proc/PID/stat` from field 3 on (the state), or None for a process that has ended."""
    try:
        text = files.read(f"/proc/{pid}/stat").decode("ascii", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # Field 2, the program's name, is in parentheses and may hold anything, further parentheses too.
    fields = text[text.rindex(")") + 2 :].split()
    # A zombie with more than one thread is a process whose first thread alone has ended.
    ended = fields[0] in "XZ" and int(fields[17]) <= 1
    return None if ended else fields
