"""Probe the terminal: its size and colours, and the width in which it draws Japanese and ambiguous characters."""

from __future__ import annotations

import os
import re
import select
import shutil
import sys
import termios
import time
import tty
from typing import Literal

from tutor.doctor.model import Terminal
from tutor.text.glyphs import LIT

SECONDS = 0.5

_WIDE = "\u3042"  # HIRAGANA LETTER A: two columns in every Japanese font
_AMBIGUOUS = LIT  # BLACK CIRCLE: one column here, two in a terminal that draws ambiguous characters wide
_POSITION = re.compile(rb"\x1b\[(\d+);(\d+)R")


def ask_terminal() -> Terminal:
    """Probe the terminal of standard input and output; None if they are not one."""
    term = os.environ.get("TERM", "")
    present = sys.stdin.isatty() and sys.stdout.isatty()
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    size = shutil.get_terminal_size()
    wide = ambiguous = None
    if present and term not in ("", "dumb") and encoding == "utf-8":
        wide = _drawn_width(_WIDE)
        ambiguous = _drawn_width(_AMBIGUOUS) if wide is not None else None
    return Terminal(
        present=present,
        term=term,
        encoding=encoding,
        locale=next((os.environ[n] for n in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(n)), ""),
        columns=size.columns,
        rows=size.lines,
        colours=_colours(term),
        wide_width=wide,
        ambiguous_width=ambiguous,
    )


def _colours(term: str) -> Literal["none", "basic", "256", "true"]:
    if term in ("", "dumb") or os.environ.get("NO_COLOR"):
        return "none"
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return "true"
    return "256" if "256" in term or "direct" in term else "basic"


def _drawn_width(character: str) -> int | None:
    """Print a character at the start of the line, read the cursor's position (CPR, ECMA-48), and erase the line."""
    fd = sys.stdin.fileno()
    saved = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd, termios.TCSANOW)
        sys.stdout.write(f"\r{character}\x1b[6n")
        sys.stdout.flush()
        answer = _read_position(fd)
        sys.stdout.write("\r\x1b[K")
        sys.stdout.flush()
    finally:
        termios.tcsetattr(fd, termios.TCSANOW, saved)
    return answer - 1 if answer is not None else None


def _read_position(fd: int) -> int | None:
    """Read the terminal's answer and return the column, from 1; None if it does not come in time."""
    end = time.monotonic() + SECONDS
    received = b""
    while (left := end - time.monotonic()) > 0:
        if not select.select([fd], [], [], left)[0]:
            break
        received += os.read(fd, 64)
        if found := _POSITION.search(received):
            return int(found.group(2))
    return None
