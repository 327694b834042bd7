"""The header of a tar entry: one block of 512 bytes, and the PAX records that change it (pax(1), "ustar Interchange Format")."""

from __future__ import annotations

import re
import struct

from tutor.lazy_dataclass import dataclass, field

BLOCK = 512  # bytes
_LAYOUT = struct.Struct("100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12x")
_CHECKSUM = slice(148, 156)
_USTAR = b"ustar\0"
_GNU = b"ustar  \0"
_GNU_SPARSE = b"S"
_STAR = b"tar\0"  # the end of a header of star(1), which has times where the prefix would end
_OCTAL = re.compile(rb"[0-7]+")
_DECIMAL = re.compile(rb"[+-]?[0-9]+")
_INT64 = 1 << 63
_XATTR = b"SCHILY.xattr."  # the prefix of extended attributes among PAX records: libarchive tar(5)

REGULAR, LINK, SYMLINK, CHARACTER, BLOCK_DEVICE, DIRECTORY, FIFO = (bytes([code]) for code in b"0123456")
_OLD_REGULAR = b"\0"  # before POSIX: a directory if its name ends with a slash


class HeaderError(Exception):
    """A field of a header that cannot be; `args[0]` is its name."""


@dataclass(slots=True)
class Entry:
    """One entry of a tar archive. Names are file names in Python's form (surrogateescape)."""

    name: str
    type: bytes
    mode: int
    uid: int
    gid: int
    size: int  # bytes of the file, as it is when unpacked
    mtime: int  # nanoseconds since 1970
    target: str  # of a link
    device: tuple[int, int]  # major and minor number
    offset: int  # of the entry's first header, in bytes from the start of the archive
    xattrs: dict[str, bytes] = field(default_factory=dict)

    @property
    def is_directory(self) -> bool:
        """Tell whether it is a directory."""
        return self.type == DIRECTORY

    @property
    def stored(self) -> int:
        """The bytes that follow the header: links, devices, directories and FIFOs have none, whatever their size field says."""
        return 0 if LINK <= self.type <= FIFO else self.size


def parse_header(block: bytes, offset: int) -> Entry | None:
    """Parse a block; None if its checksum is wrong.

    Raises:
        HeaderError: a number is not one, or is too large.
    """
    (name, mode, uid, gid, size, mtime, checksum, kind, target, magic, _, _, major, minor, prefix) = (
        _LAYOUT.unpack(block)
    )
    if not _sums_up(block, checksum):
        return None
    full = _string(name)
    if magic[:6] == _USTAR:
        prefix = prefix[:131] if block.endswith(_STAR) else prefix
        full = b"/".join(part for part in (_string(prefix), full) if part)
    known = magic[:5] == _USTAR[:5]
    if kind == _GNU_SPARSE and magic != _GNU:
        raise HeaderError("typeflag")
    return Entry(
        name=decoded(full),
        type=kind,
        mode=_number(mode, "mode") & 0o7777,
        uid=_number(uid, "uid"),
        gid=_number(gid, "gid"),
        size=_number(size, "size"),
        mtime=_number(mtime, "mtime") * 1_000_000_000,
        target=decoded(_string(target)),
        device=(_number(major, "devmajor"), _number(minor, "devminor")) if known else (0, 0),
        offset=offset,
    )


def parse_records(content: bytes) -> dict[bytes, bytes]:
    """Parse PAX records, `LENGTH KEY=VALUE` and a line feed each; the map of a sparse file is brought to its later form.

    Raises:
        HeaderError: a record is not of this form, or has a NUL in a name.
    """
    records: dict[bytes, bytes] = {}
    sparse: list[bytes] = []
    position = 0
    while position < len(content):
        space = content.find(b" ", position, position + 20)
        length = content[position:space] if space > 0 else b""
        if not length.isdigit():
            raise HeaderError("PAX")
        end = position + int(length)
        key, equals, value = content[space + 1 : end - 1].partition(b"=")
        if not (space < end <= len(content)) or content[end - 1 : end] != b"\n" or not equals:
            raise HeaderError("PAX")
        if b"\0" in (value if key in (b"path", b"linkpath", b"uname", b"gname") else key):
            raise HeaderError(f"PAX {decoded(key)[:40]}")
        if key in (b"GNU.sparse.offset", b"GNU.sparse.numbytes"):
            sparse.append(value)
        else:
            records[key] = value
        position = end
    if sparse:
        records[b"GNU.sparse.map"] = b",".join(sparse)
    return records


