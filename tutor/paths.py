"""The folders of programs, and the resolution of a path below another root."""

from __future__ import annotations

import errno
import os
import re
import stat

SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Where a distribution has its programs, in the order of the PATH that Docker gives to a container."""
SYSTEM_PATH = ":".join(SYSTEM_FOLDERS)
ADMINISTRATORS_FOLDERS = tuple(folder for folder in SYSTEM_FOLDERS if folder.endswith("/sbin"))
"""Debian keeps runc in /usr/sbin, which is not on an ordinary user's PATH."""
_MOST_LINKS = 40  # as many as the kernel follows (path_resolution(7))


def search_path(folders: tuple[str, ...] = ADMINISTRATORS_FOLDERS) -> str:
    """Return this process's PATH, and after it these folders, for shutil.which."""
    return ":".join((os.environ.get("PATH", os.defpath), *folders))


def mount_of(path: str) -> str:
    """Return where the filesystem of a path is mounted, as this process sees it; `/` where that can't be read."""
    return filesystem_of(path)[0]


def filesystem_of(path: str) -> tuple[str, str]:
    """Return where the filesystem of a path is mounted, as this process sees it, and its type; `/` and `?` where that can't be read."""
    real = os.path.realpath(path)
    found, kind = "/", "?"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape", newline="\n") as lines:  # noqa: PTH123  (a lab's programs start without pathlib)
            for line in lines:
                # proc(5): space, tab, newline and backslash are written as octal numbers.
                place = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), line.split(" ", 5)[4])
                if len(place) >= len(found) and (real == place or real.startswith(place.rstrip("/") + "/")):
                    found, kind = place, line.rpartition(" - ")[2].split(" ", 1)[0]
    except (OSError, IndexError):
        return found, kind
    return found, kind


def resolve(root: str, path: str, *, follow: bool = True) -> str:
    """Return where a path leads for a process whose root is `root`; symbolic links are followed within it.

    Args:
        root: a directory, as this process names it.
        path: the path, as that process names it.
        follow: whether the last part is followed, too, when it is a link.

    Raises:
        OSError: a part of it does not exist or cannot be examined, or there are more links than the kernel follows (ELOOP).
        ValueError: it cannot be a path (a NUL, a lone surrogate).
    """
    todo = [part for part in path.split("/") if part][::-1]
    at: list[str] = []
    links = 0
    while todo:
        part = todo.pop()
        if part == ".":
            continue
        if part == "..":
            at = at[:-1]
            continue
        here = "/".join([root, *at, part])
        if not (todo or follow) or not stat.S_ISLNK(os.lstat(here).st_mode):
            at.append(part)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        target = os.readlink(here)  # noqa: PTH115  (of the kernel's own file systems too)
        at = [] if target.startswith("/") else at
        todo += [each for each in target.split("/") if each][::-1]
    return "/".join([root, *at])
