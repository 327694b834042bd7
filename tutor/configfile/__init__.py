"""Parses a `config.json` with positions and checks it against runtime-spec 1.3.0, also while a learner types it.

`problems(text)` returns every problem and never raises; `parse(text)` returns the value with the position of each part.
There is no user interface here; the texts are in the message catalogue's topic `configfile`.
"""

from __future__ import annotations

from tutor.configfile.document import Document, JsonValue, Position, Problem, Severity
from tutor.configfile.parser import parse
from tutor.configfile.structure import check_structure

__all__ = ["Document", "JsonValue", "Position", "Problem", "Severity", "parse", "problems", "problems_in"]


def problems(text: str) -> tuple[Problem, ...]:
    """Return the problems of a `config.json`, in the order of the text.

    - a text that is not JSON has one problem: the first mistake
    - one that is has a problem for each difference from the specification (config.md and config-linux.md, runtime-spec 1.3.0)
    """
    return problems_in(parse(text))


def problems_in(document: Document) -> tuple[Problem, ...]:
    """Return the problems of a text that has been parsed already."""
    found = list(document.problems)
    if document.valid:
        found += check_structure(document)
    return tuple(sorted(found, key=lambda problem: (problem.line, problem.column)))
