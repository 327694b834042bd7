"""The difference between two texts, line by line, with a few lines around each change."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Literal

from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTEXT = 3


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line: taken away (`-`), put in (`+`), the same in both (` `), or a gap (`…`); its number there, from 1, 0 for a gap."""

    mark: Literal["+", "-", " ", "…"]
    text: str
    number: int = 0


def difference(old: str, new: str) -> tuple[DiffLine, ...]:
    """Return the lines of a difference; nothing if the lines are the same."""
    return tuple(_lines(old.splitlines(), new.splitlines()))


def counts(lines: tuple[DiffLine, ...]) -> tuple[int, int]:
    """Return how many lines are put in and taken away."""
    return sum(line.mark == "+" for line in lines), sum(line.mark == "-" for line in lines)


def _lines(old: list[str], new: list[str]) -> Iterator[DiffLine]:
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(CONTEXT)):
        if number:
            yield DiffLine("…", "")
        for tag, a_start, a_end, b_start, b_end in group:
            if tag == "equal":
                yield from (DiffLine(" ", new[at], at + 1) for at in range(b_start, b_end))
                continue
            yield from (DiffLine("-", old[at], at + 1) for at in range(a_start, a_end))
            yield from (DiffLine("+", new[at], at + 1) for at in range(b_start, b_end))
