"""The glyphs of every face, and their meaning. Colour never has a meaning alone: a glyph or a word is beside it."""

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
"""The change of a thing since the step began: added, removed, changed, or none known."""
