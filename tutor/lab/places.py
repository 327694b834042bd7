"""Directories in which containers' root filesystems lie, made usable in the lab where the host mounts them `nodev` or the like.

A runtime makes device nodes in a root that has nothing mounted on /dev; on a mount with `nodev` (Debian 13's /tmp, hardened homes)
not even root can open them, and no container starts. With `noexec` no program runs, with `nosuid` no set-user-ID program works. In
the lab's own mount namespace these are taken off a bind mount of the directory; on the host nothing changes.
"""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from tutor.lab import kernel

_HINDRANCES = (
    ("nodev", os.ST_NODEV, kernel.MS_NODEV),
    ("noexec", os.ST_NOEXEC, kernel.MS_NOEXEC),
    ("nosuid", os.ST_NOSUID, kernel.MS_NOSUID),
)
_NULL = os.makedev(1, 3)


class Place(NamedTuple):
    """A directory, the options that were taken off it, and what still hinders containers in it."""

    path: str
    freed: list[str]
    left: list[str]


def hindrances(path: str) -> list[str]:
    """Return the mount options of a directory's filesystem that hinder containers whose root lies there.

    Raises:
        OSError: it can't be examined.
    """
    flags = os.statvfs(path).f_flag
    return [name for name, bit, _mount_flag in _HINDRANCES if flags & bit]


def free(path: str) -> Place:
    """Make a directory usable in this mount namespace, whose mounts must be private; return what was done.

    Raises:
        OSError: it can't be examined.
    """
    found = hindrances(path)
    if found:
        try:
            kernel.mount(path, path, flags=kernel.MS_BIND | kernel.MS_REC)
            kernel.mount("", path, flags=kernel.MS_REMOUNT | kernel.MS_BIND)
        except OSError:
            pass  # locked, since a more privileged user namespace made it (mount_namespaces(7))
    left = hindrances(path)
    if "nodev" not in left and not _can_open_devices(path):
        left.append("nodev")  # of the filesystem itself: one that was mounted in a user namespace
    return Place(path, [name for name in found if name not in left], left)


def _can_open_devices(path: str) -> bool:
    """Return whether a device node made in a directory can be opened; True also where none can be made."""
    name = f"{path}/.oci-tutor-null-{os.getpid()}"
    try:
        os.mknod(name, 0o600 | stat.S_IFCHR, _NULL)
    except OSError:
        return True
    try:
        os.close(os.open(name, os.O_RDWR))
    except OSError:
        return False
    finally:
        os.unlink(name)  # noqa: PTH108  (starts fast)
    return True
