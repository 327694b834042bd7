"""A tmpfs with a copy of what is at its destination (config.md, Linux mount options: `tmpcopyup`)."""

from __future__ import annotations

import os
import stat

from runtime.filesystem.paths import open_in_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.container import Container


def copy_up(c: Container, destination: str, tree: int) -> None:
    """Copy what the image has at `destination` into the new filesystem `tree`. Raises OSError."""
    source = open_in_root(c.root_fd, destination, os.O_RDONLY | os.O_DIRECTORY)
    _copy_tree(source, tree)
    status = os.fstat(source)
    inside = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=tree)
    os.fchown(inside, status.st_uid, status.st_gid)
    os.fchmod(inside, stat.S_IMODE(status.st_mode))
    os.close(inside)
    os.close(source)


def _copy_tree(source: int, target: int) -> None:
    """Copy the content of one directory into another, both open descriptors; symbolic links are copied as such."""
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
            # After chown, which clears the set-user-ID bits.
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
