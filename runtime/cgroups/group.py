"""The files of a container's cgroup: which of its directories, one a hierarchy, has a file, and its content."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Group:
    """The directories of a container's cgroup, as they are recorded; none for one that does not exist yet.

    A file's name begins with its controller and is found in the directory of the hierarchy that has this controller.
    """

    def __init__(self, directories: Sequence[str]) -> None:
        self.directories = directories

    @property
    def is_version2(self) -> bool:
        """Whether it is a cgroup of v2 alone (cgroups(7)): every directory has this file, and there is one."""
        return bool(self.directories) and all(
            os.path.exists(f"{directory}/cgroup.controllers") for directory in self.directories
        )

    def path(self, file: str) -> str | None:
        """Return the path of a file, None if no directory has it: without the controller, or with this kernel."""
        for directory in self.directories:
            path = f"{directory}/{file}"
            if os.path.exists(path):
                return path
        return None

    def read(self, file: str) -> str | None:
        """Return the content of a file, without the newline at its end; None if it does not exist (any more)."""
        for directory in self.directories:
            try:
                with open(f"{directory}/{file}", encoding="utf-8") as opened:
                    return opened.read().removesuffix("\n")
            except OSError:
                # Another hierarchy's; or one that some kernel can't read at the moment.
                continue
        return None


def write(path: str, value: str) -> None:
    """Write a value into a file of a cgroup, which exists. Raises OSError."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, value.encode())
    finally:
        os.close(fd)
