"""The few words in a lesson's texts that are known only when it is played: `{engine}`, `{container}`, `{bundle}`, `{image}` ...

They are replaced as whole words, so that `"linux": {}` and other braces stay what they are.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tutor.course.model import Lesson
    from tutor.course.nodes import Item

PLACEHOLDERS = ("engine", "runtime", "container", "bundle", "config", "work", "image")
_PATTERN = re.compile(r"\{([a-z_]+)\}")
# Besides the texts, the shell lines: they name the engine and the container too.
_SPOKEN = frozenset(
    {
        "title",
        "body",
        "summary",
        "text",
        "question",
        "feedback",
        "suggested",
        "line",
        "setup",
        "command",
        "solution",
    }
)

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
    """Return a lesson whose steps' texts have their placeholders filled in."""
    return replace(lesson, steps=tuple(_fill(step, values) for step in lesson.steps))


def _fill(value: T, values: dict[str, str]) -> T:
    """Fill a frozen value's texts, and those of the values in it; logic (ids, arguments, solutions) is left alone."""
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed: dict[str, Any] = {}
    for each in fields(value):
        part = getattr(value, each.name)
        if isinstance(part, str) and each.name in _SPOKEN:
            changed[each.name] = _text(part, values)
        elif isinstance(part, tuple):
            spoken = each.name in _SPOKEN
            changed[each.name] = tuple(
                _text(member, values) if spoken and isinstance(member, str) else _fill(member, values)
                for member in part
            )
        elif is_dataclass(part):
            changed[each.name] = _fill(part, values)
    return replace(value, **changed)


def _text(text: str, values: dict[str, str]) -> str:
    return _PATTERN.sub(lambda match: values.get(match[1], match[0]), text)
