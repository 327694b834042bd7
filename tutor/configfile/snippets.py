"""Puts a piece of JSON that a lesson shows, `"mounts": [...]` or one item of an array, where it belongs in a `config.json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tutor.configfile.document import Span, child
from tutor.configfile.keystrokes import INDENTATION
from tutor.configfile.meanings import every_member, member_at, path_of
from tutor.configfile.parser import parse

if TYPE_CHECKING:
    from tutor.configfile.document import Document, JsonValue
    from tutor.configfile.meanings import Member
    from tutor.configfile.rules import Rule

_INLINE = 60  # characters of a value up to which it is written on one line
# By what an item of an array is another state of the one that is there, where the validator does not forbid two of them.
_NAMES = ("destination",)


def inserted(snippet: str, text: str) -> str | None:
    """Return a `config.json` with a snippet put in; None if either is not JSON, or if the snippet belongs nowhere."""
    document = parse(text)
    pieces = _pieces(snippet)
    if not document.valid or not isinstance(document.value, dict) or not pieces:
        return None
    for pointer, value in pieces:
        text = _put(text, pointer, value)
    return text


def _pieces(snippet: str) -> list[tuple[str, JsonValue]]:
    """Return what a snippet consists of: for each member or item the pointer of its place, and its value; an item's place is its array."""
    bare = snippet.strip().removesuffix(",")
    members = parse(f"{{{bare}}}")
    if members.valid and isinstance(members.value, dict):
        return _members(members.value)
    items = parse(f"[{bare}]")
    if not items.valid or not isinstance(items.value, list):
        return []
    if len(items.value) == 1 and isinstance(items.value[0], dict) and "ociVersion" in items.value[0]:
        return _members(items.value[0])
    found = [(_array_of(item), item) for item in items.value]
    return [(pointer, [item]) for pointer, item in found] if all(pointer for pointer, _ in found) else []


def _members(value: dict[str, JsonValue]) -> list[tuple[str, JsonValue]]:
    """Return the members with their places: the outermost object of the specification that has them all."""
    for home in every_member():
        if (
            home.rule.kind == "object"
            and "*" not in home.pattern
            and value.keys() <= home.rule.members.keys()
        ):
            return [(child(home.pattern, name), item) for name, item in value.items()]
    return []


def _array_of(item: JsonValue) -> str:
    """Return the pointer of the one array of objects whose items may be so; empty if there is none, or more than one."""
    found = [
        home.pattern
        for home in every_member()
        if home.rule.kind == "array"
        and "*" not in home.pattern
        and home.rule.items is not None
        and _fits(item, home.rule.items)
    ]
    return found[0] if len(found) == 1 else ""


def _fits(item: JsonValue, rule: Rule) -> bool:
    if rule.kind != "object" or not isinstance(item, dict):
        return False
    if not item.keys() <= rule.members.keys() or not set(rule.required) <= item.keys():
        return False
    choices = {name: rule.members[name].choices for name in item if rule.members[name].choices}
    return all(item[name] in allowed for name, allowed in choices.items())


def _put(text: str, pointer: str, value: JsonValue) -> str:
    """Put a value at a pointer: an object's members one by one, an array's objects behind or instead of those of the same name."""
    document = parse(text)
    present = document.at(pointer)
    if pointer not in document.values:
        return _add_member(text, document, pointer, value)
    if isinstance(value, dict) and isinstance(present, dict):
        for name, item in value.items():
            text = _put(text, child(pointer, name), item)
        return text
    if (
        isinstance(value, list)
        and isinstance(present, list)
        and all(isinstance(item, dict) for item in value)
    ):
        for item in value:
            text = _put_item(text, pointer, item)
        return text
    return text if present == value else _replace(text, document.values[pointer], value)


def _put_item(text: str, pointer: str, item: JsonValue) -> str:
    document = parse(text)
    present = document.at(pointer)
    assert isinstance(present, list)  # noqa: S101  (for mypy: `_put` has looked)
    if item in present:
        return text
    name = _name_in(member_at(path_of(pointer)))
    for index, other in enumerate(present):
        if name and isinstance(item, dict) and isinstance(other, dict) and other.get(name) == item.get(name):
            return _replace(text, document.values[child(pointer, index)], item)
    return _append(text, document, pointer, item, "")


def _name_in(member: Member | None) -> str:
    """Return the member that tells the items of an array apart; empty if there may be equal ones."""
    if member is None or member.rule.items is None:
        return ""
    return member.rule.unique or next((name for name in _NAMES if name in member.rule.items.members), "")


def _add_member(text: str, document: Document, pointer: str, value: JsonValue) -> str:
    """Add a member, with the objects and arrays around it that are missing."""
    above, _, name = pointer.rpartition("/")
    while above not in document.values:
        value = {name: value}
        above, _, name = above.rpartition("/")
    return _append(text, document, above, value, f"{json.dumps(name)}: ")


def _append(text: str, document: Document, pointer: str, value: JsonValue, label: str) -> str:
    """Put a value, with its key, behind all that an object or array has."""
    span = document.values[pointer]
    inside = [each for at, each in document.values.items() if at.rpartition("/")[0] == pointer and at]
    indent = _indent(text, span.start)
    if not inside:
        deeper = indent + " " * INDENTATION
        written = (
            f"{text[span.start]}\n{deeper}{label}{_written(value, deeper)}\n{indent}{text[span.end - 1]}"
        )
        return text[: span.start] + written + text[span.end :]
    last = max(each.end for each in inside)
    on_one_line = "\n" not in text[span.start : last]
    present = document.at(pointer)
    if on_one_line and isinstance(present, list):
        return _replace(text, span, [*present, value])
    deeper = indent if on_one_line else _indent(text, _first_line(document, pointer, text))
    gap = " " if on_one_line else f"\n{deeper}"
    return f"{text[:last]},{gap}{label}{_written(value, deeper)}{text[last:]}"


def _first_line(document: Document, pointer: str, text: str) -> int:
    """Return an offset on the line on which the first member or item begins."""
    spans = [
        each
        for places in (document.keys, document.values)
        for at, each in places.items()
        if at and at.rpartition("/")[0] == pointer
    ]
    return min(each.start for each in spans) if spans else len(text)


def _replace(text: str, span: Span, value: JsonValue) -> str:
    return text[: span.start] + _written(value, _indent(text, span.start)) + text[span.end :]


def _written(value: JsonValue, indent: str) -> str:
    """Return a value as text: what is short on one line, else a line for each member and item."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) <= _INLINE or not isinstance(value, dict | list):
        return line
    deeper = indent + " " * INDENTATION
    if isinstance(value, dict):
        lines = [
            f"{json.dumps(name, ensure_ascii=False)}: {_written(item, deeper)}"
            for name, item in value.items()
        ]
        opening, closing = "{", "}"
    else:
        lines = [_written(item, deeper) for item in value]
        opening, closing = "[", "]"
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(lines) + f"\n{indent}{closing}"


def _indent(text: str, offset: int) -> str:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return line[: len(line) - len(line.lstrip())]
