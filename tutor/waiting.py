"""One line on the terminal that says what is being waited for, until there is something else to show.

It is drawn on standard error, and only on a terminal that can erase a line: it is no output. Whatever shows something after it calls
`clear` first. This module imports nothing that takes long, because the first such line is drawn before anything else is loaded.
"""

from __future__ import annotations

import os
import sys

_ERASE = "\r\x1b[K"
_shown = ""


def say(text: str) -> None:
    """Show a line in place of the one before; do nothing where standard error is no terminal, or one that erases no line."""
    global _shown
    if is_possible():
        _write(f"{_ERASE}{text}")
        _shown = text


def clear() -> str:
    """Erase the line, if there is one, and return its text."""
    global _shown
    erased, _shown = _shown, ""
    if erased:
        _write(_ERASE)
    return erased


def is_possible() -> bool:
    """Tell whether a line can be shown and erased."""
    if (
        "--plain" in sys.argv
    ):  # nothing is drawn over; looked for here, as the first line comes before the command line is parsed
        return False
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        return  # the terminal has gone
