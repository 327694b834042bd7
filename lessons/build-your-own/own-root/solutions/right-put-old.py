import os

from container import ContainerError
from syscalls import MNT_DETACH, MS_BIND, MS_REC, MS_SLAVE, mount, pivot_root, umount


def prepare_root(c):
    if c.namespace("mount") is None:
        raise ContainerError("linux.namespaces has no mount namespace")
    mount(None, "/", None, MS_SLAVE | MS_REC)
    mount(c.rootfs, c.rootfs, None, MS_REC | MS_BIND)


def switch_root(c):
    put_old = os.path.join(c.rootfs, ".old-root")
    os.mkdir(put_old, 0o700)
    pivot_root(c.rootfs, put_old)
    os.chdir("/")
    umount("/.old-root", MNT_DETACH)
    os.rmdir("/.old-root")
