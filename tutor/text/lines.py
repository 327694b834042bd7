"""Where a line may break: the part of JIS X 4051 (kinsoku shori) that a terminal needs.

Japanese breaks between any two characters except before closing marks and small kana and after opening brackets; Latin
words stay whole and keep their punctuation; a line is filled where Japanese follows Latin without a space.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import TYPE_CHECKING

from tutor.text.cells import cell_width, clusters

if TYPE_CHECKING:
    from collections.abc import Callable

# Written as escapes, because code holds no Japanese; the names are Unicode's.
NO_LINE_BEGINS_WITH = frozenset(
    ",.:;?!%)]}>"
    "\u3001\u3002\uff0c\uff0e\uff1a\uff1b\uff1f\uff01\uff05"  # ideographic comma, full stop; fullwidth , . : ; ? ! %
    "\u203c\u2047\u2048\u2049\u30a0\u2013\u2014\u2015\u2025\u2026\u301c\uff5e"  # double marks, dashes, leaders, wave dash
    "\u2103\u2030\u30fb"  # degree Celsius, per mille, katakana middle dot
    "\uff09\u300d\u300f\u3011\uff3d\uff5d\u3009\u300b\u3015\u3019\u3017\u301f"  # closing brackets and quotation marks
    "\u2019\u201d\u00bb\u203a\u27e9\uff1e"
    "\u30fc\u3005\u303b\u309d\u309e\u30fd\u30fe\u309b\u309c"  # prolonged sound mark, iteration marks, voiced marks
    "\u3041\u3043\u3045\u3047\u3049\u3063\u3083\u3085\u3087\u308e\u3095\u3096"  # small hiragana
    "\u30a1\u30a3\u30a5\u30a7\u30a9\u30c3\u30e3\u30e5\u30e7\u30ee\u30f5\u30f6"  # small katakana
    "\u31f0\u31f1\u31f2\u31f3\u31f4\u31f5\u31f6\u31f7\u31f8\u31f9\u31fa\u31fb\u31fc\u31fd\u31fe\u31ff"
    "\uff61\uff63\uff64\uff65\uff70\uff67\uff68\uff69\uff6a\uff6b\uff6c\uff6d\uff6e\uff6f\uff9e\uff9f"  # halfwidth
)
NO_LINE_ENDS_WITH = frozenset(
    "([{<$#"
    "\uff08\u300c\u300e\u3010\uff3b\uff5b\u3008\u300a\u3014\u3018\u3016\u301d\uff62"  # opening brackets and quotation marks
    "\u2018\u201c\u00ab\u2039\u27e8\uff1c\uffe5\uff04"  # ... fullwidth <, yen and dollar
)

_SPACES = frozenset(" \t\u3000")
# An apostrophe or a straight quotation mark tells nothing about its side by itself: it is kept with both neighbours, or
# with the right one, counting from the start of the text.
_PAIRED = frozenset('"`')
_GLUE = frozenset("'\u00a0\u202f\u2060\u2011")


@lru_cache(maxsize=8192)
def is_cjk(character: str) -> bool:
    """Tell whether lines may break beside this character although no space stands there."""
    code = ord(character)
    return (
        0x2E80 <= code <= 0xA4CF  # radicals, punctuation, kana, ideographs, Yi
        or 0xAC00 <= code <= 0xD7A3
        or 0xF900 <= code <= 0xFAFF
        or 0xFE30 <= code <= 0xFE4F
        or 0xFF00 <= code <= 0xFFEF
        or 0x20000 <= code <= 0x3FFFD
    )


def divide(text: str, width: int, measure: Callable[[str], int] = cell_width) -> list[int]:
    """Return the offsets at which `text`, one paragraph without line ends, is cut into lines of at most `width` cells.

    The pieces joined give the text back. Spaces at a cut hang on the line before and may extend beyond the width (the
    caller strips them). A word that is wider than the width is folded; kinsoku is broken only where nothing else would fit,
    and a single character that is wider than the width has a line of its own.

    Args:
        text: what to divide.
        width: in cells; nothing is divided when it is not positive.
        measure: returns the width of a piece of text in cells; a renderer passes its own, so that both agree.
    """
    if width <= 0 or measure(text) <= width:
        return []
    pieces = [(start, end, measure(text[start:end])) for start, end, _ in clusters(text)]
    allowed = _opportunities(text, [start for start, _, _ in pieces])
    cuts: list[int] = []
    line = 0  # the index of the piece with which the line begins
    used = 0  # its width so far, spaces at the end included
    candidate = 0  # the last piece at which it may be cut
    index = 0
    while index < len(pieces):
        start, _, size = pieces[index]
        if index > line and allowed[index] == _FREE:
            candidate = index
        if used + size <= width or index == line or text[start] in _SPACES:
            used += size
            index += 1
            continue
        cut = candidate if candidate > line else _fold(allowed, line, index)
        cuts.append(pieces[cut][0])
        line = index = candidate = cut
        used = 0
    return cuts


_FREE, _WITHIN, _FORBIDDEN = range(3)


def _opportunities(text: str, starts: list[int]) -> list[int]:
    """Return for each piece whether a line may begin with it: always, only if a word must be folded, or never."""
    found = [_FORBIDDEN]
    opened: set[str] = set()
    glue_next = False
    for before_start, start in itertools.pairwise(starts):
        before, after = text[before_start], text[start]
        if before in _PAIRED:
            opened ^= {before}
            glue_next = before in opened
        if after in _SPACES:
            found.append(_FORBIDDEN)
        elif before in _SPACES:
            found.append(_FORBIDDEN if after in NO_LINE_BEGINS_WITH and not after.isascii() else _FREE)
        elif (
            after in NO_LINE_BEGINS_WITH
            or before in NO_LINE_ENDS_WITH
            or before in _GLUE
            or after in _GLUE
            or (before in _PAIRED and glue_next)
            or (after in _PAIRED and after in opened)
        ):
            found.append(_FORBIDDEN)
        else:
            found.append(_FREE if is_cjk(before) or is_cjk(after) else _WITHIN)
    return found


def _fold(allowed: list[int], line: int, limit: int) -> int:
    """Return where to cut inside a word: at the last place that fits and kinsoku allows, else at the last that fits."""
    return next((index for index in range(limit, line, -1) if allowed[index] != _FORBIDDEN), limit)


def wrap(text: str, width: int) -> list[str]:
    """Return `text` as lines of at most `width` cells, without the spaces at which they were cut; line ends are kept."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        cuts = [0, *divide(paragraph, width), len(paragraph)]
        parts = [paragraph[start:end] for start, end in itertools.pairwise(cuts)]
        lines += [*(part.rstrip(" \t\u3000") for part in parts[:-1]), parts[-1]]
    return lines
