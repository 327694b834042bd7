"""The system calls that Python 3.11 lacks, with types; nothing else."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 0x1, 0x2, 0x4, 0x8, 0x20
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 0x1000, 0x2000, 0x4000, 0x40000
MNT_DETACH, UMOUNT_NOFOLLOW = 2, 8
CAP_SYS_ADMIN = 21
CLONE_NEWCGROUP = 0x02000000
_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER = 1, 15, 24, 36
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 0x1

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, call: str) -> None:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), call)


def unshare(flags: int) -> None:
    """Move this process into new namespaces, or its next child for a PID namespace; `flags` are the CLONE_NEW constants above, or'ed (unshare(2)).

    Raises:
        OSError: EPERM without CAP_SYS_ADMIN, which a user namespace does not need; ENOSPC, there are as many as allowed.
    """
    _check(_libc.unshare(flags), "unshare")


def join_namespace(fd: int) -> None:
    """Join the namespace that `fd` (of `/proc/PID/ns/KIND`) refers to, whatever its kind: setns(2).

    Raises:
        OSError: EPERM without CAP_SYS_ADMIN, EINVAL from a process with several threads.
    """
    _check(_libc.setns(fd, 0), "setns")


def join_mount_namespace(fd: int) -> None:
    """Join the mount namespace that `fd` (of `/proc/PID/ns/mnt`) refers to: setns(2).

    Raises:
        OSError: EPERM without CAP_SYS_ADMIN, EINVAL from a process with several threads.
    """
    _check(_libc.setns(fd, CLONE_NEWNS), "setns(CLONE_NEWNS)")


def join_user_namespace(fd: int) -> None:
    """Join the user namespace that `fd` (of `/proc/PID/ns/user`) refers to: setns(2).

    Raises:
        OSError: EPERM without CAP_SYS_ADMIN in it, EINVAL from a process with several threads.
    """
    _check(_libc.setns(fd, CLONE_NEWUSER), "setns(CLONE_NEWUSER)")


def mount(source: str, target: str, filesystem: str = "", flags: int = 0, data: str = "") -> None:
    """Attach a file system to the tree (see the manual page in section 2); `flags` are the MS_ constants above, or'ed.

    Raises:
        OSError: the kernel refused; `filename` names the call and the target.
    """
    arguments = (
        source.encode(),
        os.fsencode(target),
        filesystem.encode(),
        ctypes.c_ulong(flags),
        data.encode(),
    )
    _check(_libc.mount(*arguments), f"mount({target})")


def unmount(target: str) -> None:
    """Detach the topmost mount on `target`, busy or not: umount2(2) with MNT_DETACH. A link is not followed.

    Raises:
        OSError: the kernel refused; `filename` names the call and the target.
    """
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH | UMOUNT_NOFOLLOW), f"umount({target})")


def make_read_only(target: str) -> None:
    """Make a mount and all below it read-only: mount_setattr(2), Linux 5.12.

    Raises:
        OSError: the kernel refused; `filename` names the call and the target.
    """
    attributes = struct.pack("=QQQQ", _MOUNT_ATTR_RDONLY, 0, 0, 0)
    number = ctypes.c_long(_MOUNT_SETATTR)  # the same on every architecture
    arguments = (_AT_FDCWD, os.fsencode(target), _AT_RECURSIVE, attributes, ctypes.c_size_t(len(attributes)))
    _check(_libc.syscall(number, *arguments), f"mount_setattr({target})")


def drop_from_bounding_set(capability: int) -> None:
    """Take a capability from what programs can get that this process executes: prctl(2), PR_CAPBSET_DROP; no error if there is none.

    Raises:
        OSError: EPERM without CAP_SETPCAP.
    """
    if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == -1 and ctypes.get_errno() != errno.EINVAL:
        _check(-1, "prctl(PR_CAPBSET_DROP)")


def become_subreaper() -> None:
    """Adopt every orphan among this process's descendants: prctl(2), PR_SET_CHILD_SUBREAPER."""
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl(PR_SET_CHILD_SUBREAPER)")


def die_with_parent() -> None:
    """Have the kernel send SIGKILL to this process when its parent has ended: prctl(2), PR_SET_PDEATHSIG."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")


def set_process_name(name: str) -> None:
    """Set the name that ps(1) shows, at most 15 bytes: prctl(2), PR_SET_NAME."""
    _check(_libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0), "prctl(PR_SET_NAME)")


def has_capability(number: int) -> bool:
    """Return whether a capability (capabilities(7)) is in this process's effective set."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:  # noqa: PTH123  (starts fast: no pathlib)
        line = next(line for line in file if line.startswith("CapEff:"))
    return bool(int(line.split()[1], 16) >> number & 1)
