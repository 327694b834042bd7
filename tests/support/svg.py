"""A screen of the TUI as SVG, small and the same on every machine; and the lines of text that such a picture shows.

Rich's export (`App.export_screenshot`) is not used:
- it gives a run of text as many cells as it has characters, which squeezes Japanese to half its width
- it names fonts by an address on the network
- it is five times as large

Here a line of the screen is a line of the file, so that a diff of two pictures can be read.
"""

from __future__ import annotations

import html
import re
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from rich.color import Color, blend_rgb
from textual._cells import cell_len

from tutor.text.cells import clusters, pad

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.segment import Segment
    from rich.style import Style

T = TypeVar("T")

FONTS = "DejaVu Sans Mono,Noto Sans Mono CJK JP,Noto Sans CJK JP,monospace"
CELL, LINE = 10, 20
"""The width and the height of a cell."""
_FONT_SIZE, _BASELINE = 16.6, 15  # DejaVu Sans Mono is 0.602 of its size wide
_HEAD = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{width}} {{height}}" font-family="{FONTS}" '
    f'font-size="{_FONT_SIZE}" fill="{{ink}}" shape-rendering="crispEdges">\n'
    '<path fill="{ground}" d="M0 0h{width}v{height}H0z"/>\n'
)
# A run of text is drawn in pieces: nothing is drawn where only blanks are, and a rule (one character, repeated) is one piece.
_RULE = r"([^ -~])\{}{{2,}}"
_PIECES = re.compile(
    rf"(?P<rule>{_RULE.format(2)})|(?! )(?:(?!{_RULE.format(3)})[^ ]| (?! |$|{_RULE.format(4)}))+"
)
_DRAWN_LINE = re.compile(r'^<g transform="translate\(0 (?P<y>\d+)\)">(?P<drawn>.*)</g>$', re.MULTILINE)
_DRAWN_TEXT = re.compile(r'<text x="(?P<x>\d+)[^>]*>(?P<text>[^<]*)</text>')


class _Look(NamedTuple):
    """How a run of text looks: its colours (`#rrggbb`), and the attributes of SVG for the rest."""

    ink: str
    ground: str
    attributes: str


def svg_of(lines: Iterable[Iterable[Segment]], *, ink: str, ground: str) -> str:
    """Return the SVG of a screen.

    Args:
        lines: the screen's lines, from the top; all are equally wide.
        ink: the colour of text that names none, `#rrggbb`.
        ground: the colour of what lies behind it.
    """
    ink, ground = ink.lower(), ground.lower()
    rows = [[(segment.text, _look(segment.style, ink, ground)) for segment in line] for line in lines]
    width = max((sum(cell_len(text) for text, _ in row) for row in rows), default=0)
    head = _HEAD.format(width=width * CELL, height=len(rows) * LINE, ink=ink, ground=ground)
    drawn = ("".join(_row(row, ink, ground)) for row in rows)
    body = (
        f'<g transform="translate(0 {y * LINE + _BASELINE})">{row}</g>\n'
        for y, row in enumerate(drawn)
        if row
    )
    return f"{head}{''.join(body)}</svg>\n"


def lines_of(svg: str) -> list[str]:
    """Return the lines of text that a picture made by `svg_of` shows, blanks at their ends left out."""
    lines: list[str] = []
    for row in _DRAWN_LINE.finditer(svg):
        lines += [""] * (int(row["y"]) // LINE - len(lines))
        line = ""
        for piece in _DRAWN_TEXT.finditer(row["drawn"]):
            line = pad(line, int(piece["x"]) // CELL) + html.unescape(piece["text"])
        lines.append(line)
    return lines


def _look(style: Style | None, ink: str, ground: str) -> _Look:
    if style is None:
        return _Look(ink, ground, "")
    front, back = _hex(style.color, ink), _hex(style.bgcolor, ground)
    if style.reverse:
        front, back = back, front
    if style.dim:
        front = blend_rgb(Color.parse(front).get_truecolor(), Color.parse(back).get_truecolor()).hex
    decoration = " ".join(
        name for name, on in (("underline", style.underline), ("line-through", style.strike)) if on
    )
    attributes = ' font-weight="bold"' * bool(style.bold) + ' font-style="italic"' * bool(style.italic)
    return _Look(front, back, attributes + (f' text-decoration="{decoration}"' if decoration else ""))


def _hex(colour: Color | None, default: str) -> str:
    return default if colour is None or colour.is_default else colour.get_truecolor().hex


def _row(row: list[tuple[str, _Look]], ink: str, ground: str) -> Iterator[str]:
    """Yield a line's grounds, then its text; y is 0 at the text's baseline."""
    grounds: dict[str, str] = {}
    for x, text, colour in _runs((text, look.ground) for text, look in row):
        if colour != ground:
            there = f"M{x * CELL}-{_BASELINE}h{cell_len(text) * CELL}v{LINE}H{x * CELL}z"
            grounds[colour] = grounds.get(colour, "") + there
    for colour, path in grounds.items():
        yield f'<path fill="{colour}" d="{path}"/>'
    for x, text, look in _runs((text, look._replace(ground="")) for text, look in row):
        attributes = look.attributes + (f' fill="{look.ink}"' if look.ink != ink else "")
        for piece in _PIECES.finditer(text):
            places = _places(piece[0], x + cell_len(text[: piece.start()]), even=piece["rule"] is not None)
            yield f"<text {places}{attributes}>{html.escape(piece[0], quote=False)}</text>"


def _runs(parts: Iterable[tuple[str, T]]) -> Iterator[tuple[int, str, T]]:
    """Yield the cell in which a run begins, its text and its look: neighbours that look the same are one run."""
    x = 0
    for look, run in groupby(parts, key=lambda part: part[1]):
        text = "".join(text for text, _ in run)
        yield x, text, look
        x += cell_len(text)


def _places(text: str, x: int, *, even: bool) -> str:
    """Return where the characters of a text stand: where they are not all equally wide in every font, each has its place."""
    if len(text) == 1:
        return f'x="{x * CELL}"'
    if even or text.isascii():
        return f'x="{x * CELL}" textLength="{cell_len(text) * CELL}"'
    places: list[str] = []
    for start, end, _ in clusters(text):
        places += [str(x * CELL)] * (end - start)
        x += cell_len(text[start:end])
    return f'x="{" ".join(places)}"'
