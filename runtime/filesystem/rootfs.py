"""The container's root: from a directory of the host to `/` (config.md, Root; config-linux.md, Rootfs Mount Propagation)."""

from __future__ import annotations

import errno
import os

from runtime.config.mount_options import PROPAGATION
from runtime.kernel import mount as kernel
from runtime.state.store import Store
from runtime.support.errors import RuntError, describe
from runtime.support.files import mountinfo, unescape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.container import Container


def bind_root_in_callers_namespace(c: Container) -> None:
    """Without a mount namespace: make the root a mount of its own in the caller's, after recording it.

    runtime.md, Delete: "Deleting a container MUST delete the resources that were created during the create step."
    Everything that the container mounts will be below this one mount and goes away with it.
    """
    if c.has_own("mount"):
        return
    tree = kernel.open_tree(kernel.AT_FDCWD, c.rootfs, recursive=True)
    # What is mounted below must not show up a second time in the directory that lies under this mount.
    kernel.mount_setattr(tree, propagation=kernel.MS_PRIVATE, recursive=True)
    place = c.rootfs
    if _is_root_of_another(c):
        # On top of theirs it would prevent their unmounting when they are deleted first.
        place = f"{c.entry.dir}/rootfs"
        os.mkdir(place, 0o700)
    c.entry.save(mounts=[f"{mount_id(tree)} {place}"])
    _attach(tree, place)
    c.root_fd = tree


def detach_from_host_propagation(c: Container) -> None:
    """Keep the container's mounts from propagating to the host; the host's may still propagate to the container.

    config-linux.md, Rootfs Mount Propagation; mount_namespaces(7). A new mount namespace begins with copies of the
    host's mounts that share their events with the originals.
    """
    if c.has_own("mount"):
        root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        kernel.mount_setattr(root, propagation=kernel.MS_SLAVE, recursive=True)
        os.close(root)


def bind_root(c: Container) -> None:
    """Make the root filesystem a mount of its own: only a mount can become the new root (pivot_root(2)).

    Done while init still is the caller's user, which can reach the directory. From here on everything is found from the
    descriptor of this mount.
    """
    if not c.has_own("mount"):
        return
    try:
        tree = kernel.open_tree(kernel.AT_FDCWD, c.rootfs, recursive=True)
    except OSError as error:
        # In a mount namespace that is joined, what can be seen there has been decided already.
        where = ", seen from the mount namespace that is joined" if not c.has_new("mount") else ""
        raise RuntError(f"cannot make a mount of the root {c.rootfs}{where}: {describe(error)}") from None
    if c.linux.get("rootfsPropagation") not in ("slave", "rslave"):
        kernel.mount_setattr(tree, propagation=kernel.MS_PRIVATE, recursive=True)
    _attach(tree, c.rootfs)
    c.root_fd = tree


def pivot_root(c: Container) -> None:
    """Make the container's root the root of the mount namespace, and unmount the host's.

    config.md, Root; pivot_root(2). The old root is mounted on top of the new one, and is unmounted from
    there. Without a mount namespace of the container's only this process's root changes (chroot(2)); with --no-pivot, for a host
    whose root is a ramfs, the root is moved over `/` instead.
    """
    os.fchdir(c.root_fd)
    if not c.has_own("mount"):
        os.chroot(".")
    elif c.options.no_pivot:
        _unmount_host_filesystems(c)
        root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        kernel.move_mount(c.root_fd, root)
        os.chroot(".")
        os.close(root)
    else:
        old_root = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        kernel.pivot_root(".", ".")
        os.fchdir(old_root)
        # Unmounting must not propagate to where the old root came from.
        kernel.mount("", ".", "", kernel.MS_SLAVE | kernel.MS_REC)
        kernel.umount2(".", kernel.MNT_DETACH)
        os.close(old_root)
    os.chdir("/")


def set_root_propagation(c: Container) -> None:
    """Give the root mount its propagation type (config-linux.md, Rootfs Mount Propagation).

    With an `r` in front, as Docker may write it, all that is mounted below gets it too.
    """
    name = c.linux.get("rootfsPropagation")
    if name is not None:
        propagation = PROPAGATION[name.removeprefix("r")]
        kernel.mount_setattr(c.root_fd, propagation=propagation, recursive=name.startswith("r"))


def make_root_readonly(c: Container) -> None:
    """Make the root read-only (config.md, Root: `readonly`); mounts below it keep their own setting."""
    if c.config["root"].get("readonly"):
        kernel.mount_setattr(c.root_fd, attr_set=kernel.ATTR_RDONLY)


def unmount_root(journalled: str) -> None:
    """Undo `bind_root_in_callers_namespace`, with all that is mounted below; `journalled` is what it recorded.

    It is no error if the mount is unmounted, or was never attached. Raises OSError, with EBUSY when another mount
    lies on top of it.
    """
    number, _, path = journalled.partition(" ")
    mounted = mounts_at(path)
    if int(number) in mounted:
        if mounted[-1] != int(number):
            raise OSError(errno.EBUSY, "another mount lies on top of it", path)
        kernel.umount2(path, kernel.MNT_DETACH | kernel.UMOUNT_NOFOLLOW)


def mount_id(fd: int) -> int:
    """Return the number of the mount that a descriptor belongs to, as in /proc/PID/mountinfo (proc(5), fdinfo)."""
    with open(f"/proc/self/fdinfo/{fd}", encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name == "mnt_id":
                return int(value)
    raise OSError(f"the kernel does not say which mount descriptor {fd} belongs to")


def mounts_at(path: str) -> list[int]:
    """Return the numbers of the mounts at `path` in this mount namespace, the topmost one last."""
    found = []
    for line in mountinfo():
        fields = line.split(" ", 5)
        if unescape(fields[4]) == path:
            found.append(int(fields[0]))
    return found


def _is_root_of_another(c: Container) -> bool:
    """Tell whether what is mounted at the root filesystem is the root of another container that exists."""
    mounted = mounts_at(c.rootfs)
    store = Store(os.path.dirname(c.entry.dir))
    for name in store.ids():
        try:
            journalled = store.open(name).record["mounts"]
        except RuntError:
            # Deleted in the meantime, or damaged: neither is this container's fault.
            continue
        if any(f"{number} {c.rootfs}" in journalled for number in mounted):
            return True
    return False


def _attach(tree: int, path: str) -> None:
    target = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    kernel.move_mount(tree, target)
    os.close(target)


def _unmount_host_filesystems(c: Container) -> None:
    """Unmount the host's /proc and /sys: after a move of the root they could be reached from inside."""
    for line in reversed(mountinfo()):
        left, _, right = line.partition(" - ")
        path = unescape(left.split(" ")[4])
        if right.split(" ")[0] in ("proc", "sysfs") and not path.startswith(f"{c.rootfs}/"):
            kernel.umount2(path, kernel.MNT_DETACH | kernel.UMOUNT_NOFOLLOW)
