"""Read the activity of a step: what there is to do in it. Each kind of step has one."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from tutor.course.checks import read_condition
from tutor.course.lesson_files import file_name, file_text
from tutor.course.model import (
    OPERATIONS,
    Activity,
    Choice,
    EditConfig,
    Observe,
    OwnStep,
    Panel,
    Quiz,
    Read,
    RunOperation,
    Shell,
    StepKind,
    Task,
)
from tutor.course.placeholders import shown_text
from tutor.course.read_actions import read_actions, read_define
from tutor.own_steps.exercises import EXERCISES

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.yaml_items import Item

EXERCISE_IDS = tuple(each.id for each in EXERCISES)
# The keys that each kind of step must have, and those that it may have.
OWN_KEYS: dict[StepKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "read": ((), ()),
    "edit-config": (("solution",), ("file",)),
    "run-op": (("operation",), ("arguments", "fails")),
    "observe": (("panel",), ()),
    "quiz": (("answer",), ("choices", "prediction")),
    "shell": (("suggested",), ("solution",)),
    "task": (("solution",), ("suggested", "panel")),
    "own-step": (("exercise",), ("variants",)),
}


def read_activity(folder: Path, kind: StepKind, logic: dict[str, Item], words: dict[str, Item]) -> Activity:
    """Return the activity of a step, whose keys have been checked against `OWN_KEYS`.

    Raises:
        LessonError: a value is not allowed.
    """
    match kind:
        case "read":
            return Read()
        case "edit-config":
            file = file_name(logic["file"]) if "file" in logic else "config.json"
            return EditConfig(file, file_text(folder / "solutions", logic["solution"]).content)
        case "run-op":
            operation = logic["operation"].choice(OPERATIONS)
            return RunOperation(
                next(each for each in OPERATIONS if each == operation),
                logic["arguments"].texts() if "arguments" in logic else (),
                logic["fails"].boolean() if "fails" in logic else False,
            )
        case "observe":
            return Observe(_panel(logic["panel"]))
        case "quiz":
            return _quiz(logic, words["quiz"])
        case "shell":
            solution = logic["solution"].texts() if "solution" in logic else ()
            return Shell(logic["suggested"].texts(), solution)
        case "task":
            return Task(
                read_actions(folder, logic["solution"]),
                logic["suggested"].texts() if "suggested" in logic else (),
                _panel(logic["panel"]) if "panel" in logic else None,
            )

        case "own-step":
            variants = logic["variants"].items() if "variants" in logic else []
            return OwnStep(
                logic["exercise"].choice(EXERCISE_IDS),
                tuple((each.text(), read_define(folder, each)) for each in variants),
            )


def _panel(item: Item) -> Panel:
    name = item.choice(get_args(Panel))
    return next(each for each in get_args(Panel) if each == name)


def _quiz(logic: dict[str, Item], words: Item) -> Quiz:
    answer = logic["answer"]
    if "choices" not in logic:
        command = answer.mapping(("command",))["command"].text()
        texts = words.mapping(("question", "feedback"))
        return Quiz(
            shown_text(texts["question"]), (), command=command, feedback=shown_text(texts["feedback"])
        )
    names = [each.identifier() for each in logic["choices"].items()]
    texts = words.mapping(("question", "choices"))
    choices = texts["choices"].mapping(names)
    conditions = answer.mapping(("when",))["when"].mapping((), names) if answer.is_mapping else {}
    return Quiz(
        question=shown_text(texts["question"]),
        choices=tuple(
            Choice(name, shown_text(parts["text"]), shown_text(parts["feedback"]))
            for name in names
            for parts in [choices[name].mapping(("text", "feedback"))]
        ),
        answer="" if conditions else answer.choice(names),
        prediction=logic["prediction"].boolean() if "prediction" in logic else False,
        when=tuple((name, read_condition(conditions[name])) for name in names if name in conditions),
    )
