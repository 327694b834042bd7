import os

from container import ContainerError
from syscalls import MNT_DETACH, MS_BIND, MS_PRIVATE, MS_REC, mount, pivot_root, umount


def make_mount_point(path):
    mount(path, path, "none", MS_BIND | MS_REC)


def prepare_root(c):
    if not c.namespace("mount"):
        raise ContainerError("a container without a mount namespace would mount on the host")
    mount("none", "/", None, MS_REC | MS_PRIVATE, None)
    make_mount_point(c.rootfs)


def switch_root(c):
    old = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    os.chdir(c.rootfs)
    pivot_root(".", ".")
    os.fchdir(old)
    umount(".", MNT_DETACH)
    os.close(old)
    os.chdir("/")
