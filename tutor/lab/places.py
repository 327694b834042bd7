"""Directories in which containers' root filesystems lie, made usable in the lab where the host mounts them `nodev` or the like.

A runtime makes device nodes in a root that has nothing mounted on /dev; on a mount with `nodev` (Debian 13's /tmp, hardened homes)
not even root can open them, and no container starts. With `noexec` no program runs, with `nosuid` no set-user-ID program works. In
the lab's own mount namespace these are taken off a bind mount of the directory; on the host nothing changes. Where the kernel refuses
that, or the filesystem itself has no devices (mounted in a user namespace), root filesystems are copied to a tmpfs of the lab's. An
ordinary user's program mounts that itself, before the lab is made: it is in a mount namespace of its own, and sees the copies too.
"""

from __future__ import annotations

import os
import stat
import subprocess
from contextlib import suppress
from typing import NamedTuple

from tutor.lab import kernel

_HINDRANCES = (
    ("nodev", os.ST_NODEV, kernel.MS_NODEV),
    ("noexec", os.ST_NOEXEC, kernel.MS_NOEXEC),
    ("nosuid", os.ST_NOSUID, kernel.MS_NOSUID),
)
_NULL = os.makedev(1, 3)
_ROOT = "rootfs"


class Place(NamedTuple):
    """A directory, the options that were taken off it, what still hinders containers in it, and the roots that are copies."""

    path: str
    freed: list[str]
    left: list[str]
    copied: list[str]


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
    # An option that hinders nothing here has not been taken off for that.
    return copy(path)._replace(freed=[name for name in found if name not in hindrances(path)])


def copy(path: str) -> Place:
    """Copy the root filesystems in a directory where something hinders containers in it; return what was done.

    Raises:
        OSError: it can't be examined.
    """
    left = _hindrances_and_devices(path)
    return Place(path, [], left, [root for root in _roots(path) if _copy_to_tmpfs(root)] if left else [])


def uncover(place: Place) -> None:
    """Unmount the copies of root filesystems; programs that use one keep it."""
    for root in place.copied:
        for _mount in ("the copy", "its tmpfs"):
            with suppress(OSError):
                kernel.unmount(root)


def _hindrances_and_devices(path: str) -> list[str]:
    found, opened = hindrances(path), _opens_devices(path)
    if opened is None:
        return [
            name for name in found if name != "nodev"
        ]  # no engine makes a device here: it binds the host's
    if not opened and "nodev" not in found:
        found.append("nodev")  # of the filesystem itself: one that was mounted in a user namespace
    return found


def _roots(path: str) -> list[str]:
    """Return the root filesystems of the bundles in a directory, or of the one bundle that it is."""
    with os.scandir(path) as entries:
        folders = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    candidates = [f"{folder}/{_ROOT}" for folder in (path, *sorted(folders))]
    return [each for each in candidates if os.path.isdir(each) and not os.path.islink(each)]  # noqa: PTH112, PTH114


def _copy_to_tmpfs(root: str) -> bool:
    """Mount a tmpfs with a copy of a root filesystem over it; return False, and leave it as it was, if that can't be done."""
    below = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        kernel.mount("oci-tutor-root", root, "tmpfs", 0, "mode=0755")
    except OSError:
        os.close(below)
        return False
    # What a container's mountinfo shows of its root is the path in the filesystem: let it end as it would without a tmpfs.
    inside = f"{root}/{os.path.basename(os.path.dirname(root))}/{_ROOT}"  # noqa: PTH119, PTH120  (starts fast)
    try:
        os.makedirs(inside)  # noqa: PTH103
        subprocess.run(
            ["cp", "-a", f"/proc/{os.getpid()}/fd/{below}/.", inside], stderr=subprocess.DEVNULL, check=True
        )
        if not _hindrances_and_devices(inside):
            kernel.mount(inside, root, flags=kernel.MS_BIND)
            return True
    except (OSError, subprocess.CalledProcessError):
        pass  # it is full, say: the root is used as it is
    finally:
        os.close(below)
    kernel.unmount(root)
    return False


def detach_devices(dev: str) -> None:
    """Unmount every device that an engine has bound to a file of the directory `dev`, the bundle's own.

    In a user namespace no device can be made, so an engine binds the host's. Without a mount namespace of its own the container
    leaves them there, and runc opens each when it comes again: /dev/tty, without a terminal, fails with ENXIO.
    """
    try:
        names = os.listdir(dev)  # noqa: PTH208  (starts fast)
    except OSError:
        return
    for name in names:
        path = f"{dev}/{name}"
        try:
            while stat.S_ISCHR(os.lstat(path).st_mode):
                kernel.unmount(path)
        except OSError:
            continue  # it is no mount: a device of the image itself


def _opens_devices(path: str) -> bool | None:
    """Return whether a device node made in a directory can be opened; None where none can be made."""
    name = f"{path}/.oci-tutor-null-{os.getpid()}"
    try:
        os.mknod(name, 0o600 | stat.S_IFCHR, _NULL)
    except OSError:
        return None
    try:
        os.close(os.open(name, os.O_RDWR))
    except OSError:
        return False
    finally:
        os.unlink(name)  # noqa: PTH108  (starts fast)
    return True
