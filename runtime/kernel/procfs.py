"""Writing to files of /proc, after making sure that it is a procfs.

A mount namespace that is joined may have anything at /proc: a tmpfs, or another part of the procfs in the place of a file
(CVE-2019-16884, CVE-2023-27561, CVE-2025-52881). Writing there would have no effect, or another one. So every file is opened
beneath a descriptor that is known to be a procfs, without crossing to another mount or following a link.
"""

from __future__ import annotations

import os

from runtime.kernel import mount as kernel
from runtime.support.errors import RuntError

_ROOT_INODE = 1
_STAY = kernel.RESOLVE_BENEATH | kernel.RESOLVE_NO_SYMLINKS | kernel.RESOLVE_NO_XDEV


def check() -> None:
    """Raise RuntError unless /proc is a procfs, before links of descriptors are read there."""
    os.close(_open_root())


def write(path: str, data: str) -> None:
    """Write a file of /proc. Raises OSError, and RuntError when /proc is not a procfs."""
    base = _open_root()
    try:
        _write(base, path, data)
    finally:
        os.close(base)


def write_own(name: str, data: str) -> None:
    """Write a file of this process's directory in /proc. Raises OSError, and RuntError when /proc is not a procfs."""
    base = _open_root()
    try:
        # The pid of this process there need not be its pid here.
        _write(base, f"{os.readlink('self', dir_fd=base)}/{name}", data)
    finally:
        os.close(base)


def clear_environment() -> None:
    """Overwrite this process's initial environment with zeros: what /proc/PID/environ shows of it. Raises OSError."""
    with open("/proc/self/stat", "rb") as file:
        # proc(5): env_start and env_end are fields 50 and 51; the name in field 2 may have any character.
        fields = file.read().rpartition(b")")[2].split()
    begin, end = int(fields[47]), int(fields[48])
    memory = os.open("/proc/self/mem", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.pwrite(memory, bytes(end - begin), begin)
    finally:
        os.close(memory)


def _open_root() -> int:
    """Return a descriptor of /proc, which is the root of a procfs. Raises RuntError."""
    base = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    if kernel.filesystem_type(base) != kernel.PROC_SUPER_MAGIC or os.fstat(base).st_ino != _ROOT_INODE:
        os.close(base)
        raise RuntError("/proc is not a procfs")
    return base


def _write(base: int, path: str, data: str) -> None:
    fd = kernel.openat2(base, path, os.O_WRONLY, _STAY)
    try:
        os.write(fd, data.encode())
    finally:
        os.close(fd)
