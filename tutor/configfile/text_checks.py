"""The forms that strings of `config.json` may have, for `Rule.check`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.configfile.rules import Check

_VERSION = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
)
_PAGE = re.compile(r"[0-9]+[KMGTPE]?B")
_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?")
_HIGHEST = 64 * 1024
"""The highest number of a processor or memory node that runc and runt take."""
SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a pair, which JSON can write as an escape, and no encoding can."""


def numbers_of(text: str) -> set[int] | None:
    """Return the numbers of a list such as `0-3,7` (cpuset(7), List format); None if it is none."""
    numbers: set[int] = set()
    for part in filter(None, map(str.strip, text.split(","))):
        match = _RANGE.fullmatch(part)
        if match is None:
            return None
        low, high = int(match[1]), int(match[2] or match[1])
        if high > _HIGHEST or low > high:
            return None
        numbers.update(range(low, high + 1))
    return numbers


def is_page_size(text: str) -> bool:
    """Tell whether a text is a size in the kernel's form: `64KB`, `2MB`, `1GB`."""
    return _PAGE.fullmatch(text) is not None


def is_absolute(text: str) -> bool:
    """Tell whether a path begins at the root."""
    return text.startswith("/")


CHECKS: dict[Check, Callable[[str], bool]] = {
    "absolute": is_absolute,
    "absolute_destination": is_absolute,
    "access": lambda text: set(text) <= set("rwm"),
    "environment": lambda text: text.find("=") > 0,
    "numbers": lambda text: numbers_of(text) is not None,
    "page_size": is_page_size,
    "version": lambda text: _VERSION.fullmatch(text) is not None,
}
