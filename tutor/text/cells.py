"""The width of text in cells, and cutting and padding by it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from wcwidth import wcswidth, wcwidth

if TYPE_CHECKING:
    from collections.abc import Iterator

Align = Literal["left", "right", "center"]

ELLIPSIS = "…"
_ZERO_WIDTH_JOINER = "\u200d"


def cell_width(text: str) -> int:
    """Return how many cells `text` takes; control characters take none."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(width for _start, _end, width in clusters(text))


def clusters(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield `(start, end, width)` of each smallest piece that must stay whole.

    A piece is a character with the combining marks, variation selectors and zero-width characters after it, an emoji
    sequence held together by joiners, or a flag (two regional indicators). Widths are in cells.
    """
    start = 0
    length = len(text)
    while start < length:
        end = start + 1
        flag = _is_regional_indicator(text[start])
        while end < length and (
            _character_width(text[end]) == 0
            or text[end - 1] == _ZERO_WIDTH_JOINER
            or (flag and end == start + 1 and _is_regional_indicator(text[end]))
        ):
            end += 1
        yield start, end, _cluster_width(text[start:end])
        start = end


@lru_cache(maxsize=4096)
def _cluster_width(cluster: str) -> int:
    if len(cluster) == 1:
        return max(0, _character_width(cluster))
    whole = wcswidth(cluster)
    return whole if whole >= 0 else max(0, _character_width(cluster[0]))


@lru_cache(maxsize=4096)
def _character_width(character: str) -> int:
    return wcwidth(character)


def _is_regional_indicator(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def pad(text: str, width: int, align: Align = "left") -> str:
    """Return `text` padded with spaces to `width` cells; a wider text is returned as it is."""
    missing = width - cell_width(text)
    if missing <= 0:
        return text
    text = text.rstrip(_ZERO_WIDTH_JOINER)  # with nothing after it, it would join the space
    before = {"left": 0, "right": missing, "center": missing // 2}[align]
    return " " * before + text + " " * (missing - before)


def truncate(text: str, width: int) -> str:
    """Return `text` in at most `width` cells; a text that was cut ends in `…`."""
    if cell_width(text) <= width:
        return text
    room = width - cell_width(ELLIPSIS)
    if room < 0:
        return ""
    used = cut = 0
    for _start, end, size in clusters(text):
        if used + size > room:
            break
        used, cut = used + size, end
    return text[:cut].rstrip(_ZERO_WIDTH_JOINER) + ELLIPSIS


def fit(text: str, width: int, align: Align = "left") -> str:
    """Return `text` in exactly `width` cells: truncated or padded (a cell of a table)."""
    return pad(truncate(text, width), width, align)
