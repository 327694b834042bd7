"""Write one layer: a set of files as a tar archive that depends only on the files (image-spec layer.md)."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: bytes
    mode: int
    owner: int
    content: bytes = b""
    target: str = ""


class Layer:
    """The files of one layer, by path relative to the root, and their tar archive.

    All times are 1970-01-01 and the order is that of the paths, so that the same files always give the same digest; uid and
    gid are the same number. A whiteout is an ordinary file (`tmp/.wh.build.log`) and sorts before its siblings.
    """

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    def directory(self, path: str, *, mode: int = 0o755, owner: int = 0) -> None:
        """Add a directory."""
        self._add(path, _Entry(tarfile.DIRTYPE, mode, owner))

    def file(self, path: str, content: bytes, *, mode: int = 0o644) -> None:
        """Add a regular file."""
        self._add(path, _Entry(tarfile.REGTYPE, mode, 0, content))

    def symlink(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self._add(path, _Entry(tarfile.SYMTYPE, 0o777, 0, target=target))

    def tree(self, folder: Path) -> None:
        """Add every file below a folder of the host, under its path in the folder."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.file(path.relative_to(folder).as_posix(), path.read_bytes())

    def tar(self) -> bytes:
        """Return the layer as an uncompressed tar archive."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path, entry in sorted(self._entries.items()):
                info = tarfile.TarInfo(path)
                info.type, info.mode, info.linkname = entry.kind, entry.mode, entry.target
                info.uid = info.gid = entry.owner
                info.size = len(entry.content)
                archive.addfile(info, io.BytesIO(entry.content))
        return buffer.getvalue()

    def _add(self, path: str, entry: _Entry) -> None:
        """Add an entry and its parent directories, so that a layer says their attributes."""
        self._entries[path] = entry
        parent = path.rpartition("/")[0]
        if parent and parent not in self._entries:
            self.directory(parent)
