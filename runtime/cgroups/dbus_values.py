"""D-Bus values as bytes, and back (D-Bus Specification, Type System and Marshaling).

A signature is the types of the values: `s` a string, `u` and `t` numbers of 32 and 64 bits, `b` a boolean, `y` a byte, `o`
a path of an object, `g` a signature, `v` a variant (a signature and a value), `aX` an array of X, `(XY)` a structure. In Python
they are strings, numbers, bool, (signature, value), lists and tuples; an array of bytes is `bytes`. Little-endian throughout.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FORMATS = {"y": "B", "b": "I", "n": "h", "q": "H", "i": "i", "u": "I", "x": "q", "t": "Q", "d": "d"}
_ALIGNMENT = {"y": 1, "g": 1, "v": 1, "n": 2, "q": 2, "x": 8, "t": 8, "d": 8, "(": 8, "{": 8}
"""The alignment of a value, counted from the beginning of the message; 4 for others."""


def pack(signature: str, values: list[Any] | tuple[Any, ...], out: bytearray | None = None) -> bytearray:
    """Append values to `out` (by default empty), one for each complete type of the signature; return it."""
    out = bytearray() if out is None else out
    for kind, value in zip(split(signature), values, strict=True):
        _pack(kind, value, out)
    return out


def unpack(signature: str, data: bytes, position: int = 0) -> tuple[list[Any], int]:
    """Return the values at `position` of a part of a message, and the position after them."""
    values = []
    for kind in split(signature):
        value, position = _unpack(kind, data, position)
        values.append(value)
    return values, position


def split(signature: str) -> list[str]:
    """Return the complete types of a signature: `sa(sv)u` is `s`, `a(sv)` and `u`."""
    kinds, start, depth = [], 0, 0
    for index, letter in enumerate(signature):
        depth += (letter in "({") - (letter in ")}")
        if depth == 0 and letter != "a":
            kinds.append(signature[start : index + 1])
            start = index + 1
    return kinds


def align(out: bytearray, boundary: int) -> None:
    """Append zeros until the length is a multiple of `boundary`."""
    out.extend(bytes(-len(out) % boundary))


def _alignment(kind: str) -> int:
    return _ALIGNMENT.get(kind[0], 4)


def _pack(kind: str, value: Any, out: bytearray) -> None:
    align(out, _alignment(kind))
    if kind in _FORMATS:
        out += struct.pack(f"<{_FORMATS[kind]}", value)
    elif kind in ("s", "o"):
        text = value.encode()
        out += struct.pack("<I", len(text)) + text + b"\0"
    elif kind == "g":
        out += bytes([len(value)]) + value.encode() + b"\0"
    elif kind == "v":
        _pack("g", value[0], out)
        _pack(value[0], value[1], out)
    elif kind[0] == "a":
        _pack_array(kind[1:], value, out)
    else:
        pack(kind[1:-1], value, out)


def _pack_array(kind: str, values: Any, out: bytearray) -> None:
    """Append an array's length in bytes, without the padding before its first element, and its elements."""
    where = len(out)
    out += bytes(4)
    align(out, _alignment(kind))
    start = len(out)
    for value in values:
        _pack(kind, value, out)
    struct.pack_into("<I", out, where, len(out) - start)


def _unpack(kind: str, data: bytes, position: int) -> tuple[Any, int]:
    position += -position % _alignment(kind)
    if kind in _FORMATS:
        layout = f"<{_FORMATS[kind]}"
        (value,) = struct.unpack_from(layout, data, position)
        return (bool(value) if kind == "b" else value), position + struct.calcsize(layout)
    if kind in ("s", "o", "g"):
        (length,) = struct.unpack_from("<B" if kind == "g" else "<I", data, position)
        start = position + (1 if kind == "g" else 4)
        return data[start : start + length].decode(), start + length + 1
    if kind == "v":
        inner, position = _unpack("g", data, position)
        value, position = _unpack(inner, data, position)
        return (inner, value), position
    if kind[0] == "a":
        return _unpack_array(kind[1:], data, position)
    values, position = unpack(kind[1:-1], data, position)
    return tuple(values), position


def _unpack_array(kind: str, data: bytes, position: int) -> tuple[Any, int]:
    (length,) = struct.unpack_from("<I", data, position)
    position += 4
    position += -position % _alignment(kind)
    end = position + length
    if kind == "y":
        return bytes(data[position:end]), end
    values = []
    while position < end:
        value, position = _unpack(kind, data, position)
        values.append(value)
    return values, end
