"""The texts of the file that the learner edits that a step leads to: its solution, and what its snippets make of a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tutor.course.model import EditConfig, OwnStep, Task, Write

if TYPE_CHECKING:
    from tutor.course.model import Step

_FENCED = re.compile(r"^```json[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def solution_of(step: Step, text: str) -> str | None:
    """Return the text to which `solve` changes the `text` of the file that the learner edits; None if it changes none."""
    match step.activity:
        case OwnStep(exercise=exercise):
            return _with_ours(exercise, text)
        case EditConfig(file="config.json", solution=solution):
            return solution
        case Task(solution=actions):
            texts = [
                each.content for each in actions if isinstance(each, Write) and each.file == "config.json"
            ]
            return texts[-1] if texts else None
        case _:
            return None


def _with_ours(exercise_id: str, text: str) -> str | None:
    """Return a learner's runtime with our functions of an exercise in it; None where it is not Python."""
    from tutor.own_steps import source
    from tutor.own_steps.exercises import exercise

    try:
        return source.with_definitions(text, source.reference_definition(exercise(exercise_id).functions))
    except source.SourceError:
        return None


def has_snippet(step: Step) -> bool:
    """Tell whether the text of a step shows a piece of JSON, for a file that the learner edits in it."""
    return isinstance(step.activity, EditConfig | Task) and _FENCED.search(step.body) is not None


def with_snippets(step: Step, text: str) -> str | None:
    """Return a `config.json` with the snippets of a step put in; None if none of them can be."""
    from tutor.configfile.snippets import inserted  # a lesson opens without the rules of config.json

    done = text
    placed = False
    for match in _FENCED.finditer(step.body):
        with_it = inserted(match[1], done)
        if with_it is not None:
            done, placed = with_it, True
    return done if placed else None
