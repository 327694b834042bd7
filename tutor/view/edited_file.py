"""The file that the learner edits: a bundle's `config.json`, or in lessons on a runtime of their own, `my_runtime.py`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tutor.course.model import OwnStep

if TYPE_CHECKING:
    from tutor.configfile import Problem
    from tutor.course.model import Lesson, Step

CONFIG = "config.json"
INDENTATION = 4
"""Blanks of a level of Python."""
_OPENS = re.compile(r":\s*(#.*)?$|[(\[{]\s*$")


def edited_name(lesson: Lesson | None) -> str:
    """Return the name of the file that the learner edits in a lesson."""
    if lesson is None or not lesson.is_own:
        return CONFIG
    from tutor.own_steps.source import FILE

    return FILE


def is_python(name: str) -> bool:
    """Tell whether a file with this name, or path, is Python."""
    return name.endswith(".py")


def problems_of(text: str, name: str) -> tuple[Problem, ...]:
    """Return what is wrong with the text of a file with this name, or path: in Python the first mistake of its syntax."""
    from tutor.configfile import Problem, problems  # a lesson opens without the rules of config.json

    if not is_python(name):
        return problems(text)
    from tutor.own_steps.source import SourceError, parsed

    try:
        parsed(text)
    except SourceError as error:
        values: dict[str, str | int] = {"message": str(error.values["message"])}
        place = (error.line, error.column, error.line, error.column + 1)
        return (Problem(*place, "", "error", "own.fault", values),)
    return ()


def newline_of(text: str, offset: int) -> str:
    """Return what Enter types in Python: a line end, and the indentation of the line, one level more behind `:` or a bracket."""
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    indent = line[: len(line) - len(line.lstrip())]
    return "\n" + indent + " " * INDENTATION * bool(_OPENS.search(line))


def line_to_write(step: Step | None, text: str) -> int:
    """Return the last line of the first function of a step that is in the learner's runtime; 0 if there is none."""
    if step is None or not isinstance(step.activity, OwnStep):
        return 0
    from tutor.own_steps.exercises import exercise
    from tutor.own_steps.source import SourceError, functions_of

    try:
        known = functions_of(text)
    except SourceError:
        return 0
    return next(
        (known[name].last_line for name in exercise(step.activity.exercise).functions if name in known), 0
    )
