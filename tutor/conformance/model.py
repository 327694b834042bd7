"""What a check has seen, and how it can end."""

from __future__ import annotations

from typing import Literal

from tutor.lazy_dataclass import dataclass

Status = Literal["pass", "fail", "inapplicable", "undone"]
STATUSES: tuple[Status, ...] = ("pass", "fail", "inapplicable", "undone")
"""`inapplicable`: this machine lacks what the check needs, or the runtime says that it does not support it. `undone`: it was not run."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was looked at; all three are in the words of the field, and the same in every language."""

    what: str
    expected: str
    found: str

    @property
    def agrees(self) -> bool:
        """Whether it was found as expected."""
        return self.expected == self.found


class FailedError(Exception):
    """The check has failed, and can't go on: what was seen says why."""


class InapplicableError(Exception):
    """The check makes no sense here.

    Args of the constructor:
        reason: the key of a sentence below `conformance.reason`.
        detail: what is put into it.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail
