"""What a check says: whether it holds, and what it looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a check looked at, what it expected, what it found (texts ready to show), and a command that shows it again."""

    looked_at: str
    expected: str
    found: str
    command: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check's result."""

    check_id: str
    text: str
    passed: bool
    evidence: tuple[Evidence, ...]
