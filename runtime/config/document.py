"""Reading `config.json` as JSON: errors of the text itself, and the position of a value in the text."""

from __future__ import annotations

import os
import stat

from runtime.support import jsontext
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    Place = tuple[str | int, ...]
    """The path of a value: names of members and indexes, from the outside in."""

_SPACE = " \t\n\r"
_DEPTH = 200
"""The depth of a text from which on its position is reported as nested too deeply."""


def read(path: str, *, stream: bool = False) -> str:
    """Return the text of `path`. Raises RuntError if it can't be read or is not UTF-8 (RFC 8259, section 8.1).

    With `stream` it may be a pipe or a terminal, which is read to its end: a shell's `<(...)`, /dev/stdin.
    """
    # Not blocking where it must be a file: opening a named pipe would wait for a writer.
    more = 0 if stream else os.O_NONBLOCK
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | more)) as file:
            if not stream and not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise RuntError(f"cannot read the configuration: {path} is not a regular file")
            content = file.read()
    except FileNotFoundError:
        raise RuntError(f"JSON specification file {path} not found") from None
    except OSError as error:
        raise RuntError(f"cannot read the configuration: {describe(error)}") from None
    if content.startswith(b"\xef\xbb\xbf"):
        raise RuntError(
            f"{path}:1:1: not valid JSON: a byte order mark (U+FEFF) stands before it: save the file as UTF-8 without one"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        where = position(content[: error.start].decode("utf-8"), error.start)
        raise RuntError(f"{path}:{where}: not UTF-8: byte 0x{content[error.start]:02x}") from None


def parse(path: str, text: str) -> object:
    """Return the value of the JSON `text` of the file `path`. Raises RuntError with line and column."""
    try:
        return jsontext.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_members)
    except ValueError as error:
        from json import JSONDecodeError

        if isinstance(error, JSONDecodeError):
            where = f"{error.lineno}:{error.colno}"
            said = f"{error.msg[:1].lower()}{error.msg[1:]}"
            raise RuntError(f"{path}:{where}: not valid JSON: {said}") from None
        # Python's own limits and extensions: the error has no position, so it is searched.
        where = _search(text, r"NaN|-?Infinity|[0-9]{4301,}")
        raise RuntError(f"{path}:{where}: not valid JSON: not a number that can be used") from None


def too_deep(path: str, text: str) -> RuntError:
    """Return the error for a text whose arrays and objects are nested more deeply than Python can follow."""
    import re

    depth = 0
    offset = 0
    for match in re.finditer(r"[\[\]{}]", _blank_strings(text)):
        depth += 1 if match[0] in "[{" else -1
        if depth > _DEPTH:
            offset = match.start()
            break
    where = position(text, offset)
    return RuntError(f"{path}:{where}: arrays and objects are nested too deeply: more than {_DEPTH} levels")


def position(text: str, offset: int) -> str:
    """Return `"LINE:COLUMN"` of the character at `offset`, both counted from 1."""
    before = text[:offset]
    return f"{before.count(chr(10)) + 1}:{len(before) - (before.rfind(chr(10)) + 1) + 1}"


def locate(text: str, place: Place) -> str:
    """Return `"LINE:COLUMN"` of the value at `place` in `text`, which is valid JSON.

    Where a member is missing, the position is that of the object that should have it.
    """
    offset = _skip_space(text, 0)
    for part in place:
        found = _find_member(text, offset, part)
        if found is None:
            break
        offset = found
    return position(text, offset)


def _search(text: str, pattern: str) -> str:
    """Return the position of the match of `pattern` outside the strings of `text`."""
    import re

    match = re.search(pattern, _blank_strings(text))
    return position(text, match.start() if match else 0)


def _blank_strings(text: str) -> str:
    """Return `text` with spaces in place of its strings, so that every other character stays where it is."""
    import re

    return re.sub(r'"(?:[^"\\]|\\.)*"', lambda match: " " * len(match[0]), text)


def _find_member(text: str, offset: int, part: str | int) -> int | None:
    """Return the offset of the value of member or element `part` in the object or array at `offset`."""
    from json import JSONDecoder

    decoder = JSONDecoder()
    is_object = text[offset] == "{"
    if not is_object and text[offset] != "[":
        return None
    found = None
    index = 0
    offset = _skip_space(text, offset + 1)
    while text[offset] not in "}]":
        name: str | int = index
        if is_object:
            name, offset = decoder.raw_decode(text, offset)
            offset = _skip_space(text, _skip_space(text, offset) + 1)
        if name == part:
            # Not the end of the search: of several members with one name, the last one counts.
            found = offset
        _, offset = decoder.raw_decode(text, offset)
        offset = _skip_space(text, offset)
        if text[offset] == ",":
            offset = _skip_space(text, offset + 1)
        index += 1
    return found


def _skip_space(text: str, offset: int) -> int:
    while text[offset] in _SPACE:
        offset += 1
    return offset


def _refuse_constant(name: str) -> NoReturn:
    """Refuse what Python's JSON reader accepts beyond RFC 8259: NaN and the infinities."""
    raise ValueError(name)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the members of an object; where a name comes twice, do as runc does.

    Go's decoder fills the same structure twice: the later scalar or array counts, objects are merged.
    """
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    members.clear()
    for name, value in pairs:
        _merge(members, name, value)
    return members


def _merge(members: dict[str, object], name: str, value: object) -> None:
    before = members.get(name)
    if isinstance(before, dict) and isinstance(value, dict):
        for inner, inner_value in value.items():
            _merge(before, inner, inner_value)
    else:
        members[name] = value
