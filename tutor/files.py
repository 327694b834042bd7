"""Files that are replaced as a whole: a reader, also after a crash, finds the old content or the new one."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    Place = str | os.PathLike[str]

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def exists(path: Place) -> bool:
    """Tell whether there is something at `path`, behind a link too.

    Raises:
        OSError: that cannot be found out, for want of a permission for instance. Since Python 3.14, Path.exists() returns False.
    """
    try:
        os.stat(path)  # noqa: PTH116  (a lab's programs start without pathlib)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def replace(
    path: Place,
    data: bytes,
    *,
    draft: Place = "",
    like: Place | None = None,
    mode: int | None = 0o644,
    durable: bool = True,
) -> None:
    """Replace the content of a file; it keeps its owner and its permissions, or takes those of `like`.

    Raises:
        OSError: as `replacing`.
    """
    with replacing(
        path, draft=draft, like=path if like is None else like, mode=mode, durable=durable
    ) as file:
        file.write(data)


@contextmanager
def replacing(
    path: Place,
    *,
    draft: Place = "",
    like: Place | None = None,
    mode: int | None = 0o644,
    durable: bool = True,
) -> Iterator[IO[bytes]]:
    """Open a file for writing that takes the name `path` when the block ends well (rename(2)), and else is removed.

    Args:
        path: the name; a link of this name is replaced, not followed.
        draft: the name until then, in the same folder; by default `.NAME.new`, for callers that hold a lock. What a crash has
            left there is removed; a link there is not followed.
        like: the file whose permissions the new one gets, and its owner as far as this process may give a file away; a link
            is none, for it may lead to a program with set-user-ID.
        mode: the permissions where `like` is no file; None for what the umask leaves of 0666.
        durable: have the content on the disk before it gets its name, and the name as well (fsync(2)).

    Raises:
        OSError: the folder can't be written, the disk is full, or `path` is a folder.
    """
    folder, name = os.path.split(os.fspath(path))
    draft = os.fspath(draft) or os.path.join(folder, f".{name}.new")  # noqa: PTH118  (a lab's programs start without pathlib)
    descriptor = _create(draft)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  (an open descriptor, not a path)
            yield file
            file.flush()
            _take_after(like, mode, file.fileno())
            if durable:
                os.fsync(file.fileno())
        os.replace(draft, path)  # noqa: PTH105
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(draft)  # noqa: PTH108
        raise
    if durable:
        _sync(folder or ".")


def _create(draft: str) -> int:
    try:
        return os.open(draft, _NEW, 0o666)
    except FileExistsError:
        os.unlink(draft)  # noqa: PTH108
        return os.open(draft, _NEW, 0o666)


def _take_after(like: Place | None, mode: int | None, descriptor: int) -> None:
    try:
        status = os.lstat(like) if like is not None else None
    except FileNotFoundError:
        status = None
    if status is not None and stat.S_ISREG(status.st_mode):
        mode = stat.S_IMODE(status.st_mode)
        with suppress(PermissionError):
            os.fchown(descriptor, status.st_uid, status.st_gid)
    if mode is not None:
        os.fchmod(descriptor, mode)


def _sync(folder: str) -> None:
    """Make the rename itself durable; some filesystems refuse to sync a folder, and then there is nothing to do."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
