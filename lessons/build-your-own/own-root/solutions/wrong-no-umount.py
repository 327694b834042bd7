import os

from container import ContainerError
from syscalls import MS_BIND, MS_REC, MS_SLAVE, mount, pivot_root


def prepare_root(c):
    if c.namespace("mount") is None:
        raise ContainerError("no mount namespace")
    mount(None, "/", None, MS_REC | MS_SLAVE)
    mount(c.rootfs, c.rootfs, None, MS_BIND | MS_REC)


def switch_root(c):
    put_old = os.path.join(c.rootfs, ".old-root")
    os.makedirs(put_old, exist_ok=True)
    pivot_root(c.rootfs, put_old)
    os.chdir("/")
