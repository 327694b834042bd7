"""The glyphs of every face and every report. Colour never has a meaning alone: a glyph or a word is beside it."""

from __future__ import annotations

from typing import Literal

PASSED = "✓"
FAILED = "✗"
WARNING = "△"
INFORMATION = "·"
NOT_YET = "·"
"""A check that the learner has not tried yet."""
EXPLAINED = "▲"
"""Why a command failed."""
NEXT = "▸"
"""What to do now."""
FINISHED = "★"
RUNNING = "…"
SKIPPED = "–"
"""A check of a runtime that makes no sense here."""
RECORDED = "▷"
"""A command of a recording, which was not run here."""
BELOW = "└"
"""What belongs to the line above."""

SEVERITIES: dict[Literal["error", "warning", "information"], str] = {
    "error": FAILED,
    "warning": WARNING,
    "information": INFORMATION,
}

# The cursor of a list, and the marks of its choices
CURSOR = "▸"
CHOSEN, NOT_CHOSEN = "(•)", "( )"

# Progress: of a lesson in the list of lessons, of a step in a row of dots, and a bar where there is no room for dots
NOT_BEGUN, BEGUN = "○", "◐"
STEP_TO_DO, STEP_HERE, STEP_DONE = "○", "◉", "●"
BAR_TO_DO, BAR_DONE = "─", "━"

# The states of a container
LIT, UNLIT = "●", "○"
TO, TO_AND_BACK = " ──▶ ", " ⇄ "

UNSAVED = "●"
"""A file with changes that are not saved."""

# Namespaces
OWN, SHARED, UNKNOWN = "◆", "○", "?"

# Tables of claims: of the specification (`spec-map`) and of engines (`engines`)
SEEN, SHOWN, NOT_COVERED = "✓", "○", "–"
DIFFERS, NEW, SPLIT, SAME, UNASKED = "≠", "+", "◆", "=", "?"

Mark = Literal["+", "-", "~", " "]
"""The change of a thing since the step began: added, removed, changed, or none known."""
