"""The files in a tar archive, opened by name: an archive of `docker save`, or an image layout as an archive."""

from __future__ import annotations

import io
import os
import posixpath
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from tutor.images.compression import CompressionError, Uncompressed, form_of
from tutor.images.digests import CHUNK
from tutor.images.errors import ImageError, explaining_os_errors
from tutor.images.tar_header import LINK, REGULAR, SYMLINK
from tutor.images.tar_reader import TarError, TarReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# For a large file that is read once: /tmp may be in memory (file-hierarchy(7)).
_ROOMY = "/var/tmp"  # noqa: S108  (a file without a name)
_LINKS = 8


class _Member(NamedTuple):
    """A member of an archive: where its content is, or the member that it is a link to."""

    start: int
    size: int
    target: str | None


class TarFiles:
    """An archive opened for reading."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._members = _members(file)

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[TarFiles]:
        """Open an archive, compressed or not. A compressed one is uncompressed to a file without a name, which goes with it.

        Raises:
            ImageError: there is no such file, it is not a tar, or it is damaged or truncated.
        """
        with explaining_os_errors(path), path.open("rb") as file, _uncompressed(path, file) as plain:
            try:
                archive = cls(plain)
            except TarError as fault:
                known = fault.offset or fault.code == "header"
                code = f"archive_{fault.code}" if known else "archive_unreadable"
                raise ImageError(
                    f"images.error.{code}",
                    path=path,
                    offset=fault.offset,
                    entry=fault.entry or "-",
                    detail=fault.detail,
                ) from fault
            if not archive._members:
                raise ImageError("images.error.archive_unreadable", path=path)
            yield archive

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def size(self, name: str) -> int:
        """Return the size of a file in bytes; 0 if there is none of this name."""
        member = self._find(name)
        return member.size if member else 0

    def file(self, name: str) -> io.BufferedReader | None:
        """Open a file; None if there is none of this name. Links in the archive are followed."""
        member = self._find(name)
        return io.BufferedReader(_Section(self._file, member), CHUNK) if member else None

    def _find(self, name: str) -> _Member | None:
        path = posixpath.normpath(name)
        for _ in range(_LINKS):
            member = self._members.get(path)
            if member is None or member.target is None:
                return member
            path = member.target
        return None


class _Section(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, file: IO[bytes], member: _Member) -> None:
        self._file, self._member = file, member
        self._position = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read again."""
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Set the position."""
        base = {0: 0, 1: self._position, 2: self._member.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        """Read at most as many bytes as fit."""
        self._file.seek(self._member.start + self._position)
        data = self._file.read(min(len(buffer), max(0, self._member.size - self._position)))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def _members(file: IO[bytes]) -> dict[str, _Member]:
    """Return the files and links of an archive. Of two with the same name, the first one counts, as it does for skopeo."""
    file.seek(0)
    members: dict[str, _Member] = {}
    tar = TarReader(file)
    for entry in tar:
        path = posixpath.normpath(entry.name)
        if entry.type == REGULAR and not tar.sparse:
            members.setdefault(path, _Member(tar.offset, entry.size, None))
        elif entry.type in (LINK, SYMLINK):
            folder = posixpath.dirname(path) if entry.type == SYMLINK else ""
            target = posixpath.normpath(posixpath.join(folder, entry.target))
            members.setdefault(path, _Member(0, 0, target))
    return members


@contextmanager
def _uncompressed(path: Path, file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield the archive uncompressed, as a file in which any place can be read."""
    form = form_of(file)
    if form is None:
        yield file
        return
    folder = os.environ.get("TMPDIR") or _ROOMY
    with ExitStack() as stack:
        with explaining_os_errors(folder):
            plain = stack.enter_context(tempfile.TemporaryFile(dir=folder))
            try:
                shutil.copyfileobj(Uncompressed(file, form), plain, CHUNK)
            except CompressionError as error:
                raise ImageError(
                    "images.error.archive_compression", path=path, form=form, reason=str(error)
                ) from error
        yield plain
