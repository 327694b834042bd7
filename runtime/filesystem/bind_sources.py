"""The sources of bind mounts on the host, and mapping the owners of a mount's files.

config.md, Mounts: "Path values for bind mounts are either absolute or relative to the bundle". The copy of a source
(open_tree(2)) is not attached anywhere until `mounts` puts it into the container.
"""

from __future__ import annotations

import os

from runtime.config.mount_options import MountOptions
from runtime.id_mappings import user_namespace
from runtime.kernel import mount as kernel
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import Mount
    from runtime.state.container import Container

_TO_THE_HOST = ("shared", "rshared")


def open_bind_sources(c: Container) -> None:
    """Copy the sources of bind mounts now, where init can't, or not unchanged.

    The root of another user namespace may not be able to reach them, and may not map the IDs of a mount. With a shared
    root, what is mounted in the container below a shared bind mount must appear on the host: init's own mounts no longer
    propagate to the host's (`rootfs.detach_from_host_propagation`).
    """
    root_is_shared = c.linux.get("rootfsPropagation") in _TO_THE_HOST
    everything = os.geteuid() == 0 and (c.has_own("user") or root_is_shared)
    for index, mount in enumerate(c.config.get("mounts", ())):
        options = MountOptions(mount.get("options", ()))
        if options.bind and not options.remount and (everything or maps_ids(mount, options)):
            tree = c.bind_trees[index] = open_source(source_path(c, mount), options)
            if c.has_own("mount") and not root_is_shared:
                # As with copies that are made in init's own mount namespace.
                kernel.mount_setattr(tree, propagation=kernel.MS_SLAVE, recursive=True)


def map_ids_of_bind_sources(c: Container) -> None:
    """Map the owners of the files of bind mounts with `idmap` or `ridmap`."""
    for index, mount in enumerate(c.config.get("mounts", ())):
        options = MountOptions(mount.get("options", ()))
        if options.bind and not options.remount and maps_ids(mount, options):
            map_ids(mount, options, c.bind_trees[index], f"/proc/{c.init_pid}/ns/user")


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
