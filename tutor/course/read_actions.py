"""Read the lists of actions in solutions and known wrong answers."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from tutor.course.checks import read_condition
from tutor.course.lesson_files import file_name, file_text
from tutor.course.model import OPERATIONS, Action, Answer, Define, Fail, Operate, Run, Wait, Write
from tutor.own_steps.exercises import FUNCTIONS

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.yaml_items import Item

_KINDS = ("write", "op", "run", "answer", "wait", "fails", "try", "define")


def read_actions(folder: Path, item: Item) -> tuple[Action, ...]:
    """Return the actions of a list.

    Raises:
        LessonError: one of them is not an action, or names a file or an operation that does not exist.
    """
    return tuple(_action(folder, each) for each in item.items())


def _action(folder: Path, item: Item) -> Action:
    kind, value = item.single(_KINDS)
    match kind:
        case "write":
            return _write(folder, value)
        case "op":
            return _operate(value)
        case "run":
            return Run(value.text())
        case "answer":
            return Answer(value.text())
        case "wait":
            return Wait(read_condition(value))
        case "define":
            return read_define(folder, value)
        case _:
            inner, value = value.single(("op", "run"))
            return Fail(_operate(value) if inner == "op" else Run(value.text()), must=kind == "fails")


def _write(folder: Path, item: Item) -> Write:
    if not item.is_mapping:
        return Write("config.json", file_text(folder / "solutions", item).content)
    entries = item.mapping(("file", "from"))
    source = file_text(folder / "solutions", entries["from"])
    return Write(file_name(entries["file"]), source.content, source.executable)


def read_define(folder: Path, item: Item) -> Define:
    """Return the definitions of a file of the lesson's `solutions`, or ours where `reference` names them.

    Raises:
        LessonError: there is no such file, or no function of that name.
    """
    if not item.is_mapping:
        return Define(file_text(folder / "solutions", item).content)
    names = item.mapping(("reference",))["reference"]
    return Define(reference=tuple(each.choice(FUNCTIONS) for each in names.items()))


def _operate(item: Item) -> Operate:
    try:
        words = shlex.split(item.text())
    except ValueError as error:
        raise item.error("quotes", text=item.text()) from error
    operation = next((each for each in OPERATIONS if words[:1] == [each]), None)
    if operation is None:
        raise item.error("unknown_value", value=item.text(), known=", ".join(OPERATIONS))
    return Operate(operation, tuple(words[1:]))
