"""The explainer's data: its input (`Failure`), what it finds (`Finding`), its answer (`Explanation`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.lazy_dataclass import dataclass, field

if TYPE_CHECKING:
    from tutor.configfile import Problem

Values = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Failure:
    """An operation that failed: what the engine printed, and the operation, if known."""

    said: str
    operation: str = ""
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, without text in any language.

    Attributes:
        id: the catalogue's entry group below `explain`, e.g. `program.not_in_path`.
        values: the values of its placeholders.
        pointer: the JSON pointer of the member of `config.json` that is wrong; None if none is.
        problem: the problem that `tutor.configfile` found there, for `config.syntax` and `config.structure`.
        severity: `warning` if an engine accepts it, but it is probably a mistake.
    """

    id: str
    values: Values = field(default_factory=dict)
    pointer: str | None = None
    problem: Problem | None = None
    severity: str = "error"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One error explained; texts are ready to show.

    Attributes:
        id: as `Finding.id`; `unknown` if no pattern fits.
        title: what is wrong, in a few words; cause: why, in whole sentences; fix: what to do.
        place: `~/labs/x/bundle/config.json:9:5`, with the pointer in `pointer`; empty if it is about no place in a file.
        line, column: the place, counted in characters from 1; 0 if there is none.
        clause: the section of the specification, `config.md#process`; empty if it says nothing about it.
    """

    id: str
    title: str
    cause: str
    fix: str
    place: str = ""
    pointer: str = ""
    line: int = 0
    column: int = 0
    clause: str = ""
    severity: str = "error"
