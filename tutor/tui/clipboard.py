"""Copies of selected text for terminals that take none: in a file, and in tmux's own buffer.

The terminal itself is asked by OSC 52, which has no answer. tmux passes it on only as its option `set-clipboard` says, and by
default does not take it from programs (tmux(1), 3.3).
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from tutor import files

if TYPE_CHECKING:
    from pathlib import Path

NAME = "copied.txt"
_LONGEST = 5.0  # seconds to wait for tmux


class Copies(NamedTuple):
    """Where the text can be found: in a file (None: it can't be written), and in tmux's buffer."""

    path: Path | None
    in_tmux: bool


def keep(text: str, folder: Path) -> Copies:
    """Write the text to a file in `folder` that only this user can read, and put it into tmux's buffer if this runs in tmux."""
    path: Path | None = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files.replace(folder / NAME, text.encode("utf-8", "surrogateescape"), mode=0o600, durable=False)
    except OSError:
        path = None
    return Copies(path, "TMUX" in os.environ and _give_to_tmux(text))


def _give_to_tmux(text: str) -> bool:
    # -w: for the terminal's clipboard, too (tmux 3.2 and later).
    for words in (["-w", "-"], ["-"]):
        try:
            done = subprocess.run(
                ["tmux", "load-buffer", *words],
                input=text.encode("utf-8", "surrogateescape"),
                capture_output=True,
                check=False,
                timeout=_LONGEST,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        if done.returncode == 0:
            return True
    return False
