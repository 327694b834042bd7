"""A layer of an image: its tar, behind its compression and its digest."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from tutor.images.compression import CompressionError, Form, Uncompressed
from tutor.images.digests import CHUNK, HashingReader, algorithm_of, chunks
from tutor.images.errors import ImageError
from tutor.images.tar_reader import TarError, TarReader

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHITEOUT = ".wh."


class LayerTar:
    """A layer whose DiffID has been checked, and its tar from the first entry to the last; it can be read several times.

    Nothing of it is kept in memory or on the disk, however large it is uncompressed.

    Attributes:
        digest: the layer's name for messages: the digest of the blob.
        diff_id: the digest of the uncompressed tar.
        whiteouts: the names of its entries that begin with `.wh.`.
    """

    def __init__(self, file: IO[bytes], form: Form | None, digest: str) -> None:
        self._file, self._form = file, form
        self.digest = digest
        self.whiteouts: list[str] = []
        self.diff_id = ""

    def check(self, diff_id: object) -> None:
        """Read the layer once, and check it.

        Raises:
            ImageError: `diff_id`; or, if that is right, `layer_compression`, `layer_tar`, `tar_checksum`, `tar_truncated`,
                `tar_header`.
        """
        hashing = HashingReader(Uncompressed(self._file, self._form), algorithm=algorithm_of(diff_id))
        source = io.BufferedReader(hashing, CHUNK)
        fault: ImageError | None = None
        try:
            with self._explaining():
                tar = TarReader(source)
                for entry in tar:
                    if entry.name.rstrip("/").rpartition("/")[2].startswith(_WHITEOUT):
                        self.whiteouts.append(entry.name)
        except ImageError as error:
            if error.code == "layer_compression":
                raise
            fault = error
        with self._explaining():
            for _ in chunks(source):
                pass
        self.diff_id = hashing.digest
        if self.diff_id != diff_id:
            raise ImageError(
                "images.error.diff_id", layer=self.digest, expected=diff_id, found=self.diff_id
            ) from fault
        if fault:
            raise fault

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open the uncompressed tar, to be read from front to back.

        Raises:
            ImageError: `layer_compression`.
        """
        with self._explaining(), io.BufferedReader(Uncompressed(self._file, self._form), CHUNK) as source:
            yield source

    @contextmanager
    def entries(self) -> Iterator[TarReader]:
        """Open it for reading entry by entry.

        Raises:
            ImageError: as `check`.
        """
        with self.open() as source:
            yield TarReader(source)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except TarError as fault:
            # A first block that is no header: this is no tar at all.
            code = f"tar_{fault.code}" if fault.offset or fault.code == "header" else "layer_tar"
            raise ImageError(
                f"images.error.{code}",
                layer=self.digest,
                offset=fault.offset,
                entry=fault.entry or "-",
                detail=fault.detail,
            ) from fault
        except CompressionError as fault:
            raise ImageError(
                "images.error.layer_compression", layer=self.digest, reason=str(fault)
            ) from fault
