"""The glyphs of every face, and what each of them says. Colour says nothing alone: a glyph and a word stand beside it."""

from __future__ import annotations

from typing import Literal

PASSED = "✓"
FAILED = "✗"
NOT_YET = "·"
"""A check that the learner has not tried yet."""
EXPLAINED = "▲"
"""Why a command failed."""
NEXT = "▸"
"""What to do now."""
FINISHED = "★"
RUNNING = "…"
RECORDED = "▷"
"""A command of a recording, which was not run here."""

SEVERITIES: dict[Literal["error", "warning", "information"], str] = {
    "error": FAILED,
    "warning": "△",
    "information": "·",
}

Mark = Literal["+", "-", "~", " "]
"""What became of a thing since the step began: it came, it went, it is another, it is the same (or nothing is known)."""
