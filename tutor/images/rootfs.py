"""A directory that is a container's root: every path is resolved as inside the container, and none leads out.

Python's `os` functions with `dir_fd` are openat(2) and the like. A path is walked one name at a time without following links:
a symbolic link is read and its target is walked, an absolute one from this root, and `..` stops at the root, as after
chroot(2). So links of an image (`/etc -> /home/me`, `lib -> ../../..`) cannot name anything outside.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from tutor.images.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LINKS = 40  # as in the kernel: path_resolution(7)
_READ_LIMIT = 1 << 20  # bytes of a file like /etc/passwd
_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Parts = tuple[str, ...]


class Rootfs:
    """A root directory, open; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._root = os.open(path, _DIRECTORY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._root)

    @contextmanager
    def directory(self, path: Parts, *, create: bool = False) -> Iterator[tuple[int, Parts]]:
        """Open the directory at `path`; yield a descriptor for `dir_fd` and the path without links.

        `create`: create missing directories, with mode 0755.

        Raises:
            FileNotFoundError: a directory is missing (without `create`).
            NotADirectoryError: a part of the path is a file.
            ImageError: `symlink_loop`.
        """
        with _Walk(self._root, create=create) as walk:
            walk.go(path)
            yield walk.descriptor, walk.path

    def read(self, path: str) -> str | None:
        """Return the text of a file such as `etc/passwd`, links followed; None if there is no such regular file."""
        parts = split(path)
        for _ in range(_LINKS):
            try:
                with self.directory(parts[:-1]) as (parent, resolved):
                    mode = os.lstat(parts[-1], dir_fd=parent).st_mode
                    if stat.S_ISLNK(mode):
                        target = os.readlink(parts[-1], dir_fd=parent)
                        parts = split(target) if target.startswith("/") else (*resolved, *split(target))
                        continue
                    if not stat.S_ISREG(mode):
                        return None
                    descriptor = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
            except (FileNotFoundError, NotADirectoryError, IndexError):
                return None
            with open(descriptor, "rb") as file:  # noqa: PTH123  (an open descriptor, not a path)
                return file.read(_READ_LIMIT).decode("utf-8", "surrogateescape")
        return None


class _Walk:
    """The descriptors and names from the root to the current directory of a walk."""

    def __init__(self, root: int, *, create: bool) -> None:
        self._descriptors = [os.dup(root)]
        self._names: list[str] = []
        self._create = create

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._back_to(0)
        os.close(self._descriptors.pop())

    @property
    def descriptor(self) -> int:
        return self._descriptors[-1]

    @property
    def path(self) -> Parts:
        return tuple(self._names)

    def go(self, path: Parts) -> None:
        ahead = list(reversed(path))
        links = 0
        while ahead:
            name = ahead.pop()
            if name == "..":
                self._back_to(max(0, len(self._names) - 1))
                continue
            target = self._step(name)
            if target is None:
                continue
            links += 1
            if links > _LINKS:
                raise ImageError("images.error.symlink_loop", path="/" + "/".join(path))
            if target.startswith("/"):
                self._back_to(0)
            ahead.extend(reversed(split(target)))

    def _step(self, name: str) -> str | None:
        """Enter a directory; return the target instead if it is a symbolic link."""
        try:
            descriptor = os.open(name, _DIRECTORY, dir_fd=self.descriptor)
        except FileNotFoundError:
            if not self._create:
                raise
            os.mkdir(name, dir_fd=self.descriptor)
            # Independent of the umask, as recorded in layers.
            os.chmod(name, 0o755, dir_fd=self.descriptor)  # noqa: S103  (a system directory of the container)
            descriptor = os.open(name, _DIRECTORY, dir_fd=self.descriptor)
        except NotADirectoryError:
            # O_DIRECTORY with O_NOFOLLOW fails so for a link, too; readlink(2) fails with EINVAL for anything else.
            try:
                return os.readlink(name, dir_fd=self.descriptor)
            except OSError:
                pass
            raise
        self._descriptors.append(descriptor)
        self._names.append(name)
        return None

    def _back_to(self, depth: int) -> None:
        while len(self._names) > depth:
            os.close(self._descriptors.pop())
            self._names.pop()


def split(path: str) -> Parts:
    """Return the names of a path, without empty ones and `.`; a leading slash has no meaning below a root."""
    return tuple(name for name in path.split("/") if name not in ("", "."))
