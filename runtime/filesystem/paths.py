"""Paths in the container's root, resolved so that none can lead out of it, and the paths to mask or make read-only.

Every path that comes from the configuration or the image is resolved by openat2(2) with RESOLVE_IN_ROOT: symbolic links,
also absolute ones and `..`, stay beneath the container's root, whatever is changed there in the meantime.
"""

from __future__ import annotations

import errno
import os
import stat

from runtime.kernel import mount as kernel
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.container import Container

_MOST_LINKS = 40
NULL_DEVICE = (1, 3)


def open_in_root(root: int, path: str, flags: int = os.O_PATH, resolve: int = 0) -> int:
    """Return a descriptor of `path` inside `root`. Raises OSError, with ENOENT if it does not exist."""
    return kernel.openat2(root, path.lstrip("/") or ".", flags, kernel.RESOLVE_IN_ROOT | resolve)


def make_directory(root: int, path: str, mode: int = 0o755, links: int = _MOST_LINKS) -> int:
    """Return a descriptor of the directory `path` inside `root`, and make the missing parts of it. Raises OSError."""
    try:
        return open_in_root(root, path, os.O_PATH | os.O_DIRECTORY)
    except FileNotFoundError:
        pass
    parent, name = os.path.split(_plain(path))
    if not name:
        return open_in_root(root, "/", os.O_PATH | os.O_DIRECTORY)
    parent_fd = make_directory(root, parent, links=links)
    try:
        try:
            os.mkdir(name, mode, dir_fd=parent_fd)
        except FileExistsError:
            # Another process was faster, the path led there by way of a missing directory, or it is a symbolic link to a
            # place that does not exist yet.
            target = _read_link(parent_fd, name)
            if target is not None:
                return make_directory(root, _follow(root, parent_fd, target, links), mode, links - 1)
        return os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent_fd)
    finally:
        os.close(parent_fd)


def make_file(root: int, path: str, *, follow: bool = True, links: int = _MOST_LINKS) -> int:
    """Return a descriptor of the file `path` inside `root`, and make an empty one if there is none.

    At the end of a symbolic link too: images have /etc/resolv.conf as one that leads to what the host's systemd makes.
    Raises OSError, with ELOOP for a symbolic link in the path unless `follow`, and for more links than the kernel follows.
    """
    try:
        return open_in_root(root, path, resolve=0 if follow else kernel.RESOLVE_NO_SYMLINKS)
    except FileNotFoundError:
        pass
    parent, name = os.path.split(_plain(path))
    parent_fd = make_directory(root, parent)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            os.close(os.open(name, flags, 0o644, dir_fd=parent_fd))
        except FileExistsError:
            target = _read_link(parent_fd, name)
            if target is not None and follow:
                place = _follow(root, parent_fd, target, links)
                return make_file(root, place, follow=follow, links=links - 1)
        return os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent_fd)
    finally:
        os.close(parent_fd)


def make_link(root: int, path: str, target: str) -> None:
    """Make the symbolic link `path` inside `root`, unless it is there. Raises OSError, with EEXIST for anything else there."""
    parent, name = os.path.split(_plain(path))
    parent_fd = make_directory(root, parent)
    try:
        os.symlink(target, name, dir_fd=parent_fd)
    except FileExistsError:
        if _read_link(parent_fd, name) != target:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), path) from None
    finally:
        os.close(parent_fd)


def path_in_root(root: int, fd: int) -> str:
    """Return the path of a descriptor inside `root`, absolute and without symbolic links."""
    top, path = (os.readlink(f"/proc/self/fd/{number}") for number in (root, fd))
    return f"/{path[len(top) :].lstrip('/')}"


def is_directory(fd: int) -> bool:
    """Tell whether a descriptor is that of a directory."""
    return stat.S_ISDIR(os.fstat(fd).st_mode)


def is_device(fd: int, device: tuple[int, int]) -> bool:
    """Tell whether a descriptor is that of the character device with the number `device` (major, minor)."""
    status = os.fstat(fd)
    return stat.S_ISCHR(status.st_mode) and (os.major(status.st_rdev), os.minor(status.st_rdev)) == device


def mask_paths(c: Container) -> None:
    """Mask paths: a directory by an empty one, any other file by /dev/null.

    config-linux.md, Masked Paths. One filesystem serves all directories, and a path that is there twice is masked once.
    """
    empty = -1
    for path in dict.fromkeys(map(os.path.normpath, c.linux.get("maskedPaths", ()))):
        try:
            target = open_in_root(c.root_fd, path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        if not is_directory(target):
            tree = _null_device()
        elif empty < 0:
            tree = _empty_directory()
            empty = os.dup(tree)
        else:
            # A copy of what is mounted by now: a detached mount can be copied since Linux 6.15 only.
            tree = kernel.open_tree(empty, "")
        kernel.move_mount(tree, target)
        os.close(tree)
        os.close(target)
    if empty >= 0:
        os.close(empty)


def make_paths_readonly(c: Container) -> None:
    """Bind each path over itself, read-only (config-linux.md, Readonly Paths)."""
    for path in c.linux.get("readonlyPaths", ()):
        try:
            target = open_in_root(c.root_fd, path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        tree = kernel.open_tree(target, "", recursive=True)
        kernel.mount_setattr(tree, attr_set=kernel.ATTR_RDONLY, recursive=True)
        kernel.move_mount(tree, target)
        os.close(tree)
        os.close(target)


def _empty_directory() -> int:
    """Return a detached, empty, read-only filesystem."""
    context = kernel.fsopen("tmpfs")
    kernel.fsconfig(context, "source", "tmpfs")
    kernel.fsconfig(context, "ro")
    tree = kernel.fsmount(context)
    os.close(context)
    kernel.mount_setattr(tree, attr_set=kernel.ATTR_RDONLY)
    return tree


def _null_device() -> int:
    """Return a detached bind mount of the host's /dev/null."""
    tree = kernel.open_tree(kernel.AT_FDCWD, "/dev/null")
    if not is_device(tree, NULL_DEVICE):
        raise RuntError("/dev/null of the host is not the null device")
    return tree


def _plain(path: str) -> str:
    """Return `path` from the root on, without `.` and `..`: what is missing has no link that `..` could go back from."""
    return os.path.normpath(f"/{path.lstrip('/')}")


def _follow(root: int, directory: int, target: str, links: int) -> str:
    """Return the path inside `root` of the target of a link in `directory`. Raises OSError, ELOOP, when `links` is 0."""
    if links == 0:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return os.path.join(path_in_root(root, directory), target)


def _read_link(directory: int, name: str) -> str | None:
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError:
        return None
