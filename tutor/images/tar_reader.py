"""Read a tar archive from front to back, and strictly: what does not end as a tar archive ends is an error with its place.

Python's tarfile takes a damaged header in the middle for the end of the archive, so files would be missing without a word. This
reader accepts what the tools for images accept (they all use Go's archive/tar), and holds one entry at a time: a million entries,
or a header that claims to be gigabytes long, cost no memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.images.digests import CHUNK
from tutor.images.tar_header import (
    BLOCK,
    REGULAR,
    Entry,
    HeaderError,
    apply_records,
    decimal,
    decoded,
    parse_header,
    parse_records,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.images.digests import Readable

_ZERO = bytes(BLOCK)
_SPECIAL = (
    1 << 20
)  # bytes of a long name, of PAX records or of the map of a sparse file: the limit of Go's archive/tar
_LONG_NAME, _LONG_TARGET, _RECORDS, _GLOBAL = b"L", b"K", b"x", b"g"

Segments = list[tuple[int, int]]
"""Where the content of a sparse file lies in the file: offset and length, in bytes."""


class TarError(Exception):
    """An archive that is damaged.

    Attributes:
        code: `checksum`, `truncated` or `header`.
        offset: where, in bytes from the start of the archive: the header or content that cannot be read.
        entry: the name of the entry, or of the last one before a header that cannot be read; empty if there is none.
        detail: the field of the header (`header`).
    """

    def __init__(self, code: str, offset: int, entry: str, detail: str = "") -> None:
        super().__init__(code, offset, entry, detail)
        self.code, self.offset, self.entry, self.detail = code, offset, entry, detail


class TarReader:
    """Iterates over the entries of an archive; the content of an entry can be read until the next one.

    Raises:
        TarError: the archive is damaged. Two blocks of zeros end it, and so does the end of the file where a header would be;
            what follows the zeros is padding.
    """

    def __init__(self, source: Readable) -> None:
        self._source = source
        self.offset = 0  # bytes read so far
        self._last = ""
        self._left = 0  # bytes of content that have not been read
        self._padding = 0
        self._segments: Segments | None = None
        self._size = 0

    def __iter__(self) -> Iterator[Entry]:
        while (entry := self._next()) is not None:
            self._last = entry.name
            yield entry

    @property
    def sparse(self) -> bool:
        """Tell whether the entry just read is a sparse file, whose content is stored in parts."""
        return self._segments is not None

    def content(self) -> Iterator[tuple[int, bytes]]:
        """Yield the content of the entry just read in pieces: where it lies in the file, and the bytes. Holes are left out."""
        segments = [(0, self._left)] if self._segments is None else self._segments
        for position, length in segments:
            end = position + length
            while position < end:
                data = self._take(min(CHUNK, end - position, self._left))
                if not data:
                    raise self._fault("header", "GNU.sparse")
                yield position, data
                position += len(data)
        if self._left:
            raise self._fault("header", "GNU.sparse")

    def _fault(self, code: str, detail: str = "", at: int | None = None) -> TarError:
        return TarError(code, self.offset if at is None else at, self._last, detail)

    def _next(self) -> Entry | None:
        """Read headers up to one of a file: those of long names and PAX records are about the next one."""
        records: dict[bytes, bytes] = {}
        name, target = b"", b""
        start: int | None = None
        while True:
            self._skip()
            header = self._header()
            if header is None:
                if start is not None:
                    raise self._fault("truncated")  # the file that the headers so far are about is missing
                return None
            start = header.offset if start is None else start
            self._begin(header)
            if header.type in (_RECORDS, _GLOBAL):
                found = self._parsed(self._special(header))
                # As every tool for images does, and against pax(1): global records change nothing.
                records = found if header.type == _RECORDS else records
                start = start if header.type == _RECORDS or records or name or target else None
            elif header.type == _LONG_NAME:
                name = self._special(header).partition(b"\0")[0]
            elif header.type == _LONG_TARGET:
                target = self._special(header).partition(b"\0")[0]
            else:
                header.offset = start
                self._complete(header, records, name, target)
                return header

    def _complete(self, entry: Entry, records: dict[bytes, bytes], name: bytes, target: bytes) -> None:
        try:
            apply_records(entry, records)
            entry.name = decoded(name) if name else entry.name
            entry.target = decoded(target) if target else entry.target
            settle(entry)
            self._last = entry.name
            self._begin(entry)
            self._sparse(entry, records)
        except HeaderError as fault:
            raise self._fault("header", fault.args[0], entry.offset) from fault

    def _header(self) -> Entry | None:
        """Read one header block; None at the end of the archive."""
        offset = self.offset
        block = self._block()
        if block == _ZERO:
            block = self._block()
            if block in (_ZERO, None):
                return None
            raise self._fault("header", "end", offset)
        if block is None:
            return None
        try:
            header = parse_header(block, offset)
        except HeaderError as fault:
            raise self._fault("header", fault.args[0], offset) from fault
        if header is None:
            raise self._fault("checksum", at=offset)
        return header

    def _block(self) -> bytes | None:
        """Read a block; None at the end of the file."""
        offset = self.offset
        block = self._read(BLOCK)
        if block and len(block) < BLOCK:
            raise self._fault("truncated", at=offset)
        return block or None

    def _begin(self, header: Entry) -> None:
        """Note how much content follows."""
        if header.stored < 0:
            raise self._fault("header", "size", header.offset)
        self._left = header.stored
        self._padding = -self._left % BLOCK
        self._segments = None

    def _special(self, header: Entry) -> bytes:
        if header.size > _SPECIAL:
            raise self._fault("header", f"size: {header.size} > {_SPECIAL}", header.offset)
        return b"".join(data for _, data in self.content())

    def _parsed(self, content: bytes) -> dict[bytes, bytes]:
        try:
            return parse_records(content)
        except HeaderError as fault:
            raise self._fault("header", fault.args[0]) from fault

    def _skip(self) -> None:
        """Pass over what is left of an entry. The padding of the last one may be missing."""
        while self._left:
            self._take(min(CHUNK, self._left))
        while self._padding:
            data = self._read(self._padding)
            self._padding = self._padding - len(data) if data else 0

    def _take(self, size: int) -> bytes:
        """Read content of the entry."""
        data = self._read(size)
        if not data and size:
            raise self._fault("truncated")
        self._left -= len(data)
        return data

    def _read(self, size: int) -> bytes:
        data = self._source.read(size) if size else b""
        self.offset += len(data)
        return data

    def _sparse(self, entry: Entry, records: dict[bytes, bytes]) -> None:
        """Read the map of a sparse file of GNU tar's PAX forms 0.0, 0.1 and 1.0 (GNU tar manual, "Sparse Formats")."""
        version = (records.get(b"GNU.sparse.major", b""), records.get(b"GNU.sparse.minor", b""))
        early = version in ((b"0", b"0"), (b"0", b"1")) or (
            version == (b"", b"") and bool(records.get(b"GNU.sparse.map"))
        )
        if not early and version != (b"1", b"0"):
            return
        entry.name = decoded(records.get(b"GNU.sparse.name") or b"") or entry.name
        size = records.get(b"GNU.sparse.size") or records.get(b"GNU.sparse.realsize")
        entry.size = decimal(size, "GNU.sparse.size") if size else entry.size
        if early:
            text = records.get(b"GNU.sparse.map", b"")
            numbers = [decimal(number, "GNU.sparse.map") for number in text.split(b",")] if text else []
            count = decimal(records.get(b"GNU.sparse.numblocks") or b"", "GNU.sparse.numblocks")
        else:
            numbers, count = self._sparse_map()
        if len(numbers) != 2 * count or entry.type != REGULAR:
            raise HeaderError("GNU.sparse.map")
        segments = list(zip(numbers[::2], numbers[1::2], strict=True))
        end = 0
        for position, length in segments:
            if position < end or length < 0:
                raise HeaderError("GNU.sparse.map")
            end = position + length
        if end > entry.size:
            raise HeaderError("GNU.sparse.map")
        self._segments = segments

    def _sparse_map(self) -> tuple[list[int], int]:
        """Read the map at the start of the content: the number of segments, then their numbers, a line each, in whole blocks."""
        text = b""
        wanted = 1
        while text.count(b"\n") < wanted:
            if len(text) >= _SPECIAL or self._left < BLOCK:
                raise HeaderError("GNU.sparse.map")
            data = b""
            while len(data) < BLOCK:
                data += self._take(BLOCK - len(data))
            text += data
            first, newline, _ = text.partition(b"\n")
            wanted = 2 * decimal(first, "GNU.sparse.map") + 1 if newline else 1
        numbers = [decimal(line, "GNU.sparse.map") for line in text.split(b"\n")[:wanted]]
        return numbers[1:], numbers[0]
