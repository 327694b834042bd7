"""Mounts: the file descriptor based calls of Linux 5.2 and later, and the classic ones.

With the newer calls a mount is made detached, as a descriptor, gets its attributes there, and is attached to a place that
is a descriptor too. No path is walked twice, so no part of it can be exchanged in between.
"""

from __future__ import annotations

import os
import struct

from runtime.kernel.syscall import call

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000

# From mount(2):
MS_RDONLY = 1
MS_REMOUNT = 1 << 5
MS_BIND = 1 << 12
MS_REC = 1 << 14
MS_UNBINDABLE = 1 << 17
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20
MS_I_VERSION = 1 << 23

MNT_DETACH = 2
UMOUNT_NOFOLLOW = 8

# From mount_setattr(2):
ATTR_RDONLY = 0x1
ATTR_NOSUID = 0x2
ATTR_NODEV = 0x4
ATTR_NOEXEC = 0x8
ATTR_ATIME = 0x70
"""The three settings of access times are one field: to set one, the whole field is cleared first."""
ATTR_RELATIME = 0x0
ATTR_NOATIME = 0x10
ATTR_STRICTATIME = 0x20
ATTR_NODIRATIME = 0x80
ATTR_NOSYMFOLLOW = 0x200000
_ATTR_IDMAP = 0x100000

# From openat2(2):
RESOLVE_NO_XDEV = 0x01
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
RESOLVE_IN_ROOT = 0x10

# From statfs(2), f_type:
PROC_SUPER_MAGIC = 0x9FA0
DEVPTS_SUPER_MAGIC = 0x1CD1

_OPEN_TREE_CLONE = 1
_OPEN_TREE_CLOEXEC = os.O_CLOEXEC
_MOVE_MOUNT_F_EMPTY_PATH = 0x04
_MOVE_MOUNT_T_EMPTY_PATH = 0x40
_FSOPEN_CLOEXEC = 1
_FSMOUNT_CLOEXEC = 1
_FSCONFIG_SET_FLAG = 0
_FSCONFIG_SET_STRING = 1
_FSCONFIG_CMD_CREATE = 6
_OPEN_HOW = "=QQQ"
"""`struct open_how` of openat2(2): flags, mode, resolve."""
_MOUNT_ATTRIBUTES = "=QQQQ"
"""`struct mount_attr` of mount_setattr(2): attr_set, attr_clr, propagation, userns_fd."""


def openat2(directory: int, path: str, flags: int, resolve: int, mode: int = 0) -> int:
    """By openat2: open `path`, resolved from the descriptor `directory` with the flags `resolve`."""
    how = struct.pack(_OPEN_HOW, flags | os.O_CLOEXEC, mode, resolve)
    return call("openat2", directory, os.fsencode(path), how, len(how))


def open_tree(directory: int, path: str, *, recursive: bool = False) -> int:
    """By open_tree with OPEN_TREE_CLONE: return a detached copy (a bind mount) of what is at `path`.

    An empty `path` means `directory` itself.
    """
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC
    flags |= (AT_RECURSIVE if recursive else 0) | (0 if path else AT_EMPTY_PATH)
    return call("open_tree", directory, os.fsencode(path), flags)


def move_mount(tree: int, target: int) -> None:
    """By move_mount: attach (or move) the mount `tree` to the file or directory of the descriptor `target`."""
    call("move_mount", tree, b"", target, b"", _MOVE_MOUNT_F_EMPTY_PATH | _MOVE_MOUNT_T_EMPTY_PATH)


def mount_setattr(
    tree: int, *, attr_set: int = 0, attr_clear: int = 0, propagation: int = 0, recursive: bool = False
) -> None:
    """By mount_setattr: change the attributes (ATTR_*) and the propagation (MS_*) of the mount `tree`."""
    attributes = struct.pack(_MOUNT_ATTRIBUTES, attr_set, attr_clear, propagation, 0)
    flags = AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    call("mount_setattr", tree, b"", flags, attributes, len(attributes))


def map_ids(tree: int, user_namespace: int, *, recursive: bool = False) -> None:
    """By mount_setattr with MOUNT_ATTR_IDMAP: translate the owners of files of the detached mount `tree`.

    An ID of the filesystem is one inside the namespace of the descriptor; what is seen is its mapping outside.
    """
    attributes = struct.pack(_MOUNT_ATTRIBUTES, _ATTR_IDMAP, 0, 0, user_namespace)
    flags = AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    call("mount_setattr", tree, b"", flags, attributes, len(attributes))


def fsopen(kind: str) -> int:
    """By fsopen: begin a new mount of a filesystem of type `kind`."""
    return call("fsopen", os.fsencode(kind), _FSOPEN_CLOEXEC)


def fsconfig(context: int, key: str, value: str | None = None) -> None:
    """By fsconfig: set one parameter of a filesystem to be mounted; one without a value is a flag."""
    if value is None:
        call("fsconfig", context, _FSCONFIG_SET_FLAG, os.fsencode(key), None, 0)
    else:
        call("fsconfig", context, _FSCONFIG_SET_STRING, os.fsencode(key), os.fsencode(value), 0)


def fsmount(context: int) -> int:
    """By fsconfig with FSCONFIG_CMD_CREATE, then fsmount: return the new filesystem as a detached mount."""
    call("fsconfig", context, _FSCONFIG_CMD_CREATE, None, None, 0)
    return call("fsmount", context, _FSMOUNT_CLOEXEC, 0)


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """Call `mount` of section 2."""
    call("mount", os.fsencode(source), os.fsencode(target), os.fsencode(kind), flags, os.fsencode(data))


def umount2(target: str, flags: int) -> None:
    """Call `umount2` of section 2."""
    call("umount2", os.fsencode(target), flags)


def pivot_root(new_root: str, put_old: str) -> None:
    """Call `pivot_root` of section 2."""
    call("pivot_root", os.fsencode(new_root), os.fsencode(put_old))


def filesystem_type(file: str | int) -> int:
    """By statfs or fstatfs: return the magic number of the filesystem of a path or a descriptor."""
    answer = bytearray(256)
    if isinstance(file, int):
        call("fstatfs", file, answer)
    else:
        call("statfs", os.fsencode(file), answer)
    kind: int = struct.unpack_from("@l", answer)[0]
    return kind
