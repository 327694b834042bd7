"""SHA-256 digests in the form `sha256:HEX` and JSON in the one spelling that makes them reproducible."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1 << 20  # bytes read at a time: enough that the interpreter's share does not show
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")


class Writable(Protocol):
    """Whatever takes bytes."""

    def write(self, data: bytes, /) -> object:
        """Take some bytes."""
        ...


def digest_of(data: bytes) -> str:
    """Return the digest of some bytes (image-spec descriptor.md, "Digests")."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def hex_of(digest: str) -> str | None:
    """Return the 64 hexadecimal digits of a sha256 digest; None where it is not exactly one.

    The digits become a file name, so that anything else (`sha256:../../etc/passwd`) must not pass.
    """
    match = _SHA256.fullmatch(digest)
    return match[1] if match else None


class Readable(Protocol):
    """Whatever gives bytes."""

    def read(self, size: int, /) -> bytes:
        """Give at most `size` bytes, none at the end."""
        ...


class HashingWriter:
    """Count and hash what is written on its way to `target` (if there is one)."""

    def __init__(self, target: Writable | None = None) -> None:
        self._target = target
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes, /) -> int:
        """Take some bytes and hand them on."""
        if self._target is not None:
            self._target.write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    @property
    def digest(self) -> str:
        """The digest of everything written so far."""
        return "sha256:" + self._hash.hexdigest()


def chunks(source: Readable) -> Iterator[bytes]:
    """Yield what is left of a file, a megabyte at a time."""
    while chunk := source.read(CHUNK):
        yield chunk


def compact_json(value: Any) -> bytes:
    """Return JSON without white space, keys in the order given: the form whose digest names manifests and configs."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def parse_json(content: bytes) -> Any:
    """Return the value that some JSON text stands for.

    Raises:
        ValueError: it is no JSON, nested more deeply than any real document, or has half a surrogate pair in a text, which
            could not be written again.
    """
    try:
        value = json.loads(content)
        compact_json(value)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value
