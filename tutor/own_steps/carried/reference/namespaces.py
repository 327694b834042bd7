"""The first process, its namespaces and its root: exercises `namespaces`, `hostname` and `root`."""

from __future__ import annotations

import os

from tutor.own_steps.carried.container import Container, ContainerError
from tutor.own_steps.carried.syscalls import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    MNT_DETACH,
    MS_BIND,
    MS_REC,
    MS_SLAVE,
    clone,
    mount,
    pivot_root,
    setdomainname,
    sethostname,
    setns,
    umount,
)

# namespaces


_NAMESPACES = {
    "mount": CLONE_NEWNS, "uts": CLONE_NEWUTS, "ipc": CLONE_NEWIPC, "pid": CLONE_NEWPID,
    "network": CLONE_NEWNET, "user": CLONE_NEWUSER, "cgroup": CLONE_NEWCGROUP,
}  # fmt: skip


def clone_init(c: Container) -> int:
    """Make the first process in the namespaces of `linux.namespaces`; return 0 in it, its pid in the runtime.

    An entry with a `path` is entered, any other is made anew; `cgroup` comes later (config-linux.md, Namespaces).
    """
    entries = [entry for entry in c.linux.get("namespaces", []) if entry["type"] != "cgroup"]
    flags = 0
    for entry in entries:
        if entry["type"] not in _NAMESPACES:
            raise ContainerError(f"unknown namespace: {entry['type']}")
        if "path" not in entry:
            flags |= _NAMESPACES[entry["type"]]
        elif entry["type"] == "pid":
            setns(entry["path"], CLONE_NEWPID)
    pid = clone(flags)
    if pid == 0:
        for entry in entries:
            if "path" in entry and entry["type"] != "pid":
                setns(entry["path"], _NAMESPACES[entry["type"]])
    return pid


# hostname


def set_hostname(c: Container) -> None:
    """Set host name and domain name, if config.json has them (config.md). ContainerError without a UTS namespace."""
    for member, call in (("hostname", sethostname), ("domainname", setdomainname)):
        if c.config.get(member):
            if c.namespace("uts") is None:
                raise ContainerError(f"{member} needs a uts namespace in linux.namespaces")
            call(c.config[member])


# root


def prepare_root(c: Container) -> None:
    """Untie all mounts from the host's (MS_SLAVE), and bind `c.rootfs` onto itself (mount_namespaces(7)).

    ContainerError without a mount namespace: the host's mounts would change.
    """
    if c.namespace("mount") is None:
        raise ContainerError("without a mount namespace the container would mount into the host")
    mount(None, "/", None, MS_REC | MS_SLAVE)
    mount(c.rootfs, c.rootfs, None, MS_BIND | MS_REC)


def switch_root(c: Container) -> None:
    """Make `c.rootfs` the root, take the old root away, and stand in the new one (pivot_root(2), notes)."""
    os.chdir(c.rootfs)
    pivot_root(".", ".")
    umount(".", MNT_DETACH)
    os.chdir("/")
