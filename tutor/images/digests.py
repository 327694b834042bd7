"""Digests in the form `sha256:HEX` and JSON in the form that makes them reproducible."""

from __future__ import annotations

import hashlib
import io
import json
import re
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1 << 20  # bytes read at a time: large enough that the interpreter's overhead is negligible
_HEX_DIGITS = {"sha256": 64, "sha512": 128}  # the algorithms that descriptor.md defines and hashlib has
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")


class Writable(Protocol):
    """An object that bytes can be written to."""

    def write(self, data: bytes, /) -> object:
        """Write some bytes."""
        ...


def digest_of(data: bytes) -> str:
    """Return the digest of some bytes (image-spec descriptor.md, "Digests")."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def hex_of(digest: str) -> str | None:
    """Return the 64 hexadecimal digits of a sha256 digest; None if it is not exactly one.

    The digits become a file name, so anything else (`sha256:../../etc/passwd`) must be refused.
    """
    match = _SHA256.fullmatch(digest)
    return match[1] if match else None


def split_digest(digest: str) -> tuple[str, str] | None:
    """Return algorithm and hexadecimal digits of a digest; None if it cannot be checked here, and must not become a path."""
    algorithm, _, digits = digest.partition(":")
    length = _HEX_DIGITS.get(algorithm)
    return (algorithm, digits) if length and re.fullmatch(rf"[0-9a-f]{{{length}}}", digits) else None


def algorithm_of(digest: object) -> str:
    """Return the algorithm of a digest to be compared with; sha256 if it is of none that is known."""
    found = split_digest(digest) if isinstance(digest, str) else None
    return found[0] if found else "sha256"


class Readable(Protocol):
    """An object that bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""
        ...


class HashingWriter:
    """Counts and hashes what is written, and writes it to `target` (if there is one)."""

    def __init__(self, target: Writable | None = None, *, algorithm: str = "sha256") -> None:
        self._target = target
        self._hash = hashlib.new(algorithm)
        self.size = 0

    def write(self, data: bytes, /) -> int:
        """Count, hash and write some bytes."""
        if self._target is not None:
            self._target.write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    @property
    def digest(self) -> str:
        """The digest of everything written so far."""
        return f"{self._hash.name}:{self._hash.hexdigest()}"


class HashingReader(io.RawIOBase):
    """Hashes what is read from `source`. To be read through `io.BufferedReader`, a megabyte at a time."""

    def __init__(self, source: io.RawIOBase, *, algorithm: str = "sha256") -> None:
        self._source = source
        self._hash = hashlib.new(algorithm)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read at most as many bytes as fit."""
        count = self._source.readinto(buffer) or 0
        self._hash.update(memoryview(buffer)[:count])
        return count

    @property
    def digest(self) -> str:
        """The digest of everything read so far."""
        return f"{self._hash.name}:{self._hash.hexdigest()}"


def chunks(source: Readable) -> Iterator[bytes]:
    """Yield the rest of a file, a megabyte at a time."""
    while chunk := source.read(CHUNK):
        yield chunk


def compact_json(value: Any) -> bytes:
    """Return JSON without white space, with keys in the order given: the form of manifests and configs."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _no_constant(name: str) -> float:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def parse_json(content: bytes) -> Any:
    """Parse a JSON text.

    Raises:
        ValueError: it is not JSON, is nested too deeply, or has half a surrogate pair in a string, which could not be
            written again.
    """
    try:
        value = json.loads(content.decode(), parse_constant=_no_constant)
        compact_json(value)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value
