"""Output that appears complete or not at all: it is written beside its place under another name, and renamed when complete.

A failure or Ctrl-C removes the unfinished copy. Existing output is replaced only if the user asks for it, only if it is of the
same kind, and never while something is mounted below it.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tutor import files
from tutor.images.errors import UNFINISHED, ImageError, explaining_os_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OCTAL = re.compile(rb"\\([0-7]{3})")


@contextmanager
def new_file(path: Path, *, replace: bool) -> Iterator[IO[bytes]]:
    """Open a file for writing that is renamed to `path` when the block succeeds.

    Raises:
        ImageError: there is something at `path` (`exists`, unless `replace` and it is a regular file), or writing
            fails (`disk_full`, `permission`, ...).
    """
    with explaining_os_errors(path):
        if os.path.lexists(path) and not (replace and path.is_file()):
            code = "exists_file" if path.is_file() else "exists_other"
            raise ImageError(f"images.error.{code}", path=path)
        _check_parent(path)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
        with files.replacing(path, draft=draft, mode=None, durable=False) as file:
            yield file


@contextmanager
def new_directory(path: Path, *, replace_if: Callable[[Path], bool] | None = None) -> Iterator[Path]:
    """Yield an empty directory that is renamed to `path` when the block succeeds.

    An empty directory at `path` is kept and filled. `replace_if` tells whether a directory with content may be replaced;
    without it none may.

    Raises:
        ImageError: something is in the way (`exists_directory`, `exists_other`, `exists_foreign`, `exists_mounted`), or
            writing fails (`disk_full`, `permission`, ...).
    """
    path = path.absolute()
    with explaining_os_errors(path):
        occupied = _check_place(path, replace_if)
        filling = path.is_dir() and not occupied
        home = path if filling else path.parent
        scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=UNFINISHED, dir=home))
        try:
            fresh = scratch / "new"
            fresh.mkdir(0o777)
            yield fresh
            if filling:
                _move_children(fresh, path)
            elif occupied:
                _exchange(fresh, path, scratch / "old")
            else:
                fresh.rename(path)
        finally:
            remove_tree(scratch)


def _move_children(source: Path, target: Path) -> None:
    """Move the content into an existing directory: it may be a mount point, or a shell's working directory."""
    moved = []
    try:
        for child in sorted(source.iterdir()):
            moved.append(child)
            child.rename(target / child.name)
    except BaseException:
        for child in moved:
            if not child.exists():
                (target / child.name).rename(child)
        raise


def _exchange(fresh: Path, path: Path, old: Path) -> None:
    """Rename `path` to `old` and `fresh` to `path`; undo it if that fails."""
    path.rename(old)
    try:
        fresh.rename(path)
    except BaseException:
        if not path.exists():
            old.rename(path)
        raise


def remove_tree(path: Path) -> None:
    """Remove a directory tree, also with directories that their owner may not write or enter (modes 0555 and 0 in images)."""
    if os.geteuid() != 0:
        path.chmod(0o700)
        for directory, names, _ in os.walk(path):
            for name in names:
                with suppress(PermissionError):
                    Path(directory, name).chmod(0o700) if not Path(directory, name).is_symlink() else None
    shutil.rmtree(path)


def mounts_below(path: Path) -> list[Path]:
    """Return the mount points at `path` and below it (proc(5), `/proc/self/mountinfo`, fifth field)."""
    real = os.fsencode(os.path.realpath(path)).rstrip(b"/")
    # Space, tab, newline and backslash are written as a backslash and three octal digits.
    points = [
        _OCTAL.sub(lambda match: bytes([int(match[1], 8)]), line.split(b" ")[4])
        for line in Path("/proc/self/mountinfo").read_bytes().split(b"\n")[:-1]
    ]
    return [Path(os.fsdecode(point)) for point in points if point == real or point.startswith(real + b"/")]


def _check_place(path: Path, replace_if: Callable[[Path], bool] | None) -> bool:
    """Return whether a directory with content is to be replaced; raise if the place cannot be used."""
    if not os.path.lexists(path):
        _check_parent(path)
        return False
    if path.is_symlink() or not path.is_dir():
        raise ImageError("images.error.exists_other", path=path)
    if not any(path.iterdir()):
        return False
    if replace_if is None:
        raise ImageError("images.error.exists_directory", path=path)
    if not replace_if(path):
        raise ImageError("images.error.exists_foreign", path=path)
    mounts = mounts_below(path)
    if mounts:
        raise ImageError("images.error.exists_mounted", path=path, mount=mounts[0])
    return True


def _check_parent(path: Path) -> None:
    """Raise an error if the parent is missing; creating it would turn a typing error into a new tree."""
    missing = next((parent for parent in reversed(path.parents) if not parent.is_dir()), None)
    if missing is not None:
        raise ImageError("images.error.missing", path=missing)
