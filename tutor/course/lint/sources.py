"""A lesson's files as YAML nodes, for rules that need the position of what an author wrote.

The loader checks the structure. These functions read files that may be defective: a part that is missing or of another type
is None or empty.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import yaml

from tutor.course.errors import LessonError
from tutor.course.find import LOGIC
from tutor.course.lint.findings import Finding
from tutor.course.yaml_items import Item, parse
from tutor.lazy_dataclass import dataclass
from tutor.messages import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tutor.messages import Language

_STRING = "tag:yaml.org,2002:str"


class Entry(NamedTuple):
    """A step, a hint, a check ...: its id and its node."""

    id: str
    item: Item


@dataclass(frozen=True)
class Sources:
    """The files of one lesson; a file that cannot be parsed counts as missing."""

    folder: Path

    @cached_property
    def logic(self) -> Item | None:
        """The root of `lesson.yaml`."""
        return _root(self.folder / LOGIC)

    @cached_property
    def texts(self) -> dict[Language, Item]:
        """The roots of `text.LANGUAGE.yaml`."""
        roots = {language: _root(self.folder / f"text.{language}.yaml") for language in LANGUAGES}
        return {language: root for language, root in roots.items() if root is not None}

    @cached_property
    def steps(self) -> list[Entry]:
        """The steps of `lesson.yaml`, in order."""
        return entries(member(self.logic, "steps"))

    def step_texts(self, language: Language) -> dict[str, Item]:
        """Return the texts of the steps in one language, by the steps' ids."""
        steps = member(self.texts.get(language), "steps")
        return {key: value for key, _, value in pairs(steps)}


def _root(file: Path) -> Item | None:
    try:
        return parse(file)
    except LessonError:
        return None


def pairs(item: Item | None) -> Iterator[tuple[str, Item, Item]]:
    """Yield the members of a mapping as name, key node and value node; nothing if it is not a mapping."""
    if item is not None and isinstance(item.node, yaml.MappingNode):
        for key, value in item.node.value:
            yield str(key.value), Item(item.file, key), Item(item.file, value)


def member(item: Item | None, *names: str) -> Item | None:
    """Return the value at a path of keys; None if there is none."""
    for name in names:
        item = next((value for key, _, value in pairs(item) if key == name), None)
    return item


def elements(item: Item | None) -> list[Item]:
    """Return the members of a sequence; none if it is not a sequence."""
    if item is None or not isinstance(item.node, yaml.SequenceNode):
        return []
    return [Item(item.file, node) for node in item.node.value]


def entries(item: Item | None) -> list[Entry]:
    """Return the members of a sequence that have an id."""
    return [Entry(name, each) for each in elements(item) if (name := word(member(each, "id")))]


def word(item: Item | None) -> str:
    """Return a text; an empty one if it is not a text."""
    return item.node.value if item is not None and item.node.tag == _STRING else ""


def scalars(item: Item | None) -> Iterator[Item]:
    """Yield every text in a tree, keys left out."""
    if item is None:
        return
    if isinstance(item.node, yaml.ScalarNode):
        if item.node.tag == _STRING:
            yield item
        return
    for each in elements(item) or [value for _, _, value in pairs(item)]:
        yield from scalars(each)


def found(item: Item, key: str, /, offset: int = 0, **values: object) -> Finding:
    """Return the finding `lint.KEY` at a node, or at an offset in its text."""
    line, column = (
        place(item, offset) if offset else (item.node.start_mark.line + 1, item.node.start_mark.column + 1)
    )
    return Finding(item.file, line, column, f"lint.{key}", values)


def place(item: Item, offset: int) -> tuple[int, int]:
    """Return line and column in the file, from 1, of an offset in a text; the start of the text if it cannot be computed."""
    node, value = item.node, str(item.node.value)
    start, end = node.start_mark, node.end_mark
    lines = item.file.read_text(encoding="utf-8").split("\n")
    before = value[:offset]
    if getattr(node, "style", None) == "|":
        number = start.line + 1 + before.count("\n")
        at = offset - (before.rfind("\n") + 1)
        written = value.split("\n")[before.count("\n")]
        indent = lines[number].find(written) if number < len(lines) else -1
        return (number + 1, indent + at + 1) if indent >= 0 else (start.line + 1, start.column + 1)
    # Quoted and folded texts differ from their source: search for the characters up to the next space.
    words = value[offset:].split("\n")[0].split(" ")[0][:40]
    seen = before.count(words)
    for number in range(start.line, min(end.line + 1, len(lines))):
        at = lines[number].find(words, start.column if number == start.line else 0) if words else -1
        while at >= 0:
            if not seen:
                return number + 1, at + 1
            seen -= 1
            at = lines[number].find(words, at + 1)
    return start.line + 1, start.column + 1
