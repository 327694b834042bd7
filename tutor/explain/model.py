"""What the explainer is handed, what it finds, and what it answers with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.configfile import Problem

Values = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Failure:
    """An operation that failed: what the engine printed, and, where known, which operation it was."""

    said: str
    operation: str = ""
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, in no language yet.

    Attributes:
        id: the catalogue's entry group below `explain`, e.g. `program.not_in_path`.
        values: what its placeholders stand for.
        pointer: the JSON pointer of the member of `config.json` that it is about; None: of none.
        problem: what `tutor.configfile` says of the place, for `config.syntax` and `config.structure`.
        severity: `warning`: an engine takes it, but it is hardly what was meant.
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
        id: as `Finding.id`; `unknown` where we honestly don't know.
        title: what is wrong, in a few words; cause: why, in whole sentences; fix: what to do.
        place: `~/labs/x/bundle/config.json:9:5`, with the pointer in `pointer`; empty where no place in a file is meant.
        line, column: the place in characters from 1; 0 where there is none.
        clause: the section of the specification, `config.md#process`; empty where it says nothing.
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
