"""The mounts of the configuration (config.md, Mounts).

Each one is made detached, gets its attributes there, and is then attached to its destination, which has been resolved
inside the container's root to a descriptor: see `kernel.mount` and `paths`.
"""

from __future__ import annotations

import os
import stat

from runtime.config.mount_options import MountOptions
from runtime.filesystem.bind_sources import (
    copy_later_source,
    map_ids,
    maps_ids,
    open_source,
    path_below_root,
    source_path,
)
from runtime.filesystem.copy_up import copy_up
from runtime.filesystem.paths import (
    is_directory,
    make_directory,
    make_file,
    make_link,
    open_in_root,
    path_in_root,
)
from runtime.kernel import mount as kernel
from runtime.kernel import procfs
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import Mount
    from runtime.state.container import Container

_STRICT = ("proc", "sysfs")
"""Filesystems whose destination must not be reached by a symbolic link: programs trust what is there."""

_IN_PROC = (
    *("cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo"),
    *("sys/kernel/ns_last_pid", "sys/crypto/fips_enabled"),
)
"""What may be mounted on below /proc, as with runc: files that lxcfs replaces. The rest must be the kernel's."""

_PROC_ROOT_INODE = 1

_NOT_RELABELLED = ("proc", "sysfs", "cgroup", "mqueue")
"""Filesystems that take no `context` option: SELinux has labels of its own for what is in them."""


def mount_filesystems(c: Container) -> None:
    """Mount the filesystems of the configuration inside the container's root.

    config.md, Mounts: "The runtime MUST mount entries in the listed order."
    """
    if c.config.get("mounts") and "mount" in c.joined:
        # /proc may be a fake there: descriptors must not be resolved by it.
        procfs.check()
    for index, configured in enumerate(c.config.get("mounts", ())):
        mount = _without_root(c, configured)
        kind = mount.get("type", "bind")
        try:
            options = MountOptions(mount.get("options", ()))
            if options.remount:
                _remount(c, mount, options)
            elif index in c.link_targets:
                make_link(c.root_fd, mount["destination"], c.link_targets[index])
            elif options.bind:
                _mount_bind(c, mount, options, c.bind_trees.pop(index, -1))
            elif kind == "cgroup":
                _mount_cgroup(c, mount, options)
            else:
                _mount_filesystem(c, mount, options)
        except OSError as error:
            what = mount.get("source", kind)
            raise RuntError(
                f'error mounting "{what}" to rootfs at "{mount["destination"]}" (type {kind}): {describe(error)}'
            ) from error


def _without_root(c: Container, mount: Mount) -> Mount:
    """Return a mount whose destination is a path in the container, also where the host's path of its root stands before it.

    As with runc (up to 1.5); "destination of mount point: path inside container" (config.md, Mounts).
    """
    root = c.rootfs.rstrip("/")
    destination = mount["destination"]
    if root and destination.startswith(f"{root}/"):
        return {**mount, "destination": destination[len(root) :]}
    return mount


def _mount_filesystem(c: Container, mount: Mount, options: MountOptions) -> None:
    """Mount a filesystem by its type."""
    kind = mount.get("type", "")
    if kind == "tmpfs":
        options.data += _mode_of_directory(c, mount["destination"], options)
    target = _open_destination(c, mount)
    _check_proc(c, target, is_proc=kind == "proc")
    # Read-only later: mount points and devices are still to be made in it.
    becomes_readonly = _is_filled_later(mount) and options.hold_back_readonly()
    tree = new_filesystem(kind, mount.get("source", kind), options, _mount_context(c, kind))
    if options.copy_up:
        copy_up(c, mount["destination"], tree)
    if maps_ids(mount, options):
        map_ids(mount, options, tree, "/proc/self/ns/user")
    _set_attributes(tree, options)
    kernel.move_mount(tree, target)
    if options.version:
        # The newer calls have no flag for it; a remount has.
        kernel.mount("", f"/proc/self/fd/{tree}", "", kernel.MS_REMOUNT | options.remount_flags())
    if becomes_readonly:
        c.readonly_mounts.append(tree)
    else:
        os.close(tree)
    os.close(target)


