"""The table of checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tutor.conformance.subject import Subject

    Run = Callable[[Subject], None]


@dataclass(frozen=True, slots=True)
class Check:
    """A rule of the specification and the function that looks at it.

    Args of the constructor:
        id: `CHAPTER.NAME`, unique.
        clause: document and section of the specification, `runtime.md#create`.
        text: the key of its sentence in the catalogue, below `conformance.check`.
        values: what is put into the sentence.
        run: looks; reports to the subject what it has seen.
        since: the first version of the specification that has the rule; a runtime of an older one need not follow it.
    """

    id: str
    clause: str
    text: str
    values: Mapping[str, str]
    run: Callable[[Subject], None]
    since: str = "1.0.0"

    @property
    def chapter(self) -> str:
        """The chapter that it belongs to."""
        return self.id.partition(".")[0]


CHECKS: dict[str, Check] = {}
"""All checks by their ids, in the order in which they are run; filled by importing `chapters`."""


def add(check_id: str, clause: str, run: Run, *, text: str = "", since: str = "1.0.0", **values: str) -> None:
    """Add a check; `text` is the key of its sentence where several checks share one."""
    if check_id in CHECKS:
        raise ValueError(f"two checks have the id {check_id}")
    CHECKS[check_id] = Check(check_id, clause, text or check_id, values, run, since)


def check(check_id: str, clause: str, *, since: str = "1.0.0") -> Callable[[Run], Run]:
    """Register a function as a check."""

    def register(function: Run) -> Run:
        add(check_id, clause, function, since=since)
        return function

    return register
