"""The few words in a lesson's texts that are known only when it is played: `{engine}`, `{container}`, `{bundle}`, `{image}` ...

They are replaced as whole words, so that `"linux": {}` and other braces stay what they are.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tutor.course.model import Lesson
    from tutor.course.yaml_items import Item

PLACEHOLDERS = ("engine", "runtime", "container", "bundle", "config", "work", "image")
_PATTERN = re.compile(r"\{([a-z_]+)\}")
_SPOKEN = frozenset({"title", "body", "summary", "text", "question", "feedback", "suggested"})
# What runtimes and shells are handed: configurations (a hook's path must be absolute), shell lines, scripts; and what checks
# compare with it.
_WRITTEN = frozenset({"line", "setup", "command", "solution", "content", "begins", "config", "arguments"})

T = TypeVar("T")


def check_placeholders(item: Item) -> None:
    """Raise a LessonError when a text, or one of several, names a placeholder that nobody fills."""
    for name in (name for text in item.texts() for name in _PATTERN.findall(text)):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
            raise item.error("unknown_placeholder", name=f"{{{name}}}", known=known)


def spoken(item: Item) -> str:
    """Return a text whose placeholders are all known.

    Raises:
        LessonError: one is not, or it is no text.
    """
    check_placeholders(item)
    return item.text()


def fill(lesson: Lesson, values: dict[str, str]) -> Lesson:
    """Return a lesson whose texts have their placeholders filled in: paths as a person writes them (`~/labs/...`)."""
    return replace(lesson, steps=tuple(_fill(step, values, _SPOKEN) for step in lesson.steps))


def fill_written(lesson: Lesson, values: dict[str, str]) -> Lesson:
    """Return a lesson whose configurations, scripts and shell lines have their placeholders filled in: paths are absolute."""
    return replace(
        lesson,
        steps=tuple(_fill(step, values, _WRITTEN) for step in lesson.steps),
        lab=_fill(lesson.lab, values, _WRITTEN),
    )


def _fill(value: T, values: dict[str, str], names: frozenset[str]) -> T:
    """Fill those parts of a frozen value that bear one of the names, and those of the values in it."""
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
    """Fill the texts in plain data, and in the conditions that a combination is made of."""
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
            return _fill(value, values, _WRITTEN)


def _text(text: str, values: dict[str, str]) -> str:
    return _PATTERN.sub(lambda match: values.get(match[1], match[0]), text)
