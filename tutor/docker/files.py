"""Replacing a system's file so that a crash at any moment leaves the old one or the new one, and its owner what they had."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tutor import files
from tutor.errors import TutorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_REASONS = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EACCES: "permission",
    errno.EPERM: "permission",
    errno.EROFS: "read_only",
}


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Turn an `OSError` in the block into a TutorError that names `path`.

    Raises:
        TutorError: `docker.disk_full`, `docker.permission`, `docker.read_only`, and `docker.os` for everything else.
    """
    try:
        yield
    except OSError as error:
        code = _REASONS.get(error.errno or 0, "os")
        raise TutorError(f"docker.{code}", path=path, reason=error.strerror or str(error)) from error


def read(path: Path) -> bytes | None:
    """Return the content of a file; None if there is no such file."""
    with explaining(path):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def replace(path: Path, data: bytes, *, like: Path | None = None) -> None:
    """Replace the content of a file atomically (rename(2)); it keeps its mode and owner, or gets those of `like`.

    A new file is readable by all.
    """
    with explaining(path):
        files.replace(path, data, like=like)


def remove(path: Path) -> None:
    """Remove a file, if there is one."""
    with explaining(path):
        path.unlink(missing_ok=True)
