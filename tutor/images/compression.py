"""Read compressed files: gzip, bzip2, xz and zstd, each loaded when it is met. The form is recognised by its first bytes."""

from __future__ import annotations

import io
import sys
import zlib
from typing import IO, TYPE_CHECKING, Any, Literal

from tutor.images.digests import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from tutor.images.digests import Readable

    class _Decompressor(Protocol):
        """What bz2.BZ2Decompressor and lzma.LZMADecompressor have in common."""

        @property
        def eof(self) -> bool: ...
        @property
        def needs_input(self) -> bool: ...
        @property
        def unused_data(self) -> bytes: ...
        def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...

    _New = Callable[[], _Decompressor]

Form = Literal["gzip", "bzip2", "xz", "zstd"]

_MAGIC: tuple[tuple[bytes, Form], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
# What a file may demand for uncompressing it.
_XZ_MEMORY = 256 << 20  # bytes; `xz -9` demands 65 MiB
_ZSTD_WINDOW = 27  # the base-2 logarithm of bytes, as for zstd(1), which takes more than this for itself with --long only


class CompressionError(Exception):
    """A file that cannot be uncompressed: it is damaged, cut off, or demands too much memory."""


def form_of(file: IO[bytes]) -> Form | None:
    """Return the form of a compressed file by its first bytes; None if it is of none that is known. It is at its start then."""
    file.seek(0)
    start = file.read(max(len(magic) for magic, _ in _MAGIC))
    file.seek(0)
    return next((form for magic, form in _MAGIC if start.startswith(magic)), None)


class Uncompressed(io.RawIOBase):
    """The content of a file, uncompressed, to be read once from front to back; `form` None: the file as it is.

    Raises:
        CompressionError: when reading what cannot be uncompressed.
        OSError: the file cannot be read.
    """

    def __init__(self, file: IO[bytes], form: Form | None) -> None:
        file.seek(0)
        self._source = _opened(file, form)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read at most as many bytes as fit."""
        try:
            data = self._source.read(len(buffer))
        except (EOFError, zlib.error) as error:
            raise CompressionError(str(error)) from error
        except MemoryError as error:
            raise CompressionError("out of memory") from error
        except OSError as error:
            # Errors in the data are OSErrors too for gzip and bzip2, without a number.
            if error.errno is not None:
                raise
            raise CompressionError(str(error)) from error
        buffer[: len(data)] = data
        return len(data)


def _opened(file: IO[bytes], form: Form | None) -> Readable:
    if form == "gzip":
        import gzip

        return gzip.GzipFile(fileobj=file)
    if form == "bzip2":
        return _Streams(file, *_bzip2())
    if form == "xz":
        return _Streams(file, *_xz())
    if form == "zstd":
        return _zstd(file)
    return file


def _zstd(file: IO[bytes]) -> Readable:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd

    class Reader:
        def __init__(self) -> None:
            limit = {int(zstd.DecompressionParameter.window_log_max): _ZSTD_WINDOW}
            self._file = zstd.ZstdFile(file, options=limit)

        def read(self, size: int, /) -> bytes:
            try:
                return self._file.read(size)
            except zstd.ZstdError as error:
                raise CompressionError(str(error)) from error

    return Reader()


def _bzip2() -> tuple[_New, type[Exception], bytes]:
    import bz2

    return bz2.BZ2Decompressor, OSError, b""


def _xz() -> tuple[_New, type[Exception], bytes]:
    import lzma

    def new() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    return new, lzma.LZMAError, b"\0"


class _Streams:
    """Reads compressed streams one after another, until the end of the file.

    `lzma.LZMAFile` cannot set a limit of memory, and `bz2.BZ2File` takes whatever follows a stream for the end, also a stream
    whose beginning is damaged. Go's readers, and so skopeo, refuse it.
    """

    def __init__(self, file: IO[bytes], new: _New, error: type[Exception], padding: bytes) -> None:
        self._pieces = self._uncompress(file, new, error, padding)
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""
        piece = self._rest or next(filter(None, self._pieces), b"")
        self._rest = piece[size:]
        return piece[:size]

    @staticmethod
    def _uncompress(file: IO[bytes], new: _New, damaged: type[Exception], padding: bytes) -> Iterator[bytes]:
        data = file.read(CHUNK)
        while data:
            stream = new()
            while not stream.eof:
                if stream.needs_input and not (data := data or file.read(CHUNK)):
                    raise EOFError("the end of the stream is missing")
                try:
                    piece = stream.decompress(data, CHUNK)
                except damaged as error:
                    raise CompressionError(str(error)) from error
                yield piece
                data = b""
            # Padding may follow a stream, and another stream.
            data = stream.unused_data.lstrip(padding)
            while not data and (more := file.read(CHUNK)):
                data = more.lstrip(padding)
