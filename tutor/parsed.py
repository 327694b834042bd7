"""What was read from YAML that seldom changes (the lessons, the catalogue), kept in the cache directory as it is in memory.

Reading the course takes 0.3 seconds of processor time, and a tenth of that from here. A file there is used only while all the
files that it was made from are the same (`facts`), by their status, and so is the code that made it. Who can write the
cache could have lessons say, and a lab run, anything: the file must belong to this user, and be writable by nobody else. It can name
only the types that the caller allows, so it runs no code. Anything else that is wrong with it means that it is made again.
"""

from __future__ import annotations

import os
import pickle
import stat
import sys
import time
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

from tutor import files
from tutor.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")
Facts = tuple[tuple[str | int, ...], ...]

_FOLDER = "parsed"
_SETTLED = 2 * 10**9
"""Nanoseconds after which a file that is changed again certainly gets another time: the kernel's clock for files is coarse."""


def facts(paths: Iterable[str]) -> Facts | None:
    """Return what tells whether any of these files has changed; None if that can't be told: one is a link, or has just changed."""
    now, found = time.time_ns(), []
    for path in paths:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode) or now - status.st_ctime_ns < _SETTLED:
            return None
        found.append(
            (path, status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        )
    return (sys.version_info[:3], *found)


def below(folder: str) -> list[str]:
    """Return a folder and everything below it, sorted; links are not followed.

    Raises:
        OSError: a folder can't be read.
    """

    def refuse(error: OSError) -> None:
        raise error

    found = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [each for each in folders if each != "__pycache__"]
        found += [parent, *(f"{parent}/{name}" for name in names)]
    return sorted(found)


def kept(
    name: str,
    sources: Callable[[], Iterable[str]],
    make: Callable[[], T],
    allowed: Callable[[], Mapping[tuple[str, str], type]] = dict,
) -> T:
    """Return what `make` returns, from the cache while the sources are unchanged.

    Args:
        name: of the file in the cache.
        sources: returns the paths of everything that the value depends on.
        make: reads the sources.
        allowed: returns the types in the value besides Python's own, by module and name.
    """
    try:
        known = facts(sources())
    except OSError:
        known = None
    if known is None:
        return make()
    path = f"{Home.default().cache}/{_FOLDER}/{name}"
    with suppress(Exception):  # whatever is wrong with a file of the cache, the sources have it right
        return _load(path, known, allowed)  # type: ignore[no-any-return]  # what `make` returned
    value = make()
    with suppress(OSError):  # no space, or a home directory that can't be written to
        _store(path, known, value)
    return value


class _Reader(pickle.Unpickler):
    def __init__(self, file: BytesIO, allowed: Mapping[tuple[str, str], type]) -> None:
        super().__init__(file)
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        return self._allowed[module, name]


def _load(path: str, known: Facts, allowed: Callable[[], Mapping[tuple[str, str], type]]) -> Any:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123  (an open descriptor, not a path)
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid() or status.st_mode & 0o022 or not stat.S_ISREG(status.st_mode):
            raise PermissionError(path)
        data = BytesIO(file.read())
    if _Reader(data, {}).load() != known:
        raise ValueError(path)
    return _Reader(data, allowed()).load()


def _store(path: str, known: Facts, value: object) -> None:
    folder = os.path.dirname(path)  # noqa: PTH120
    there = folder
    while not os.path.isdir(there):  # noqa: PTH112
        there = os.path.dirname(there)  # noqa: PTH120
    if os.stat(there).st_uid != os.geteuid():  # noqa: PTH116  (with sudo: no file of root's in a user's home)
        return
    os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103
    data = pickle.dumps(known, 5) + pickle.dumps(value, 5)
    files.replace(path, data, draft=f"{path}.{os.getpid()}", mode=0o600, durable=False)
