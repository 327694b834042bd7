"""Styles, and their attributes in a terminal. They use its sixteen colours, which its user has chosen."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tutor.repl.layout import Line


class Look(NamedTuple):
    """A style: the colour's code in ECMA-48's SGR (30 to 37, 90 to 97, 0 for the default), and its attributes."""

    colour: int = 0
    bold: bool = False
    faint: bool = False
    underline: bool = False


# No style has a meaning alone: a glyph or a word is beside it.
STYLES: dict[str, Look] = {
    "": Look(),
    "title": Look(36, bold=True),
    "heading": Look(bold=True),
    "strong": Look(bold=True),
    "emphasis": Look(underline=True),
    "code": Look(33),
    "faint": Look(faint=True),
    "link": Look(34, underline=True),
    "good": Look(32, bold=True),
    "bad": Look(31, bold=True),
    "warning": Look(33, bold=True),
    "stderr": Look(31),
    "call": Look(36),
    "own": Look(32),
    "current": Look(36, bold=True, underline=True),
    "lesson": Look(36),
    "state": Look(33),
    "engine": Look(32),
    "command": Look(32, bold=True),
    "unknown": Look(31),
    "argument": Look(36),
    "flag": Look(33),
    "fault": Look(31, bold=True, underline=True),
    "json.key": Look(36),
    "json.string": Look(32),
    "json.number": Look(33),
    "json.word": Look(35),
}

_COLOUR_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "gray")


def wants_escapes() -> bool:
    """Tell whether standard output is a terminal that understands escape sequences."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def wants_colours() -> bool:
    """Tell whether to use colours (https://no-color.org)."""
    return not os.environ.get("NO_COLOR")


def sgr(style: str, *, colours: bool) -> str:
    """Return the parameters of the SGR sequence of a style; empty if it has no attribute."""
    look = STYLES[style]
    codes = [("1", look.bold), ("2", look.faint), ("4", look.underline)]
    wanted = [code for code, on in codes if on]
    if look.colour and colours:
        wanted.append(str(look.colour))
    return ";".join(wanted)


def paint(lines: Iterable[Line], *, escapes: bool, colours: bool) -> str:
    """Return the lines as text, each with its line end, and with escape sequences if `escapes`."""
    written: list[str] = []
    for fragments in lines:
        for style, text in fragments:
            codes = sgr(style, colours=colours) if escapes and text else ""
            written.append(f"\x1b[{codes}m{text}\x1b[0m" if codes else text)
        written.append("\n")
    return "".join(written)


def toolkit_styles(*, colours: bool) -> dict[str, str]:
    """Return the styles in the form of prompt_toolkit, by class name."""
    return {name: _in_words(look, colours=colours) for name, look in STYLES.items() if name}


def _in_words(look: Look, *, colours: bool) -> str:
    words = [
        word for word, on in (("bold", look.bold), ("dim", look.faint), ("underline", look.underline)) if on
    ]
    if look.colour and colours:
        words.append(f"ansi{_COLOUR_NAMES[look.colour - 30]}")
    return " ".join(words)
