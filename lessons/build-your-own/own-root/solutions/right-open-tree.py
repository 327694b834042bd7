import ctypes
import os

from container import ContainerError
from syscalls import MNT_DETACH, MS_REC, MS_SLAVE, mount, pivot_root, umount

OPEN_TREE, MOVE_MOUNT = 428, 429  # the same numbers on every architecture
OPEN_TREE_CLONE, AT_RECURSIVE, MOVE_MOUNT_F_EMPTY_PATH, AT_FDCWD = 1, 0x8000, 4, -100


def call(*arguments):
    libc = ctypes.PyDLL(None, use_errno=True)
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = libc.syscall(*words)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def prepare_root(c):
    if c.namespace("mount") is None:
        raise ContainerError("no mount namespace")
    mount(None, "/", None, MS_REC | MS_SLAVE)
    path = os.fsencode(c.rootfs)
    tree = call(OPEN_TREE, AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE)
    call(MOVE_MOUNT, tree, b"", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH)
    os.close(tree)


def switch_root(c):
    os.chdir(c.rootfs)
    pivot_root(".", ".")
    umount(".", MNT_DETACH)
    os.chdir("/")
