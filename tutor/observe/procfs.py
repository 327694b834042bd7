"""Reads `/proc/PID` of exactly one process, even if it ends and its pid is used again.

A directory descriptor of `/proc/PID` always refers to the same process: after its end, every read through the descriptor
fails with ESRCH instead of reading another process.
"""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING, Self

from tutor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

_ESCAPED = re.compile(r"\\([n\\])")


def decoded(raw: bytes) -> str:
    """Return bytes of a process as text to compare: control characters as they are, undecodable bytes as escapes."""
    return raw.decode("utf-8", "backslashreplace")


def text(raw: bytes) -> str:
    """Return bytes of the kernel as text that can be shown: undecodable and control characters as escapes.

    Paths and command lines of a container must not reach the terminal with control sequences.
    """
    return visible(decoded(raw))


def reason_of(error: OSError) -> str:
    """Return the errno's name, such as `EACCES`, for the message `observe.unreadable`."""
    return errno.errorcode.get(error.errno or 0, "EIO")


class ProcessDirectory:
    """An open `/proc/PID`; a context manager.

    Raises:
        OSError: there is no such process (ENOENT), or `/proc` hides it (`hidepid`).
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.unreadable: dict[str, str] = {}
        self._fd = os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)

    def read(self, name: str) -> bytes:
        """Return the content of a file of the process.

        Raises:
            OSError: it may not be read, or the process is gone (ESRCH, ENOENT).
        """
        fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._fd)
        try:
            pieces = []
            while piece := os.read(fd, 65536):
                pieces.append(piece)
        finally:
            os.close(fd)
        return b"".join(pieces)

    def read_or_note(self, name: str) -> bytes:
        """Return the content of a file; empty if it cannot be read, and `unreadable` keeps the reason."""
        try:
            return self.read(name)
        except OSError as error:
            self.unreadable[name] = reason_of(error)
            return b""

    def link(self, name: str) -> bytes:
        """Return where a symbolic link of the process points.

        Raises:
            OSError: it may not be read, or the process is gone.
        """
        return os.fsencode(os.readlink(name, dir_fd=self._fd))

    def link_or_note(self, name: str) -> str:
        """Return where a link points; empty if it cannot be read, and `unreadable` keeps the reason."""
        try:
            return text(self.link(name))
        except OSError as error:
            self.unreadable[name] = reason_of(error)
            return ""

    def names(self, name: str) -> list[str]:
        """Return the names in a directory of the process (`task`); none if it cannot be read."""
        try:
            fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._fd)
        except OSError:
            return []
        try:
            return os.listdir(fd)  # noqa: PTH208  (of a descriptor: pathlib has none)
        except OSError:
            return []
        finally:
            os.close(fd)

    def memory(self, spans: Iterable[tuple[int, int]]) -> list[bytes]:
        """Return pieces of the process's memory, each an address and a length; a piece that cannot be read is short.

        Needs the permission of ptrace(2) (PTRACE_MODE_ATTACH_FSCREDS), but does not stop or change the process.
        """
        try:
            fd = os.open("mem", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._fd)
        except OSError:
            return [b"" for _ in spans]
        try:
            return [_pread(fd, length, address) for address, length in spans]
        finally:
            os.close(fd)

    def threads(self) -> list[int]:
        """Return the thread ids, the main thread first; none if the process has ended."""
        return sorted(map(int, self.names("task")), key=lambda tid: (tid != self.pid, tid))


def _pread(fd: int, length: int, address: int) -> bytes:
    # Addresses are unsigned, offsets signed. The upper half is the kernel's; no argument of a call points there.
    if not 0 < address < 1 << 62:
        return b""
    page = -address % 4096 or 4096
    try:
        piece = os.pread(fd, min(length, page), address)
        if len(piece) == page < length:
            # The next page may not be mapped: keep the bytes before it.
            piece += _pread(fd, length - page, address + page)
    except OSError:
        return b""
    return piece


def status_fields(raw: bytes) -> dict[str, str]:
    """Return the fields of `/proc/PID/status` (proc_pid_status(5))."""
    fields = (line.partition(":") for line in raw.decode("utf-8", "backslashreplace").split("\n"))
    return {name: value.strip() for name, _, value in fields}


def name_of(status: dict[str, str]) -> str:
    """Return the process's name from `/proc/PID/comm`; in `status` the kernel escapes newlines and backslashes."""
    return _ESCAPED.sub(lambda match: "\n" if match[1] == "n" else "\\", status.get("Name", ""))


def start_time_of(stat: bytes) -> int:
    """Return field 22 of `/proc/PID/stat`, in clock ticks after boot; with the pid it identifies a process."""
    fields = stat[stat.rfind(b")") + 2 :].split()
    return int(fields[19]) if len(fields) > 19 else 0
