"""Placeholders in a lesson, whose values are known when it is played: `{engine}`, `{container}`, `{bundle}`, `{image}` ...

`{always}` marks a sentence on an engine that holds for every version, and becomes nothing. `{trait NAME}` becomes the sentences on a trait: what each engine and version does (`tutor.engines.traits`).

Only these names in braces are replaced, so that `"linux": {}` and other braces stay as they are.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from tutor.engines.traits.table import Table

if TYPE_CHECKING:
    from tutor.course.model import Lesson
    from tutor.course.yaml_items import Item

PLACEHOLDERS = ("engine", "runtime", "container", "bundle", "config", "work", "image", "always")
_PATTERN = re.compile(r"\{([a-z_]+|trait [a-z0-9.-]+)\}")
_SHOWN = frozenset({"title", "body", "summary", "text", "question", "feedback", "suggested"})
# The inputs of runtimes and shells: configurations (a hook's path must be absolute), shell lines, scripts; and what checks
# compare with them.
_EXECUTED = frozenset({"line", "setup", "command", "solution", "content", "begins", "config", "arguments"})

T = TypeVar("T")


def traits_in(lesson: Lesson) -> frozenset[str]:
    """Return the traits that a lesson's texts name."""
    return frozenset(re.findall(r"\{trait ([a-z0-9.-]+)\}", repr(lesson)))


def check_placeholders(item: Item) -> None:
    """Raise a LessonError if a text, or one of several, names an unknown placeholder."""
    for name in (name for text in item.texts() for name in _PATTERN.findall(text)):
        if name.startswith("trait "):
            trait = name.removeprefix("trait ")
            if trait not in Table.load().traits:
                raise item.error("unknown_trait", name=trait)
        elif name not in PLACEHOLDERS:
            known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
            raise item.error("unknown_placeholder", name=f"{{{name}}}", known=known)


def shown_text(item: Item) -> str:
    """Return a text that is shown to the learner.

    Raises:
        LessonError: it is not a text, or one of its placeholders is unknown.
    """
    check_placeholders(item)
    return item.text()


def fill(lesson: Lesson, values: dict[str, str]) -> Lesson:
    """Return a lesson with the placeholders of its texts filled in; `values` has paths as a person writes them (`~/labs/...`)."""
    return replace(lesson, steps=tuple(_fill(step, values, _SHOWN) for step in lesson.steps))


def fill_executed(lesson: Lesson, values: dict[str, str]) -> Lesson:
    """Return a lesson with the placeholders of its configurations, scripts and shell lines filled in; paths are absolute."""
    return replace(
        lesson,
        steps=tuple(_fill(step, values, _EXECUTED) for step in lesson.steps),
        lab=_fill(lesson.lab, values, _EXECUTED),
    )


def _fill(value: T, values: dict[str, str], names: frozenset[str]) -> T:
    """Fill the members of a frozen value that have one of these names, and those of the values in it."""
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed: dict[str, Any] = {}
    for each in fields(value):
        part = getattr(value, each.name)
        if isinstance(part, str) and each.name in names:
            changed[each.name] = _text(part, values)
        elif isinstance(part, tuple):
            changed[each.name] = tuple(
                _text(member, values)
                if isinstance(member, str) and each.name in names
                else _fill(member, values, names)
                for member in part
            )
        elif isinstance(part, dict) and each.name in names:
            changed[each.name] = _data(part, values)
        elif isinstance(part, dict):
            changed[each.name] = {key: _fill(member, values, names) for key, member in part.items()}
        elif is_dataclass(part):
            changed[each.name] = _fill(part, values, names)
    return replace(value, **changed)


def _data(value: Any, values: dict[str, str]) -> Any:
    """Fill the texts in plain data, and in the conditions of a combination."""
    match value:
        case str():
            return _text(value, values)
        case dict():
            return {key: _data(member, values) for key, member in value.items()}
        case list():
            return [_data(member, values) for member in value]
        case tuple():
            return tuple(_data(member, values) for member in value)
        case _:
            return _fill(value, values, _EXECUTED)


def _text(text: str, values: dict[str, str]) -> str:
    return _PATTERN.sub(lambda match: values.get(match[1], match[0]), text)
