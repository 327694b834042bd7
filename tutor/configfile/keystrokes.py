"""What a key does beyond the character it types: brackets and quotation marks in pairs, indentation. Both editors use it.

It looks at the text alone and remembers nothing, so that keys that come one by one, in a burst, or from a paste that the terminal does not
mark make the same text: a closing bracket that is typed goes over the one that is there, unless the text lacks one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tutor.configfile.completion import Change
from tutor.configfile.cursor import TOKEN, brackets, in_string, is_closed

if TYPE_CHECKING:
    from collections.abc import Iterator

INDENTATION = 2
_PAIRS = {"{": "}", "[": "]"}
_OPENER_OF = {closer: opener for opener, closer in _PAIRS.items()}
_SPACE = re.compile(r"\s*")
_INDENT = re.compile(r"[ \t]*")


def typed(text: str, offset: int, character: str) -> Change | None:
    """Return the change that a character makes at an offset; None if it is only inserted."""
    if character == '"':
        return _quote(text, offset)
    if in_string(text, offset):
        return None
    if character in _PAIRS:
        if not _may_stand_before(text, offset) or _surplus(text, _PAIRS[character]) > 0:
            return None
        return Change(offset, offset, character + _PAIRS[character], 1)
    if character in _OPENER_OF:
        return _closer(text, offset, character)
    return None


def newline(text: str, offset: int) -> Change:
    """Return the change that Enter makes: the indentation of the line, more behind an opening bracket, less before a closing one."""
    indent = _indent_at(text, offset)
    if in_string(text, offset):
        return Change(offset, offset, f"\n{indent}", 1 + len(indent))
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    before = line.rstrip()
    spaces = _INDENT.match(text, offset)
    end = spaces.end() if spaces else offset
    behind = text[end : end + 1]
    deeper = indent + " " * INDENTATION
    opened = before[-1:] if before[-1:] in _PAIRS else ""
    if opened and behind == _PAIRS[opened]:
        return Change(offset, end, f"\n{deeper}\n{indent}", 1 + len(deeper))
    if opened:
        return Change(offset, end, f"\n{deeper}", 1 + len(deeper))
    if behind in _OPENER_OF:
        indent = _indent_of_opener(text, end) or ""
    return Change(offset, end, f"\n{indent}", 1 + len(indent))


def backspace(text: str, offset: int) -> Change | None:
    """Return the change that Backspace makes in an empty pair: both go. None: it takes the character before the cursor."""
    pair = text[offset - 1 : offset + 1] if offset else ""
    if pair == '""' and not _is_part_of_more(text, offset):
        return Change(offset - 1, offset + 1, "", 0)
    if len(pair) == 2 and _PAIRS.get(pair[0]) == pair[1] and not in_string(text, offset):
        return Change(offset - 1, offset + 1, "", 0) if _surplus(text, pair[1]) >= 0 else None
    return None


def _quote(text: str, offset: int) -> Change | None:
    if in_string(text, offset):
        ends_here = text[offset : offset + 1] == '"' and text[offset - 1 : offset] != "\\"
        return Change(offset, offset + 1, '"', 1) if ends_here else None
    before = text[offset - 1 : offset] if offset else ""
    if not _may_stand_before(text, offset) or before == '"' or before.isalnum():
        return None
    return Change(offset, offset, '""', 1)


def _is_part_of_more(text: str, offset: int) -> bool:
    """Tell whether the quotation marks at both sides of an offset are those of two strings, or of one that goes on."""
    tokens = [token for token in TOKEN.finditer(text) if token.start() < offset < token.end()]
    return not (tokens and tokens[0][0] == '""' and is_closed(tokens[0][0]))


def _closer(text: str, offset: int, closer: str) -> Change | None:
    """Go over a closing bracket that is there already; else put one in, under its opening bracket if the line is empty."""
    start = text.rfind("\n", 0, offset) + 1
    blank = not text[start:offset].strip()
    space = _SPACE.match(text, offset)
    there = space.end() if space else offset
    if text[there : there + 1] == closer and _surplus(text, closer) >= 0:
        if blank and start:
            # The line on which it was to be typed is not needed: the bracket stays on its own.
            end = len(text[:start].rstrip())
            line = text.rfind("\n", 0, there) + 1
            indent = text[line:there] if not text[line:there].strip() and line > end else ""
            kept = f"\n{indent}{closer}"
            return Change(end, there + 1, kept, len(kept))
        kept = text[offset : there + 1]
        return Change(offset, there + 1, kept, len(kept))
    under = _indent_of_opener(text, offset)
    if blank and under is not None and start:
        return Change(start, offset, under + closer, len(under) + 1)
    return None


def _may_stand_before(text: str, offset: int) -> bool:
    """Tell whether a closing bracket or quotation mark may be put in front of what is there."""
    return text[offset : offset + 1] in ("", " ", "\t", "\n", ",", ":", "]", "}")


def _surplus(text: str, closer: str) -> int:
    """Return how many more closing than opening brackets of a kind the text has."""
    found = [each[0] for each in brackets(text)]
    return found.count(closer) - found.count(_OPENER_OF[closer])


def _indent_at(text: str, offset: int) -> str:
    """Return the indentation of the line at an offset, up to there."""
    start = text.rfind("\n", 0, offset) + 1
    match = _INDENT.match(text, start, offset)
    return match[0] if match else ""


def _indent_of_opener(text: str, offset: int) -> str | None:
    """Return the indentation of the line that opened what is open at an offset; None if nothing is."""
    opened = list(_open_at(text, offset))
    return _indent_at(text, opened[-1]) if opened else None


def _open_at(text: str, offset: int) -> Iterator[int]:
    stack: list[int] = []
    for token in brackets(text):
        if token.start() >= offset:
            break
        if token[0] in _PAIRS:
            stack.append(token.start())
        elif stack:
            stack.pop()
    return iter(stack)
