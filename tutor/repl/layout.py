"""Styled lines: wrapping, indenting and tables, by the width of characters in a terminal. Widths are in cells.

A fragment is `(style, text)`, a line a tuple of fragments; styles are the names in `tutor.repl.paint.STYLES`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tutor.text import cell_width, divide

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Fragment = tuple[str, str]
Line = tuple[Fragment, ...]

GAP = 2
NARROWEST = 8


def line(text: str, style: str = "") -> Line:
    """Return a line of one style."""
    return ((style, text),) if text else ()


def plain(fragments: Iterable[Fragment]) -> str:
    """Return the text without its styles."""
    return "".join(text for _, text in fragments)


def width_of(fragments: Iterable[Fragment]) -> int:
    """Return how many cells the fragments take."""
    return cell_width(plain(fragments))


def wrap_line(fragments: Sequence[Fragment], width: int) -> list[Line]:
    """Return the fragments as lines of at most `width` cells; line ends in the text are kept."""
    lines: list[Line] = []
    for paragraph in _split_at_line_ends(fragments):
        text = plain(paragraph)
        cuts = [0, *divide(text, width), len(text)]
        for start, end in pairwise(cuts):
            last = end == len(text)
            piece = text[start:end] if last else text[start:end].rstrip(" \u3000")
            lines.append(_slice(paragraph, start, start + len(piece)))
    return lines


def indent(lines: Iterable[Line], first: Fragment, rest: str | None = None) -> list[Line]:
    """Return the lines with `first` before the first one and spaces of its width (or `rest`) before the others."""
    blank = " " * cell_width(first[1]) if rest is None else rest
    indented: list[Line] = []
    for each in lines:
        if not indented:
            indented.append((first, *each))
        else:
            indented.append((("", blank), *each) if each else ())
    return indented


def _split_at_line_ends(fragments: Sequence[Fragment]) -> list[list[Fragment]]:
    paragraphs: list[list[Fragment]] = [[]]
    for style, text in fragments:
        first, *others = text.split("\n")
        paragraphs[-1].append((style, first))
        paragraphs += [[(style, other)] for other in others]
    return paragraphs


def _slice(fragments: Iterable[Fragment], start: int, end: int) -> Line:
    """Return the part of the fragments between two offsets of their text."""
    found: list[Fragment] = []
    position = 0
    for style, text in fragments:
        piece = text[max(0, start - position) : max(0, end - position)]
        if piece:
            found.append((style, piece))
        position += len(text)
    return tuple(found)


def table(header: Sequence[Line], rows: Sequence[Sequence[Line]], width: int) -> list[Line]:
    """Return an aligned table; where it is wider than `width`, the widest columns are wrapped within themselves."""
    everything = [header, *rows] if any(header) else list(rows)
    if not everything:
        return []
    natural = [max(width_of(row[column]) for row in everything) for column in range(len(everything[0]))]
    widths = _shrink(natural, width - GAP * (len(natural) - 1))
    lines: list[Line] = []
    if any(header):
        lines += _row(header, widths)
        lines.append(line((" " * GAP).join("─" * each for each in widths), "faint"))
    for row in rows:
        lines += _row(row, widths)
    return lines


def _shrink(widths: Sequence[int], room: int) -> list[int]:
    """Return the widths reduced to fit, the widest first."""
    fitted = list(widths)
    while sum(fitted) > room and max(fitted) > NARROWEST:
        widest = fitted.index(max(fitted))
        second = max((each for index, each in enumerate(fitted) if index != widest), default=0)
        fitted[widest] = max(
            NARROWEST, min(fitted[widest] - 1, second), fitted[widest] - (sum(fitted) - room)
        )
    return fitted


def _row(cells: Sequence[Line], widths: Sequence[int]) -> list[Line]:
    wrapped = [wrap_line(cell, width) for cell, width in zip(cells, widths, strict=True)]
    lines: list[Line] = []
    for number in range(max(map(len, wrapped))):
        fragments: list[Fragment] = []
        for column, (cell, width) in enumerate(zip(wrapped, widths, strict=True)):
            piece = cell[number] if number < len(cell) else ()
            fragments += piece
            if column < len(widths) - 1:
                fragments.append(("", " " * (width - width_of(piece) + GAP)))
        while fragments and not fragments[-1][1].strip():
            fragments.pop()
        lines.append(tuple(fragments))
    return lines
