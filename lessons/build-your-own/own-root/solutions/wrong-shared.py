import os

from container import ContainerError
from syscalls import MNT_DETACH, MS_BIND, MS_REC, mount, pivot_root, umount


def prepare_root(c):
    if c.namespace("mount") is None:
        raise ContainerError("no mount namespace")
    mount(c.rootfs, c.rootfs, None, MS_BIND | MS_REC)


def switch_root(c):
    os.chdir(c.rootfs)
    pivot_root(".", ".")
    umount(".", MNT_DETACH)
    os.chdir("/")
