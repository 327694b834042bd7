"""Read YAML with the position of every value, so that each error has its line and column.

PyYAML's constructed values have no position; its nodes have. An `Item` is a node with the methods that a loader needs:
return a mapping with only these keys, a text, one of these words, or raise an error with the position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from yaml.constructor import SafeConstructor

from tutor.course.errors import LessonError
from tutor.course.storage import lies_within
from tutor.lazy_dataclass import dataclass
from tutor.yaml_loading import LOADER

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_TAG = "tag:yaml.org,2002:"


def parse(file: Path) -> Item:
    """Return the root of a YAML file.

    Raises:
        LessonError: the file cannot be read, is not YAML, is empty, or is a link that leads out of its folder.
    """
    if not lies_within(file, file.parent):
        raise LessonError("outside", file=file, line=1, column=1, path=file.resolve())
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "UTF-8"
        raise LessonError("unreadable", file=file, reason=reason) from error
    try:
        node = yaml.compose(text, LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        reason = error.problem or error.context or ""
        raise LessonError("syntax", file=file, line=line, column=column, reason=reason) from error
    except yaml.YAMLError as error:
        raise LessonError("syntax", file=file, reason=str(error)) from error
    except RecursionError as error:
        raise LessonError("syntax", file=file, reason="nesting too deep") from error
    if node is None:
        raise LessonError("empty", file=file, line=1, column=1)
    if (within := _within_itself(node, (), set())) is not None:
        raise Item(file, within).error("syntax", reason="recursive alias")
    return Item(file, node)


def _within_itself(node: yaml.Node, above: tuple[yaml.Node, ...], seen: set[int]) -> yaml.Node | None:
    """Return a node that an alias puts into itself, None if there is none."""
    if node in above:
        return node
    if isinstance(node, yaml.ScalarNode) or id(node) in seen:
        return None
    seen.add(id(node))
    children = (
        [each for pair in node.value for each in pair] if isinstance(node, yaml.MappingNode) else node.value
    )
    found = (_within_itself(each, (*above, node), seen) for each in children)
    return next((each for each in found if each is not None), None)


@dataclass(frozen=True, slots=True)
class Item:
    """A YAML node and its file."""

    file: Path
    node: yaml.Node

    def error(self, key: str, /, **values: object) -> LessonError:
        """Return the error `course.error.KEY` with the position of this node."""
        mark = self.node.start_mark
        return LessonError(key, file=self.file, line=mark.line + 1, column=mark.column + 1, **values)

    def entries(self) -> dict[str, Item]:
        """Return the members of a mapping, of any keys; a key that occurs twice is an error."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error("expected.mapping", found=self._kind())
        found: dict[str, Item] = {}
        for key_node, value_node in self.node.value:
            key = Item(self.file, key_node).text()
            if key in found:
                raise Item(self.file, key_node).error("duplicate_key", name=key)
            found[key] = Item(self.file, value_node)
        return found

    def mapping(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Item]:
        """Return the members of a mapping, which must have all the required keys and no unknown ones."""
        entries = self.entries()
        known = [*required, *optional]
        for name in entries:
            if name not in known:
                raise self.key(name).error("unknown_key", name=name, known=", ".join(known))
        for name in required:
            if name not in entries:
                raise self.error("missing_key", name=name)
        return entries

    def key(self, name: str) -> Item:
        """Return the key itself, for an error about it."""
        assert isinstance(self.node, yaml.MappingNode)  # noqa: S101  (called after `entries` only)
        return Item(self.file, next(node for node, _ in self.node.value if node.value == name))

    def items(self) -> list[Item]:
        """Return the members of a sequence."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error("expected.sequence", found=self._kind())
        return [Item(self.file, node) for node in self.node.value]

    def text(self) -> str:
        """Return a text."""
        if self.node.tag != _TAG + "str":
            raise self.error("expected.text", found=self._kind())
        return str(self.node.value)

    def texts(self) -> tuple[str, ...]:
        """Return a sequence of texts; a single text counts as a sequence of one."""
        if isinstance(self.node, yaml.ScalarNode):
            return (self.text(),)
        return tuple(item.text() for item in self.items())

    def number(self) -> int:
        """Return a whole number."""
        return int(self._scalar("int", "number"))

    def seconds(self) -> float:
        """Return a number of seconds, whole or with decimals."""
        if self.node.tag == _TAG + "float":
            return float(self.data())
        return float(self.number())

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping, where a lesson may have one or a plain value."""
        return isinstance(self.node, yaml.MappingNode)

    def is_word(self, word: str) -> bool:
        """Tell whether this is that plain word, where a lesson may have one or another value."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.value == word

    def single(self, known: Collection[str], beside: Collection[str] = ()) -> tuple[str, Item]:
        """Return the one member of a mapping that is among the known ones; keys in `beside` are ignored."""
        entries = self.entries()
        names = [name for name in entries if name not in beside]
        for name in names:
            if name not in known:
                raise self.key(name).error("unknown_key", name=name, known=", ".join([*known, *beside]))
        if len(names) != 1:
            raise self.error("just_one", known=", ".join(known))
        return names[0], entries[names[0]]

    def boolean(self) -> bool:
        """Return true or false."""
        return bool(self._scalar("bool", "boolean"))

    def choice(self, known: Collection[str]) -> str:
        """Return a text that must be one of the known ones."""
        value = self.text()
        if value not in known:
            raise self.error("unknown_value", value=value, known=", ".join(known))
        return value

    def identifier(self) -> str:
        """Return a text of lowercase letters, digits and `-`, which can be a file name and an argument."""
        value = self.text()
        if not value or not all(c.isascii() and (c.islower() or c.isdigit() or c == "-") for c in value):
            raise self.error("identifier", value=value)
        return value

    def data(self) -> Any:
        """Return the value as the data that JSON has, too; a date, a set or a tag of another program is an error."""
        try:
            value = SafeConstructor().construct_document(self.node)
        except (yaml.YAMLError, ValueError, TypeError) as error:
            raise self.error("expected.plain", found=self._kind()) from error
        if not _is_plain(value):
            raise self.error("expected.plain", found=self._kind())
        return value

    def _scalar(self, tag: str, expected: str) -> Any:
        if self.node.tag != _TAG + tag:
            raise self.error(f"expected.{expected}", found=self._kind())
        return self.data()

    def _kind(self) -> str:
        return str(self.node.tag).removeprefix(_TAG)


def _is_plain(value: object) -> bool:
    """Tell whether a value is of the types that JSON has."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    if isinstance(value, list):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, str | int | float)