def _mode_of_directory(c: Container, destination: str, options: MountOptions) -> list[str]:
    """Return the option that gives a tmpfs without `mode` that of the directory it hides; a new one is 1777, as always.

    As with runc and crun since 1.11: else what the image keeps for itself would be writable to all, such as /run.
    """
    if any(option.partition("=")[0] == "mode" for option in options.data):
        return []
    try:
        directory = open_in_root(c.root_fd, destination)
    except OSError:
        return []
    mode = os.fstat(directory).st_mode
    os.close(directory)
    return [f"mode={stat.S_IMODE(mode):o}"]


def _mount_context(c: Container, kind: str) -> str | None:
    """Return the label for the files of a new filesystem of type `kind` (config-linux.md, Mount Label), if there is one."""
    return None if kind in _NOT_RELABELLED else c.linux.get("mountLabel")


def make_mounts_readonly(c: Container) -> None:
    """Make the mounts read-only that had to be writable until now."""
    for tree in c.readonly_mounts:
        kernel.mount_setattr(tree, attr_set=kernel.ATTR_RDONLY)
        os.close(tree)
    c.readonly_mounts.clear()


def new_filesystem(kind: str, source: str, options: MountOptions, label: str | None = None) -> int:
    """Return a new mount of a filesystem of type `kind`, detached; `label` is for SELinux.

    Raises OSError, with the messages of the filesystem.
    """
    context = kernel.fsopen(kind)
    try:
        kernel.fsconfig(context, "source", source)
        for option in options.superblock:
            kernel.fsconfig(context, option)
        if label:
            kernel.fsconfig(context, "context", label)
        for option in options.data:
            key, separator, value = option.partition("=")
            kernel.fsconfig(context, key, value if separator else None)
        return kernel.fsmount(context)
    except OSError as error:
        said = _what_it_said(context)
        if said:
            raise OSError(error.errno, f"{os.strerror(error.errno or 0)}: {said}") from None
        raise
    finally:
        os.close(context)


def _mount_bind(c: Container, mount: Mount, options: MountOptions, tree: int) -> None:
    """Mount what is at a path of the host: `tree` is a copy of it, or -1 if none has been taken yet."""
    path = source_path(c, mount)
    if tree < 0:
        is_later = path_below_root(c, mount) is not None
        tree = copy_later_source(c, mount, options) if is_later else open_source(path, options)
    destination = mount["destination"]
    if is_directory(tree):
        target = make_directory(c.root_fd, destination)
    else:
        target = make_file(c.root_fd, destination)
        if is_directory(target):
            raise RuntError(f'"{path}" is a file and can\'t be mounted on the directory {destination}')
    is_proc = kernel.filesystem_type(tree) == kernel.PROC_SUPER_MAGIC
    _check_proc(c, target, is_proc=is_proc and os.fstat(tree).st_ino == _PROC_ROOT_INODE)
    _set_flags_of_bind(tree, options, locked=c.has_own("user"))
    kernel.move_mount(tree, target)
    os.close(tree)
    os.close(target)


def _set_flags_of_bind(tree: int, options: MountOptions, *, locked: bool) -> None:
    """Set the attributes of a bind mount that is still detached; flags of its source that are `locked` stay."""
    asked = options.attributes
    options.clear_others(locked=locked)
    try:
        _set_attributes(tree, options)
    except PermissionError:
        if locked:
            raise
        # They are locked by a user namespace around this runtime (mount_namespaces(7)).
        options.attributes = asked
        _set_flags_of_bind(tree, options, locked=True)


def _mount_cgroup(c: Container, mount: Mount, options: MountOptions) -> None:
    """Show the container its own cgroups, one directory a hierarchy, with cgroup v1; the one hierarchy with v2."""
    shown = c.cgroup.shown
    if list(shown) == [""]:
        tree = _version2_of_namespace(c, shown[""])
        target = _open_destination(c, mount)
        _set_attributes(tree, options)
        kernel.move_mount(tree, target)
        os.close(tree)
        os.close(target)
        return
    target = _open_destination(c, mount)
    plain = MountOptions(["nosuid", "nodev", "noexec", "mode=755"])
    parent = new_filesystem("tmpfs", "tmpfs", plain)
    kernel.mount_setattr(parent, attr_set=plain.attributes[0])
    kernel.move_mount(parent, target)
    for name, directory in shown.items():
        os.mkdir(name, 0o755, dir_fd=parent)
        place = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=parent)
        tree = kernel.open_tree(kernel.AT_FDCWD, directory)
        _set_attributes(tree, options)
        kernel.move_mount(tree, place)
        os.close(tree)
        os.close(place)
        for controller in name.split(","):
            if controller != name:
                os.symlink(name, controller, dir_fd=parent)
    _set_attributes(parent, options)
    os.close(parent)
    os.close(target)


