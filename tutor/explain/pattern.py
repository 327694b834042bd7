"""One row of the table of patterns."""

from __future__ import annotations

import re

from tutor.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way in which an engine says something; `operation`: only when this one failed."""

    id: str
    regex: re.Pattern[str]
    where: str = ""
    operation: str = ""
    doubtful: bool = False


def pattern(id_: str, regex: str, where: str = "", operation: str = "", *, doubtful: bool = False) -> Pattern:
    """Return a pattern; case is ignored."""
    return Pattern(id_, re.compile(regex, re.IGNORECASE), where, operation, doubtful)
