"""The sources of bind mounts on the host, and mapping the owners of a mount's files.

config.md, Mounts: "Path values for bind mounts are either absolute or relative to the bundle". The copy of a source
(open_tree(2)) is not attached anywhere until `mounts` puts it into the container.
"""

from __future__ import annotations

import os

from runtime.config.mount_options import MountOptions
from runtime.filesystem.paths import open_in_root
from runtime.id_mappings import user_namespace
from runtime.kernel import mount as kernel
from runtime.state.sync import PeerGoneError
from runtime.support.errors import RuntError, describe
from runtime.support.sockets import receive_descriptor, send_descriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import Mount
    from runtime.state.container import Container

_TO_THE_HOST = ("shared", "rshared")


def open_bind_sources(c: Container) -> None:
    """Copy the sources of bind mounts now, where init can't, or not unchanged.

    The root of another user namespace may not be able to reach them, and may not map the IDs of a mount. With a shared
    root, what is mounted in the container below a shared bind mount must appear on the host: init's own mounts no longer
    propagate to the host's (`rootfs.detach_from_host_propagation`). What is below the container's root comes later
    (`open_later_sources`).
    """
    root_is_shared = c.linux.get("rootfsPropagation") in _TO_THE_HOST
    everything = os.geteuid() == 0 and (c.has_own("user") or root_is_shared)
    for index, mount in enumerate(c.config.get("mounts", ())):
        options = MountOptions(mount.get("options", ()))
        if not options.bind or options.remount:
            continue
        if options.copy_link and os.path.islink(source_path(c, mount)):
            c.link_targets[index] = os.readlink(source_path(c, mount))
        elif path_below_root(c, mount) is not None:
            # For `receive_descriptor`: init loads nothing.
            import _socket  # noqa: F401
        elif everything or maps_ids(mount, options):
            tree = c.bind_trees[index] = open_source(source_path(c, mount), options)
            if c.has_own("mount") and not root_is_shared:
                # As with copies that are made in init's own mount namespace.
                kernel.mount_setattr(tree, propagation=kernel.MS_SLAVE, recursive=True)


def map_ids_of_bind_sources(c: Container) -> None:
    """Map the owners of the files of bind mounts with `idmap` or `ridmap`."""
    for index, mount in enumerate(c.config.get("mounts", ())):
        options = MountOptions(mount.get("options", ()))
        if index in c.bind_trees and maps_ids(mount, options):
            map_ids(mount, options, c.bind_trees[index], f"/proc/{c.init_pid}/ns/user")


def open_later_sources(c: Container) -> None:
    """Open the sources below the container's root for init, one after the other when it asks for them.

    The root of another user namespace may not be able to reach them, nor to map IDs.
    """
    for index, mount in enumerate(c.config.get("mounts", ())):
        options = MountOptions(mount.get("options", ()))
        path = path_below_root(c, mount) if options.bind and not options.remount else None
        if path is None or index in c.link_targets:
            continue
        number = c.sync.expect("open source")["root"]
        root = os.open(f"/proc/{c.init_pid}/fd/{number}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            source = open_in_root(root, path)
        except OSError as error:
            reason = describe(OSError(error.errno, error.strerror, mount["source"]))
            raise RuntError(
                f'cannot open the source of the mount at "{mount["destination"]}": {reason}'
            ) from None
        send_descriptor(c.sync.fd, source, "source")
        if maps_ids(mount, options):
            number = c.sync.expect("map")["tree"]
            tree = os.open(f"/proc/{c.init_pid}/fd/{number}", os.O_PATH | os.O_CLOEXEC)
            map_ids(mount, options, tree, f"/proc/{c.init_pid}/ns/user")
            c.sync.send("mapped")
            os.close(tree)
        os.close(source)
        os.close(root)


def copy_later_source(c: Container, mount: Mount, options: MountOptions) -> int:
    """Return a detached copy, taken by init, of a source below the container's root.

    "The runtime MUST mount entries in the listed order": it may be what an earlier one has mounted there.
    """
    c.sync.send("open source", root=c.root_fd)
    source = receive_descriptor(c.sync.fd)
    if source < 0:
        raise PeerGoneError
    tree = kernel.open_tree(source, "", recursive=options.recursive)
    os.close(source)
    if maps_ids(mount, options):
        c.sync.send("map", tree=tree)
        c.sync.expect("mapped")
    return tree


def path_below_root(c: Container, mount: Mount) -> str | None:
    """Return the path inside the container's root of a source that is to be copied only when its turn comes.

    None for one elsewhere, and where init can and may reach the source by its path on the host.
    """
    options = MountOptions(mount.get("options", ()))
    if not c.has_own("mount") or not (c.has_own("user") or maps_ids(mount, options)):
        return None
    path = os.path.normpath(source_path(c, mount))
    root = c.rootfs.rstrip("/")
    return path[len(root) :] if path.startswith(f"{root}/") else None


def maps_ids(mount: Mount, options: MountOptions) -> bool:
    """Tell whether the owners of a mount's files are mapped: by the option, or by mappings without it."""
    return options.map_ids or bool(mount.get("uidMappings"))


def map_ids(mount: Mount, options: MountOptions, tree: int, own_namespace: str) -> None:
    """Map the owners of the files of a mount, which must not be attached yet (mount_setattr(2)).

    config.md, Linux mount options: by the mappings of the mount, or without any "the runtime MAY use the container's
    user namespace mapping", which is found at the path `own_namespace`. Raises RuntError.
    """
    try:
        if mount.get("uidMappings"):
            namespace = user_namespace(mount["uidMappings"], mount["gidMappings"])
        else:
            namespace = os.open(own_namespace, os.O_RDONLY | os.O_CLOEXEC)
        kernel.map_ids(tree, namespace, recursive=options.map_ids_recursively)
        os.close(namespace)
    except OSError as error:
        raise RuntError(
            f'cannot map the IDs of the mount at "{mount["destination"]}": {describe(error)}'
        ) from None


def source_path(c: Container, mount: Mount) -> str:
    """Return the absolute path of a bind mount's source (relative ones are relative to the bundle)."""
    return os.path.join(c.bundle, mount.get("source", ""))


def open_source(path: str, options: MountOptions) -> int:
    """Return a detached copy of what is at `path`. Raises OSError that names the source."""
    try:
        return kernel.open_tree(kernel.AT_FDCWD, path, recursive=options.recursive)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