def _version2_of_namespace(c: Container, shown: str) -> int:
    """Return the hierarchy of cgroup v2 from the root of the container's cgroup namespace down, as a detached mount.

    It is mounted already, that root at `shown`, but for another namespace that was joined. A new filesystem would do everywhere,
    as with runc; but in the machine's first namespace its options become those of the whole machine, which so loses
    `nsdelegate` (opencontainers/runc#5258).
    """
    if c.joins_cgroup_namespace():
        try:
            return new_filesystem("cgroup2", "cgroup", MountOptions(()))
        except PermissionError:
            # In a user namespace that the cgroup namespace does not belong to.
            pass
    return kernel.open_tree(kernel.AT_FDCWD, shown)


def _remount(c: Container, mount: Mount, options: MountOptions) -> None:
    """Change an existing mount: its attributes and, unless it is a bind mount, its filesystem's options too."""
    target = open_in_root(c.root_fd, mount["destination"])
    if not options.bind:
        flags = kernel.MS_REMOUNT | options.remount_flags()
        kernel.mount("", f"/proc/self/fd/{target}", "", flags, ",".join(options.data))
    _set_attributes(target, options)
    os.close(target)


def _open_destination(c: Container, mount: Mount) -> int:
    """Return a descriptor of the directory to mount on, made if it is missing."""
    destination = mount["destination"]
    target = make_directory(c.root_fd, destination)
    if mount.get("type") in _STRICT:
        os.close(target)
        try:
            target = open_in_root(c.root_fd, destination, resolve=kernel.RESOLVE_NO_SYMLINKS)
        except OSError:
            raise RuntError(
                f"{mount.get('type')} must be mounted on ordinary directory: "
                f"{destination} is a symbolic link in the root filesystem"
            ) from None
    return target


def _is_filled_later(mount: Mount) -> bool:
    return mount.get("type") == "tmpfs" or os.path.normpath(mount["destination"]) in ("/dev", "dev")


def _check_proc(c: Container, target: int, *, is_proc: bool) -> None:
    """Raise RuntError unless /proc of the container stays the kernel's own: CVE-2019-16884, CVE-2019-19921.

    Security modules trust what is there, and so do programs that read it. What counts is where the
    descriptor `target` is, whatever links led there.
    """
    place = path_in_root(c.root_fd, target)
    if place == "/proc":
        if not is_proc:
            raise RuntError('"/proc" cannot be mounted because it is not of type proc')
    elif place.startswith("/proc/") and place.removeprefix("/proc/") not in _IN_PROC:
        raise RuntError(f'"{place}" cannot be mounted because it is inside /proc')


def _set_attributes(tree: int, options: MountOptions) -> None:
    """Set the attributes and the propagation of a mount that is still detached."""
    attr_set, attr_clear = options.attributes
    if attr_set or attr_clear:
        kernel.mount_setattr(tree, attr_set=attr_set, attr_clear=attr_clear)
    attr_set, attr_clear = options.recursive_attributes
    if attr_set or attr_clear:
        kernel.mount_setattr(tree, attr_set=attr_set, attr_clear=attr_clear, recursive=True)
    for propagation, recursive in options.propagation:
        kernel.mount_setattr(tree, propagation=propagation, recursive=recursive)


def _what_it_said(context: int) -> str:
    """Return the messages that a filesystem left for its configuration (fsopen(2))."""
    said = []
    while True:
        try:
            # Each begins with a letter for its kind: "e tmpfs: Unknown parameter 'x'".
            said.append(os.read(context, 4096).decode("utf-8", "replace")[2:].strip())
        except OSError:
            return "; ".join(said)
