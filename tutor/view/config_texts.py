"""The texts of `config.json` that a step leads to: its solution, and what its snippets make of a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tutor.configfile.snippets import inserted
from tutor.course.model import EditConfig, Task, Write

if TYPE_CHECKING:
    from tutor.course.model import Step

_FENCED = re.compile(r"^```json[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def solution_of(step: Step) -> str | None:
    """Return the `config.json` that `solve` writes in a step; None if it writes none."""
    match step.activity:
        case EditConfig(file="config.json", solution=solution):
            return solution
        case Task(solution=actions):
            texts = [
                each.content for each in actions if isinstance(each, Write) and each.file == "config.json"
            ]
            return texts[-1] if texts else None
        case _:
            return None


def has_snippet(step: Step) -> bool:
    """Tell whether the text of a step shows a piece of JSON, for a file that the learner edits in it."""
    return isinstance(step.activity, EditConfig | Task) and _FENCED.search(step.body) is not None


def with_snippets(step: Step, text: str) -> str | None:
    """Return a `config.json` with the snippets of a step put in; None if none of them can be."""
    done = text
    placed = False
    for match in _FENCED.finditer(step.body):
        with_it = inserted(match[1], done)
        if with_it is not None:
            done, placed = with_it, True
    return done if placed else None
