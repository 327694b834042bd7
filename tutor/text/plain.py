"""Text for people who listen to a terminal: no box drawing, glyphs as words, no columns of blanks, a line for each thing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tutor.text import glyphs

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH = 10_000
"""Cells: lines are not divided, so that what belongs together is read together."""
WORDS: dict[str, str] = {
    glyphs.PASSED: "passed",
    glyphs.FAILED: "failed",
    glyphs.WARNING: "warning",
    glyphs.NEXT: "next",
    glyphs.EXPLAINED: "explained",
    glyphs.RECORDED: "recorded",
}
"""The glyphs that mean something by themselves, by the names of their words in the catalogue (`view.plain.NAME`)."""
# The others have their word beside them: they are left out.
_ORNAMENTS = "".join({
    glyphs.FINISHED, glyphs.INFORMATION, glyphs.BELOW, glyphs.NOT_BEGUN, glyphs.BEGUN, glyphs.STEP_HERE, glyphs.STEP_DONE,
    glyphs.OWN,
})  # fmt: skip
_CHANGES: dict[str, str] = {"+": "added", "-": "removed", "~": "changed"}
_BOXES = "\u2500-\u257f"
_CODE = re.compile(r"^(\s*)\u2502 ?")
_ONLY_BOXES = re.compile(rf"^[\s{_BOXES}]*[{_BOXES}][\s{_BOXES}]*$")
_BAR = re.compile(rf"[{_BOXES}{_ORNAMENTS}]{{2,}}\s*")
_ORNAMENT = re.compile(rf"(?<![^\s])[{_ORNAMENTS}{_BOXES}]\s+")
_GLYPH = re.compile(rf"(?<![^\s])([{''.join(WORDS)}])\s+")
_CHANGE = re.compile(r"^([+~-]) (?=\S)")
_DEEP = re.compile(r"^ {5,}(?=\S)")  # what is aligned with a column of the line above
_BLANKS = re.compile(r"(?<=\S) {3,}(?=\S)")


def plain(text: str, words: Mapping[str, str]) -> str:
    """Return text of several lines in plain form; `words` are those of `WORDS` and of `added`, `removed` and `changed`."""
    lines = text.split("\n")
    return "\n".join(_line(line, words) for line in lines if not _ONLY_BOXES.match(line))


def _line(line: str, words: Mapping[str, str]) -> str:
    if code := _CODE.match(line):
        return f"{code[1]}  {line[code.end() :]}"
    line = _CHANGE.sub(lambda match: f"{words[_CHANGES[match[1]]]}: ", line)
    line = _GLYPH.sub(lambda match: f"{words[WORDS[match[1]]]}: ", line)
    line = _BLANKS.sub("  ", _ORNAMENT.sub("", _BAR.sub("", line))).rstrip()
    return _DEEP.sub("  ", line)


class PlainStream:
    """A stream that writes whole lines in plain form to another one; it is no terminal, so that nothing is drawn on it."""

    def __init__(self, stream: object, words: Mapping[str, str]) -> None:
        self._stream = stream
        self._words = words
        self._begun = ""

    def write(self, text: str) -> int:
        """Write the lines that are complete."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            if not _ONLY_BOXES.match(line):
                self._stream.write(_line(line, self._words) + "\n")  # type: ignore[attr-defined]  # a text stream
        return len(text)

    def flush(self) -> None:
        """Write what has no line end yet, too."""
        if self._begun:
            self._stream.write(_line(self._begun, self._words))  # type: ignore[attr-defined]
            self._begun = ""
        self._stream.flush()  # type: ignore[attr-defined]

    def isatty(self) -> bool:
        """Return False: nothing is to be drawn."""
        return False

    def __getattr__(self, name: str) -> object:
        """Return anything else of the stream."""
        return getattr(self._stream, name)
