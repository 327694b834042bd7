"""The files of a course and of its learners: where they may be, and how they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor import files

if TYPE_CHECKING:
    from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's content, so that a crash leaves the old one or the new one. Folders above are made.

    The file's permissions are kept. Only one writer at a time may write a path: the callers hold a lock.

    Raises:
        OSError: the folder can't be written, the disk is full, or `path` is a folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    files.replace(path, text.encode())


def lies_within(path: Path, folder: Path) -> bool:
    """Tell whether a path, all its links followed, is below a folder (or that folder itself)."""
    return path.resolve().is_relative_to(folder.resolve())
