"""The result of a check: whether it passes, and its evidence."""

from __future__ import annotations

from tutor.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a check examined, what it expected and what it found (texts ready to show), and a command that shows it again."""

    looked_at: str
    expected: str
    found: str
    command: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one check."""

    check_id: str
    text: str
    passed: bool
    evidence: tuple[Evidence, ...]
