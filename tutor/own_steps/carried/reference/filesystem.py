"""Mounts and devices: exercises `mounts` and `devices`."""

from __future__ import annotations

import os
import stat

from tutor.own_steps.carried.container import Container, inside
from tutor.own_steps.carried.syscalls import (
    MS_BIND,
    MS_DIRSYNC,
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_RELATIME,
    MS_REMOUNT,
    MS_SHARED,
    MS_SLAVE,
    MS_STRICTATIME,
    MS_SYNCHRONOUS,
    MS_UNBINDABLE,
    mount,
)

# mounts


_FLAGS = {
    "ro": MS_RDONLY, "nosuid": MS_NOSUID, "nodev": MS_NODEV, "noexec": MS_NOEXEC, "sync": MS_SYNCHRONOUS,
    "dirsync": MS_DIRSYNC, "noatime": MS_NOATIME, "nodiratime": MS_NODIRATIME, "relatime": MS_RELATIME,
    "strictatime": MS_STRICTATIME, "bind": MS_BIND, "rbind": MS_BIND | MS_REC,
}  # fmt: skip
_CLEARS = {
    "rw": MS_RDONLY, "suid": MS_NOSUID, "dev": MS_NODEV, "exec": MS_NOEXEC, "atime": MS_NOATIME, "defaults": 0,
}  # fmt: skip
_PROPAGATION = {
    "private": MS_PRIVATE, "slave": MS_SLAVE, "shared": MS_SHARED, "unbindable": MS_UNBINDABLE,
    "rprivate": MS_REC | MS_PRIVATE, "rslave": MS_REC | MS_SLAVE, "rshared": MS_REC | MS_SHARED,
    "runbindable": MS_REC | MS_UNBINDABLE,
}  # fmt: skip


def mount_filesystems(c: Container) -> None:
    """Mount what `mounts` of config.json lists, in its order, below `c.rootfs` (config.md, Mounts; mount(8))."""
    for entry in c.config.get("mounts", []):
        target = inside(c.rootfs, entry["destination"])
        flags, propagation, data = _options(entry.get("options", []))
        source, kind = entry.get("source", "none"), entry.get("type", "none")
        if kind == "bind" or flags & MS_BIND:
            source = os.path.join(c.bundle, source)
            make_target(target, directory=os.path.isdir(source))
            mount(source, target, None, MS_BIND | flags & MS_REC)
            _remount(target, flags)
        elif kind == "cgroup":
            _mount_cgroups(c, target, flags)
        else:
            make_target(target)
            mount(source, target, kind, flags, data)
        for each in propagation:
            mount(None, target, None, each)


def _options(options: list[str]) -> tuple[int, list[int], str]:
    flags = 0
    for option in options:
        flags = (flags | _FLAGS.get(option, 0)) & ~_CLEARS.get(option, 0)
    known = {**_FLAGS, **_CLEARS, **_PROPAGATION}
    data = [each for each in options if each not in known]
    return flags, [_PROPAGATION[each] for each in options if each in _PROPAGATION], ",".join(data)


def make_target(target: str, *, directory: bool = True) -> None:
    """Make the directory, or the empty file, that something is to be mounted on."""
    os.makedirs(target if directory else os.path.dirname(target), exist_ok=True)
    if not directory and not os.path.exists(target):
        open(target, "w").close()


def _remount(target: str, flags: int) -> None:
    """Give a bind mount flags; those that it has already must be named again (mount(2))."""
    has = os.statvfs(target).f_flag
    for name, flag in ((os.ST_NOSUID, MS_NOSUID), (os.ST_NODEV, MS_NODEV), (os.ST_NOEXEC, MS_NOEXEC)):
        flags |= flag if has & name else 0
    mount(None, target, None, MS_REMOUNT | MS_BIND | flags & ~MS_REC)


def _mount_cgroups(c: Container, target: str, flags: int) -> None:
    """Show the container its own cgroups: with v2 one directory, with v1 one for each controller in a tmpfs."""
    places = dict.fromkeys(c.cgroups, target)
    if len(places) > 1:
        make_target(target)
        mount("cgroup", target, "tmpfs", 0, "mode=755")
        places = {directory: os.path.join(target, directory.split("/")[4]) for directory in c.cgroups}
    for directory, place in places.items():
        make_target(place)
        mount(directory, place, None, MS_BIND)
        _remount(place, flags)
    if len(places) > 1:
        _remount(target, flags)


def protect_paths(c: Container) -> None:
    """Hide `linux.maskedPaths`, make `linux.readonlyPaths` and, where asked for, the root read-only."""
    for path in filter(os.path.exists, c.linux.get("readonlyPaths", [])):
        mount(path, path, None, MS_BIND | MS_REC)
        _remount(path, MS_RDONLY)
    for path in filter(os.path.exists, c.linux.get("maskedPaths", [])):
        if os.path.isdir(path):
            mount("tmpfs", path, "tmpfs", MS_RDONLY)
        else:
            mount("/dev/null", path, None, MS_BIND)
    if c.config["root"].get("readonly"):
        _remount("/", MS_RDONLY)


# devices


_DEVICES = {
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "tty": (5, 0),
}
_LINKS = {
    "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
}  # fmt: skip


def make_devices(c: Container) -> None:
    """Make the default devices, those of `linux.devices`, and the links in /dev (config-linux.md, Default Devices)."""
    devices = [
        {"path": f"/dev/{name}", "type": "c", "major": at[0], "minor": at[1]} for name, at in _DEVICES.items()
    ]
    for device in devices + c.linux.get("devices", []):
        path = _vacant(inside(c.rootfs, device["path"]))
        number = os.makedev(device.get("major", 0), device.get("minor", 0))
        kind = {"b": stat.S_IFBLK, "p": stat.S_IFIFO}.get(device["type"], stat.S_IFCHR)
        try:
            os.mknod(path, kind, number)
        except PermissionError:  # root of a user namespace can make none: show the host's there
            open(path, "w").close()
            mount(device["path"], path, None, MS_BIND)
            continue
        os.chmod(path, device.get("fileMode", 0o666))  # mknod's mode would lose what the umask forbids
        os.chown(path, device.get("uid", 0), device.get("gid", 0))
    links = {**_LINKS, "ptmx": "pts/ptmx"} if os.path.exists(inside(c.rootfs, "/dev/pts/ptmx")) else _LINKS
    for name, target in links.items():
        os.symlink(target, _vacant(os.path.join(inside(c.rootfs, "/dev"), name)))


def _vacant(path: str) -> str:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.unlink(path)
    return path
