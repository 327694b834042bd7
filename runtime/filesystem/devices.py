"""Devices: the default ones, those of the configuration, and the links in /dev (config-linux.md, Devices)."""

from __future__ import annotations

import os
import stat

from runtime.config.id_maps import host_id
from runtime.config.mount_options import MountOptions
from runtime.filesystem.paths import make_directory, open_in_root
from runtime.kernel import mount as kernel
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import Device
    from runtime.state.container import Container

DEFAULT_DEVICES: tuple[Device, ...] = (
    {"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o666},
    {"path": "/dev/zero", "type": "c", "major": 1, "minor": 5, "fileMode": 0o666},
    {"path": "/dev/full", "type": "c", "major": 1, "minor": 7, "fileMode": 0o666},
    {"path": "/dev/random", "type": "c", "major": 1, "minor": 8, "fileMode": 0o666},
    {"path": "/dev/urandom", "type": "c", "major": 1, "minor": 9, "fileMode": 0o666},
    {"path": "/dev/tty", "type": "c", "major": 5, "minor": 0, "fileMode": 0o666},
)
"""config-linux.md, Default Devices."""

DEV_SYMLINKS = (
    ("/proc/self/fd", "fd"),
    ("/proc/self/fd/0", "stdin"),
    ("/proc/self/fd/1", "stdout"),
    ("/proc/self/fd/2", "stderr"),
)
"""runtime-linux.md, Dev symbolic links."""

_TYPES = {"c": stat.S_IFCHR, "u": stat.S_IFCHR, "b": stat.S_IFBLK, "p": stat.S_IFIFO}


def make_device_sources(c: Container) -> None:
    """Make the nodes of `linux.devices` for a container with a new user namespace, where init can't make them.

    They are in a filesystem of their own, which is attached nowhere. So the container gets devices that the host has no
    file for, and each with its own mode and owner (as with crun). A caller who may make none has the host's files bound.
    """
    devices = c.linux.get("devices")
    if not devices or not c.has_new("user") or os.geteuid() != 0:
        return
    from runtime.filesystem.mounts import new_filesystem

    place = new_filesystem("tmpfs", "tmpfs", MountOptions(["mode=711"]))
    for index, device in enumerate(devices):
        name = str(index)
        try:
            os.mknod(name, _TYPES[device["type"]] | 0o600, _number(device), dir_fd=place)
        except PermissionError:
            # Root in a user namespace of the caller's.
            break
        os.chown(
            name,
            host_id(c.linux.get("uidMappings", ()), device.get("uid", 0)),
            host_id(c.linux.get("gidMappings", ()), device.get("gid", 0)),
            dir_fd=place,
        )
        os.chmod(name, stat.S_IMODE(device.get("fileMode", 0o666)), dir_fd=place)
    else:
        c.device_source = place
        return
    os.close(place)


def make_devices(c: Container) -> None:
    """Make the default devices and those of `linux.devices`.

    config-linux.md, Devices: "If a file already exists at `path` that does not match the requested device, the runtime
    MUST generate an error." A /dev that is bound from the host has its devices already.
    """
    devices = {device["path"]: device for device in DEFAULT_DEVICES}
    if _dev_is_bound(c):
        devices.clear()
    devices.update({os.path.normpath(device["path"]): device for device in c.linux.get("devices", ())})
    trees = _copy_device_sources(c)
    for device in devices.values():
        try:
            _make_device(c, device, trees)
        except OSError as error:
            raise RuntError(f"cannot make device {device['path']}: {describe(error)}") from error


def make_dev_symlinks(c: Container) -> None:
    """Make the links of /dev: `fd` and the standard streams where there is a /proc, and `ptmx`.

    runtime-linux.md, Dev symbolic links; config-linux.md, Default Devices: /dev/ptmx is that of the container's own
    devpts.
    """
    if _dev_is_bound(c):
        return
    directory = make_directory(c.root_fd, "/dev")
    for target, name in DEV_SYMLINKS:
        if _exists(c, "/proc/self/fd"):
            _make_link(target, name, directory)
    try:
        os.unlink("ptmx", dir_fd=directory)
    except FileNotFoundError:
        pass
    # Another container with the same root filesystem may be making it at this moment.
    _make_link("pts/ptmx", "ptmx", directory)
    os.close(directory)


def _copy_device_sources(c: Container) -> dict[str, int]:
    """Return a detached mount of each node that `make_device_sources` has made, by the path in the container.

    A detached filesystem can't be copied from before Linux 6.15: it is attached for that moment, over the root.
    """
    if c.device_source < 0:
        return {}
    kernel.move_mount(c.device_source, c.root_fd)
    trees = {
        os.path.normpath(device["path"]): kernel.open_tree(c.device_source, str(index))
        for index, device in enumerate(c.linux["devices"])
    }
    kernel.umount2(f"/proc/self/fd/{c.device_source}", kernel.MNT_DETACH)
    os.close(c.device_source)
    return trees


def _make_device(c: Container, device: Device, trees: dict[str, int]) -> None:
    directory, name = os.path.split(os.path.normpath(device["path"]))
    parent = make_directory(c.root_fd, directory)
    try:
        _make_node(device, parent, name)
    except FileExistsError:
        if _is_empty_file(parent, name):
            _bind_device(device, parent, name, trees)
        else:
            _check_device(device, parent, name)
    except PermissionError:
        # In a user namespace no device may be made: the one made for it, or the host's own, can be bound there.
        _bind_device(device, parent, name, trees)
    finally:
        os.close(parent)


def _is_empty_file(parent: int, name: str) -> bool:
    """Tell whether a file is the empty one that a runtime made to bind a device to."""
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    return stat.S_ISREG(status.st_mode) and status.st_size == 0


def _make_node(device: Device, parent: int, name: str) -> None:
    mode = device.get("fileMode", 0o666)
    # The mode is exact: init has no umask until the program's is set.
    os.mknod(name, _TYPES[device["type"]] | stat.S_IMODE(mode), _number(device), dir_fd=parent)
    os.chown(name, device.get("uid", 0), device.get("gid", 0), dir_fd=parent, follow_symlinks=False)


def _bind_device(device: Device, parent: int, name: str, trees: dict[str, int]) -> None:
    """Bind a device to the file `name` of the directory `parent`, made if it is missing; no link is followed."""
    tree = trees.pop(os.path.normpath(device["path"]), -1)
    if tree == -1:
        tree = kernel.open_tree(kernel.AT_FDCWD, device["path"])
        _check_device(device, tree, "")
    try:
        os.mknod(name, stat.S_IFREG | 0o644, dir_fd=parent)
    except FileExistsError:
        pass
    target = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    # As crun: a mount point of one file has the flags that /dev around it has.
    kernel.mount_setattr(tree, attr_set=kernel.ATTR_NOSUID | kernel.ATTR_NOEXEC)
    kernel.move_mount(tree, target)
    os.close(tree)
    os.close(target)


def _check_device(device: Device, parent: int, name: str) -> None:
    """Raise RuntError unless the existing file is the requested device."""
    status = os.stat(name, dir_fd=parent, follow_symlinks=False) if name else os.fstat(parent)
    same_type = stat.S_IFMT(status.st_mode) == _TYPES[device["type"]]
    if not same_type or (device["type"] != "p" and status.st_rdev != _number(device)):
        raise RuntError(
            f"{device['path']} exists already and is not the device {device['type']} "
            f"{device.get('major', 0)}:{device.get('minor', 0)}"
        )


def _number(device: Device) -> int:
    return 0 if device["type"] == "p" else os.makedev(device.get("major", 0), device.get("minor", 0))


def _dev_is_bound(c: Container) -> bool:
    """Tell whether the configuration binds a whole /dev, which must not be changed."""
    return any(
        os.path.normpath(mount["destination"]) == "/dev" and {"bind", "rbind"} & set(mount.get("options", ()))
        for mount in c.config.get("mounts", ())
    )


def _exists(c: Container, path: str) -> bool:
    try:
        os.close(open_in_root(c.root_fd, path))
    except OSError:
        return False
    return True


def _make_link(target: str, name: str, directory: int) -> None:
    """Make a symbolic link; a file of the image in its place stays."""
    try:
        os.symlink(target, name, dir_fd=directory)
    except FileExistsError:
        pass
