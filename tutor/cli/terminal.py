"""The terminal that `oci-tutor` was started at."""

from __future__ import annotations

import os
import shutil
import sys

from tutor.errors import TutorError
from tutor.text.plain import WIDTH

WIDEST = 100
"""Lines longer than this (in cells) are hard to read, however wide the terminal is."""


plain = False
"""Whether `--plain` was asked for: lines are not divided."""


def text_width(widest: int = WIDEST) -> int:
    """Return the width of text in cells: the terminal's, but at most `widest`; 80 without a terminal."""
    if plain:
        return WIDTH
    return min(shutil.get_terminal_size().columns, widest)


def need_full_screen() -> None:
    """Return if the TUI can be drawn here.

    Raises:
        TutorError: `cli.no_terminal`, `cli.dumb_terminal`.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise TutorError("cli.no_terminal")
    if os.environ.get("TERM", "dumb") == "dumb":
        raise TutorError("cli.dumb_terminal")