def apply_records(entry: Entry, records: dict[bytes, bytes]) -> None:
    """Let PAX records take the place of what the header says; an empty value leaves it.

    Raises:
        HeaderError: a number or time is none.
    """
    for key, value in records.items():
        if not value:
            continue
        if key == b"path":
            entry.name = decoded(value)
        elif key == b"linkpath":
            entry.target = decoded(value)
        elif key == b"uid":
            entry.uid = decimal(value, "uid")
        elif key == b"gid":
            entry.gid = decimal(value, "gid")
        elif key == b"size":
            entry.size = decimal(value, "size")
        elif key in (b"mtime", b"atime", b"ctime"):
            time = _time(value, key.decode())
            entry.mtime = time if key == b"mtime" else entry.mtime
        elif key.startswith(_XATTR):
            entry.xattrs[decoded(key.removeprefix(_XATTR))] = value


def settle(entry: Entry) -> None:
    """Give an entry of the oldest form its type, which its name says, and check its owner (credentials(7): 32 bits).

    Raises:
        HeaderError: the owner cannot be one.
    """
    for name, number in (("uid", entry.uid), ("gid", entry.gid)):
        if not 0 <= number < (1 << 32) - 1:
            raise HeaderError(f"{name}: {number}")
    if entry.type == _OLD_REGULAR:
        entry.type = DIRECTORY if entry.name.endswith("/") else REGULAR


def decimal(text: bytes, name: str) -> int:
    """Parse a decimal number of 64 bits.

    Raises:
        HeaderError: it is none; `name` is that of the field.
    """
    if not _DECIMAL.fullmatch(text) or len(text) > 20 or not -_INT64 <= int(text) < _INT64:
        raise HeaderError(name)
    return int(text)


def decoded(name: bytes) -> str:
    """Return a file name in Python's form."""
    return name.decode("utf-8", "surrogateescape")


def _string(value: bytes) -> bytes:
    return value.partition(b"\0")[0]


def _sums_up(block: bytes, checksum: bytes) -> bool:
    """Compare the checksum: the sum of all bytes, its own counted as spaces; some old tools added them as signed."""
    text = _string(checksum.strip(b" \0"))
    if text and not _OCTAL.fullmatch(text):
        return False
    said = int(text or b"0", 8)
    unsigned = sum(block) - sum(block[_CHECKSUM]) + 8 * ord(" ")
    if said == unsigned:
        return True
    high = sum(byte >= 0x80 for byte in block[: _CHECKSUM.start] + block[_CHECKSUM.stop :])
    return said == unsigned - 256 * high


def _number(value: bytes, name: str) -> int:
    """Parse a number: octal digits with spaces and NULs around, or GNU's binary form if the first bit is set."""
    if value[0] & 0x80:
        number = int.from_bytes(bytes([value[0] & 0x7F]) + value[1:], "big")
        if value[0] & 0x40:
            number -= 1 << (8 * len(value) - 1)
        if not -_INT64 <= number < _INT64:
            raise HeaderError(name)
        return number
    text = _string(value.strip(b" \0"))
    if not text:
        return 0
    if not _OCTAL.fullmatch(text):
        raise HeaderError(name)
    return int(text, 8)


def _time(text: bytes, name: str) -> int:
    """Parse seconds with a decimal fraction into nanoseconds; finer digits are dropped."""
    seconds, _, fraction = text.partition(b".")
    if fraction and not fraction.isdigit():
        raise HeaderError(name)
    nanoseconds = int(fraction[:9].ljust(9, b"0") or b"0")
    whole = decimal(seconds, name) * 1_000_000_000
    return whole - nanoseconds if seconds.startswith(b"-") else whole + nanoseconds
