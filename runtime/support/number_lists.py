"""Lists of processors and memory nodes as text: `0-3,7`, the kernel's own form (cpuset(7), List format)."""

from __future__ import annotations

_HIGHEST = 64 * 1024
"""The highest number that a list may name, as with runc: a larger one is a mistake."""


def parse_numbers(text: str) -> set[int]:
    """Return the numbers of a list of processors or memory nodes such as `0-3,7`. Raises ValueError with the reason."""
    numbers: set[int] = set()
    for part in filter(None, map(str.strip, text.split(","))):
        first, dash, last = part.partition("-")
        if not (first.isascii() and first.isdigit()) or (dash and not (last.isascii() and last.isdigit())):
            raise ValueError(f"expected numbers and ranges such as 0-3,7, found {part!r}")
        low, high = int(first), int(last or first)
        if high > _HIGHEST:
            raise ValueError(f"numbers above {_HIGHEST} are not supported, found {high}")
        if low > high:
            raise ValueError(f"the range {part} ends before it begins")
        numbers.update(range(low, high + 1))
    return numbers
