"""The rules of which the table of members (members.py) consists: data without behaviour."""

from __future__ import annotations

from typing import Literal

from tutor.lazy_dataclass import dataclass, field

Kind = Literal["object", "map", "array", "string", "boolean", "integer", "any"]
# The names of conditions beyond kind and range; text_checks.py has a function for each.
Check = Literal[
    "absolute", "absolute_destination", "access", "environment", "numbers", "page_size", "version"
]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value may be.

    Attributes:
        kind: the kind of JSON value; `any` is not checked.
        clause: the section of the specification; if empty, that of the enclosing rule.
        members: an object's known members; others are accepted, as the specification demands.
        required: members without which a runtime refuses the file; `expected`: members whose absence is a warning.
        items: the rule of an array's items or a map's values.
        choices: the valid strings; `lenient`: another one is only a warning.
        minimum, maximum: an integer's range; least: the smallest number of items of an array.
        unique: the member by which two items of an array may not be the same.
        check: a further condition; nul: a string may have NUL characters.
        names: the names that a map may have; if empty, any.
    """

    kind: Kind
    clause: str = ""
    members: dict[str, Rule] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    items: Rule | None = None
    choices: tuple[str, ...] = ()
    lenient: bool = False
    minimum: int | None = None
    maximum: int | None = None
    least: int = 0
    unique: str = ""
    check: Check | None = None
    nul: bool = False
    names: tuple[str, ...] = ()


def obj(clause: str, required: str = "", expected: str = "", /, **members: Rule) -> Rule:
    """Return the rule of an object; the names of its required and expected members are separated by spaces."""
    return Rule("object", clause, members, tuple(required.split()), tuple(expected.split()))


def array(items: Rule, clause: str = "", *, least: int = 0, unique: str = "") -> Rule:
    """Return the rule of an array."""
    return Rule("array", clause, items=items, least=least, unique=unique)


def mapping(items: Rule, clause: str = "", *, names: str = "") -> Rule:
    """Return the rule of an object with values of one kind, and any names, or those given."""
    return Rule("map", clause, items=items, names=tuple(names.split()))


def string(clause: str = "", *, check: Check | None = None, nul: bool = False) -> Rule:
    """Return the rule of a string."""
    return Rule("string", clause, check=check, nul=nul)


def one_of(choices: str, clause: str = "", *, lenient: bool = False) -> Rule:
    """Return the rule of a string that is one of those named, separated by spaces."""
    return Rule("string", clause, choices=tuple(choices.split()), lenient=lenient)


def integer(minimum: int, maximum: int, clause: str = "") -> Rule:
    """Return the rule of an integer within a range, both ends included."""
    return Rule("integer", clause, minimum=minimum, maximum=maximum)
