"""Lays out a `config.json`: two spaces a level, one member a line; what was on one line stays there, if it fits.

It works on the text, so that numbers, escapes, the order of members and duplicates stay as they were written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.configfile.cursor import TOKEN
from tutor.configfile.keystrokes import INDENTATION
from tutor.configfile.parser import parse
from tutor.text import cell_width

if TYPE_CHECKING:
    import re

WIDEST = 80
"""Cells of a line: a bracket with all that is in it stays on one line up to here."""


def formatted(text: str) -> str | None:
    """Return a text laid out, with a line end at its end; None if it is not JSON."""
    if not parse(text).valid:
        return None
    tokens = list(TOKEN.finditer(text))
    closing = _closing(tokens)
    pieces: list[str] = []
    depth, at = 0, 0
    while at < len(tokens):
        part = tokens[at][0]
        if part in "{[":
            end = closing[at]
            inline = _on_one_line(tokens[at : end + 1])
            room = WIDEST - cell_width("".join(pieces).rpartition("\n")[2]) - 1  # a comma may follow
            if end == at + 1 or (
                "\n" not in text[tokens[at].start() : tokens[end].end()] and cell_width(inline) <= room
            ):
                pieces.append(inline)
                at = end + 1
                continue
            depth += 1
            pieces += [part, _line(depth)]
        elif part in "}]":
            depth -= 1
            pieces += [_line(depth), part]
        elif part == ",":
            pieces += [part, _line(depth)]
        else:
            pieces.append(": " if part == ":" else part)
        at += 1
    return "".join(pieces) + "\n"


def _line(depth: int) -> str:
    return "\n" + " " * (INDENTATION * depth)


def _closing(tokens: list[re.Match[str]]) -> dict[int, int]:
    """Return for the number of each opening bracket that of its closing one."""
    stack: list[int] = []
    found: dict[int, int] = {}
    for number, token in enumerate(tokens):
        if token[0] in "{[":
            stack.append(number)
        elif token[0] in "}]":
            found[stack.pop()] = number
    return found


def _on_one_line(tokens: list[re.Match[str]]) -> str:
    spaced = {",": ", ", ":": ": "}
    return "".join(spaced.get(token[0], token[0]) for token in tokens)
