"""What the kinds of check share: collecting evidence, and finding the container to examine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.checks.context import CheckContext, Finding
from tutor.course.checks.registry import Argument
from tutor.course.checks.verdict import Evidence
from tutor.text import printable

if TYPE_CHECKING:
    from tutor.observe import ContainerView

CONTAINER = Argument("container", "text")
"""Another container of the lab than the lesson's, by its id."""


class Tally:
    """The evidence of one check, one piece for each condition, all of which must hold."""

    def __init__(self) -> None:
        self._holds = True
        self._evidence: list[Evidence] = []

    def add(self, holds: bool, looked_at: str, expected: str, found: str, command: str) -> None:
        """Record one condition."""
        self._holds = self._holds and holds
        self._evidence.append(Evidence(looked_at, expected, found, command))

    @property
    def finding(self) -> Finding:
        """All evidence."""
        return Finding(self._holds, tuple(self._evidence))


def living(context: CheckContext) -> ContainerView | None:
    """Return the kernel's view of the container's process; None when there is none."""
    view = context.snapshot.container if context.snapshot else None
    return view if view and view.alive else None


def no_process(context: CheckContext, looked_at: str, expected: str) -> Finding:
    """Return the finding for a container without a process."""
    found = context.messages("course.check.kernel.no_process")
    return Finding(False, (Evidence(looked_at, expected, found, context.state_command),))


def short(text: str, longest: int = 60) -> str:
    """Return a text on one line that is safe for the screen, cut where it is longer."""
    text = printable(" ".join(text.split()))
    return text if len(text) <= longest else text[: longest - 1] + "…"
