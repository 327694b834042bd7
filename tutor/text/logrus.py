"""Reads what logrus writes in its text form (`time="..." level=error msg="..."`): runc, runt, skopeo and Docker's parts do."""

from __future__ import annotations

import re

QUOTED = r'"(?:[^"\\]|\\.)*"'
"""A regular expression for a value in quotes."""
_RECORD = re.compile(rf'(?:time="[^"]*" )?level=\w+ msg=({QUOTED}|\S*)')
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", re.DOTALL)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def message_of(line: str) -> str | None:
    """Return the message of a record, unquoted; None if the line is no record."""
    record = _RECORD.match(line)
    return unquoted(record[1]) if record else None


def unquoted(value: str) -> str:
    """Return a value without the quoting of Go's `%q`, if it has it (strconv.Quote)."""
    return _ESCAPE.sub(_unescaped, value[1:-1]) if value.startswith('"') else value


def _unescaped(match: re.Match[str]) -> str:
    byte, short, long, letter = match.groups()
    if letter is not None:
        return _LETTERS.get(letter, letter)
    code = int(byte or short or long, 16)
    # `\xff` is a byte that was not UTF-8: it is no character, and stays as it is written.
    return match[0] if code > 0x10FFFF or (byte and code > 0x7F) else chr(code)
