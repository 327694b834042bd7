import os

from container import ContainerError
from syscalls import MS_BIND, MS_REC, MS_SLAVE, mount


def prepare_root(c):
    if c.namespace("mount") is None:
        raise ContainerError("no mount namespace")
    mount(None, "/", None, MS_REC | MS_SLAVE)
    mount(c.rootfs, c.rootfs, None, MS_BIND | MS_REC)


def switch_root(c):
    os.chroot(c.rootfs)
    os.chdir("/")
