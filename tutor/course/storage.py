"""Writing files so that a crash at any moment leaves either the old content or the new one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's content: written beside it, flushed to the disk, then renamed over it (rename(2)).

    The file's permissions are kept. Folders above are made. Only one writer at a time may write a path: the callers hold a
    lock. So the name beside it can be fixed, and what a crash leaves there is written over the next time.

    Raises:
        OSError: the folder can't be written, the disk is full, or `path` is a folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o7777 if path.is_file() else 0o644
    fresh = path.with_name(f".{path.name}.new")
    try:
        with fresh.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    """Make the rename itself durable; some file systems refuse to sync a folder, and then there is nothing to do."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError:
        return
    finally:
        os.close(descriptor)


def lies_within(path: Path, folder: Path) -> bool:
    """Tell whether a path, all its links followed, is below a folder (or that folder itself)."""
    return path.resolve().is_relative_to(folder.resolve())
