"""`config.json` as a learner types it: read with positions, and checked against runtime-spec 1.3.0 while it is typed.

`problems(text)` answers with everything that is wrong and never raises; `parse(text)` gives the value and where each part
of it stands. No user interface; the texts are in the message catalogue's topic `configfile`.
"""

from __future__ import annotations

from tutor.configfile.document import Document, JsonValue, Position, Problem, Severity
from tutor.configfile.parser import parse
from tutor.configfile.structure import check_structure

__all__ = ["Document", "JsonValue", "Position", "Problem", "Severity", "parse", "problems"]


def problems(text: str) -> tuple[Problem, ...]:
    """Return what is wrong with a `config.json`, in the order of the text; nothing when a runtime would take it as meant.

    A text that is not JSON has one problem, the first mistake; one that is has all in which it differs from the
    specification (config.md and config-linux.md, runtime-spec 1.3.0).
    """
    document = parse(text)
    found = list(document.problems)
    if document.valid:
        found += check_structure(document)
    return tuple(sorted(found, key=lambda problem: (problem.line, problem.column)))
