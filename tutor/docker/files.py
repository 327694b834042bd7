"""Replacing a system's file so that a crash at any moment leaves the old one or the new one, and its owner what they had."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

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
    """Turn an `OSError` in the block into a TutorError that names `path`: nothing has been changed.

    Raises:
        TutorError: `docker.disk_full`, `docker.permission`, `docker.read_only`, and `docker.os` for everything else.
    """
    try:
        yield
    except OSError as error:
        code = _REASONS.get(error.errno or 0, "os")
        raise TutorError(f"docker.{code}", path=path, reason=error.strerror or str(error)) from error


def read(path: Path) -> bytes | None:
    """Return a file's content, None if there is no such file."""
    with explaining(path):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def replace(path: Path, data: bytes, *, like: Path | None = None) -> None:
    """Give a file this content, atomically (rename(2)); its mode and owner stay, or become those of `like`.

    A new one is readable by all.
    """
    fresh = path.with_name(f".{path.name}.new")
    with explaining(path):
        try:
            with fresh.open("wb") as file:
                file.write(data)
                file.flush()
                _take_after(like or path, file.fileno())
                os.fsync(file.fileno())
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file that may be gone already."""
    with explaining(path):
        path.unlink(missing_ok=True)


def _take_after(path: Path, descriptor: int) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        os.fchmod(descriptor, 0o644)
        return
    os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, status.st_mode & 0o7777)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
