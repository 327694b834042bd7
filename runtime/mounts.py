"""The mounts of the configuration (config.md, Mounts).

Each one is made detached, gets its attributes there, and is then attached to its destination, which has been resolved
inside the container's root to a descriptor: see `kernel.mount` and `paths`.
"""

from __future__ import annotations

import os
import stat

from runtime.errors import RuntError, describe
from runtime.id_mappings import user_namespace
from runtime.kernel import mount as kernel
from runtime.labels import mount_context
from runtime.mount_options import MountOptions
from runtime.paths import is_directory, make_directory, make_file, open_in_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.container import Container
    from runtime.schema import Mount

_STRICT = ("proc", "sysfs")
"""Filesystems whose destination must not be reached by way of a symbolic link: others trust what is there."""


def open_bind_sources(c: Container) -> None:
    """Take copies of the sources of bind mounts, which the root of another user namespace may not be able to reach.

    config.md, Mounts: "Path values for bind mounts are either absolute or relative to the bundle", on the host, where
    the caller has rights that the container has not: those to map the IDs of a mount, too.
    """
    in_user_namespace = c.has_own("user") and os.geteuid() == 0
    for index, mount in enumerate(c.config.get("mounts", ())):
        options = MountOptions(mount.get("options", ()))
        if options.bind and not options.remount and (in_user_namespace or _maps_ids(mount, options)):
            c.bind_trees[index] = _open_source(_source_path(c, mount), options)


def map_ids_of_bind_sources(c: Container) -> None:
    """Map the owners of the files of bind mounts with `idmap` or `ridmap`.

    config.md, Linux mount options: by the mappings of the mount, or without any "the runtime MAY use the container's
    user namespace mapping". Only a mount that isn't attached yet can be mapped (mount_setattr(2)).
    """
    for index, mount in enumerate(c.config.get("mounts", ())):
        options = MountOptions(mount.get("options", ()))
        if not options.bind or options.remount or not _maps_ids(mount, options):
            continue
        try:
            if mount.get("uidMappings"):
                namespace = user_namespace(mount["uidMappings"], mount["gidMappings"])
            else:
                namespace = os.open(f"/proc/{c.init_pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
            kernel.map_ids(c.bind_trees[index], namespace, recursive=options.map_ids_recursively)
            os.close(namespace)
        except OSError as error:
            raise RuntError(
                f'cannot map the IDs of the mount at "{mount["destination"]}": {describe(error)}'
            ) from None


def mount_filesystems(c: Container) -> None:
    """Mount the filesystems of the configuration inside the container's root.

    config.md, Mounts: "The runtime MUST mount entries in the listed order."
    """
    for index, mount in enumerate(c.config.get("mounts", ())):
        kind = mount.get("type", "bind")
        try:
            options = MountOptions(mount.get("options", ()))
            if options.remount:
                _remount(c, mount, options)
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


def _mount_filesystem(c: Container, mount: Mount, options: MountOptions) -> None:
    """Mount a filesystem by its type."""
    kind = mount.get("type", "")
    target = _open_destination(c, mount)
    tree = new_filesystem(kind, mount.get("source", kind), options, mount_context(c, kind))
    if options.copy_up:
        _copy_up(c, mount, tree)
    _set_attributes(tree, options)
    kernel.move_mount(tree, target)
    if options.version:
        # The newer calls have no word for it; a remount has.
        kernel.mount("", f"/proc/self/fd/{tree}", "", kernel.MS_REMOUNT | options.remount_flags())
    os.close(tree)
    os.close(target)


def new_filesystem(kind: str, source: str, options: MountOptions, label: str | None = None) -> int:
    """Return a new mount of a filesystem of type `kind`, detached; `label` is for SELinux.

    Raises OSError, with what the filesystem said.
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
    path = _source_path(c, mount)
    if tree < 0:
        tree = _open_source(path, options)
    destination = mount["destination"]
    if is_directory(tree):
        target = make_directory(c.root_fd, destination)
    else:
        target = make_file(c.root_fd, destination)
        if is_directory(target):
            raise RuntError(f'"{path}" is a file and can\'t be mounted on the directory {destination}')
    _set_attributes(tree, options)
    kernel.move_mount(tree, target)
    os.close(tree)
    os.close(target)


def _mount_cgroup(c: Container, mount: Mount, options: MountOptions) -> None:
    """Show the container its own cgroups: one directory a hierarchy with cgroup v1, the one hierarchy with v2."""
    own = c.cgroup_directories
    if list(own) == [""]:
        tree = kernel.open_tree(kernel.AT_FDCWD, own[""])
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
    for name, directory in own.items():
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
                f"{mount.get('type')} must be mounted on an ordinary directory: "
                f"{destination} is a symbolic link in the root filesystem"
            ) from None
    return target


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


def _source_path(c: Container, mount: Mount) -> str:
    """Return the absolute path of a bind mount's source (relative ones are relative to the bundle)."""
    return os.path.join(c.bundle, mount.get("source", ""))


def _open_source(path: str, options: MountOptions) -> int:
    """Return a detached copy of what is at `path`. Raises OSError that names the source."""
    try:
        return kernel.open_tree(kernel.AT_FDCWD, path, recursive=options.recursive)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None


def _maps_ids(mount: Mount, options: MountOptions) -> bool:
    """Tell whether the owners of a mount's files are mapped; mappings without the option ask for it too."""
    return options.map_ids or bool(mount.get("uidMappings"))


def _copy_up(c: Container, mount: Mount, tree: int) -> None:
    """Copy what the image has at the destination into a new tmpfs (tmpcopyup)."""
    source = open_in_root(c.root_fd, mount["destination"], os.O_RDONLY | os.O_DIRECTORY)
    _copy_tree(source, tree)
    status = os.fstat(source)
    inside = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=tree)
    os.fchown(inside, status.st_uid, status.st_gid)
    os.fchmod(inside, stat.S_IMODE(status.st_mode))
    os.close(inside)
    os.close(source)


def _copy_tree(source: int, target: int) -> None:
    """Copy the content of the directory behind one descriptor into another; symbolic links are copied as such."""
    for name in os.listdir(source):
        status = os.stat(name, dir_fd=source, follow_symlinks=False)
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISDIR(status.st_mode):
            os.mkdir(name, mode, dir_fd=target)
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            below = os.open(name, flags, dir_fd=source), os.open(name, flags, dir_fd=target)
            _copy_tree(*below)
            for fd in below:
                os.close(fd)
        elif stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        elif stat.S_ISREG(status.st_mode):
            _copy_file(source, target, name, status.st_size)
        else:
            os.mknod(name, status.st_mode, status.st_rdev, dir_fd=target)
        os.chown(name, status.st_uid, status.st_gid, dir_fd=target, follow_symlinks=False)
        if not stat.S_ISLNK(status.st_mode):
            # After chown, which takes the set-user-ID bits away.
            os.chmod(name, mode, dir_fd=target)


def _copy_file(source: int, target: int, name: str, size: int) -> None:
    reader = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=source)
    writer = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=target)
    sent = 0
    while sent < size:
        count = os.sendfile(writer, reader, sent, size - sent)
        if count == 0:
            break
        sent += count
    os.close(reader)
    os.close(writer)


def _what_it_said(context: int) -> str:
    """Return the messages that a filesystem left for whoever configures it (fsopen(2))."""
    said = []
    while True:
        try:
            # Each begins with a letter for its kind: "e tmpfs: Unknown parameter 'x'".
            said.append(os.read(context, 4096).decode("utf-8", "replace")[2:].strip())
        except OSError:
            return "; ".join(said)
