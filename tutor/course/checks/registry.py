"""The registry of check kinds, and how their arguments are read from a lesson."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from tutor.course.checks.verdict import Verdict
from tutor.course.model import Condition
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tutor.course.checks.context import CheckContext, Finding
    from tutor.course.model import Check
    from tutor.course.yaml_items import Item

ArgumentType = Literal[
    "text",
    "texts",
    "word",
    "words",
    "boolean",
    "integer",
    "integers",
    "pattern",
    "record",
    "records",
    "map",
    "data",
]
CheckFunction = Callable[["CheckContext", Mapping[str, Any]], "Finding"]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a check kind.

    - `words`, `word`: taken from `known`; an `integer` may be one of them instead. `pattern`: a regular expression.
    - `record`: a mapping of `members`; `records`: several of them, or one; `bare`: a value that is no mapping is the first member.
    - `map`: any names (of `known`, where given), whose values have the type of the one member. `data`: any JSON.
    """

    name: str
    type: ArgumentType
    required: bool = False
    known: tuple[str, ...] = ()
    members: tuple[Argument, ...] = ()
    bare: bool = False

    def read(self, item: Item) -> Any:
        """Return the argument's value from a lesson.

        Raises:
            LessonError: it has another type, or is an unknown word.
        """
        return _READERS[self.type](self, item)

    def _integer(self, item: Item) -> int | str:
        return item.choice(self.known) if self.known and isinstance(item.data(), str) else item.number()

    def _words(self, item: Item) -> tuple[str, ...]:
        item.texts()
        return tuple(each.choice(self.known) for each in _members(item))

    def _pattern(self, item: Item) -> str:
        try:
            re.compile(item.text())
        except re.error as error:
            raise item.error("pattern", value=item.text(), reason=str(error)) from error
        return item.text()

    def _record(self, item: Item) -> dict[str, Any]:
        if self.bare and not isinstance(item.data(), dict):
            return {self.members[0].name: self.members[0].read(item)}
        return read_members(item, self.members)

    def _records(self, item: Item) -> tuple[dict[str, Any], ...]:
        several = item.items() if isinstance(item.data(), list) else [item]
        return tuple(self._record(each) for each in several)

    def _map(self, item: Item) -> dict[str, Any]:
        (member,) = self.members
        for name in item.entries():
            if self.known and name not in self.known:
                raise item.key(name).error("unknown_key", name=name, known=", ".join(self.known))
        return {name: member.read(value) for name, value in item.entries().items()}


_READERS: dict[str, Callable[[Argument, Item], Any]] = {
    "text": lambda _argument, item: item.text(),
    "texts": lambda _argument, item: item.texts(),
    "word": lambda argument, item: item.choice(argument.known),
    "words": Argument._words,
    "boolean": lambda _argument, item: item.boolean(),
    "integer": Argument._integer,
    "integers": lambda _argument, item: tuple(each.number() for each in _members(item)),
    "pattern": Argument._pattern,
    "record": Argument._record,
    "records": Argument._records,
    "map": Argument._map,
    "data": lambda _argument, item: item.data(),
}


def _members(item: Item) -> list[Item]:
    return item.items() if isinstance(item.node.value, list) else [item]


def read_members(item: Item, arguments: tuple[Argument, ...], one_of: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the members of a mapping, each read as its argument says.

    Raises:
        LessonError: one is unknown, missing, or of another type.
    """
    by_name = {argument.name: argument for argument in arguments}
    required = [argument.name for argument in arguments if argument.required]
    entries = item.mapping(required, [name for name in by_name if name not in required])
    if one_of and not any(name in entries for name in one_of):
        raise item.error("missing_one_of", names=", ".join(one_of))
    return {name: by_name[name].read(value) for name, value in entries.items()}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of check. `one_of`: at least one of these arguments must be given."""

    name: str
    arguments: tuple[Argument, ...]
    one_of: tuple[str, ...]
    run: CheckFunction

    def read(self, item: Item) -> dict[str, Any]:
        """Return the arguments of one check from a lesson.

        Raises:
            LessonError: an argument is unknown, missing, or of another type.
        """
        return read_members(item, self.arguments, self.one_of)


TOPICS = (
    "cgroups",
    "combine",
    "commands",
    "config",
    "docker",
    "files",
    "images",
    "mounts",
    "namespaces",
    "own",
    "privileges",
    "processes",
    "runtime",
    "traits",
)
"""The modules of this package that have kinds."""

_registered: dict[str, Kind] = {}


class _Kinds(Mapping[str, Kind]):
    """All kinds by name. The modules of all topics are imported when it is read first: a lesson is on the screen before that."""

    def __getitem__(self, name: str) -> Kind:
        return _all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_all())

    def __len__(self) -> int:
        return len(_all())


@cache
def _all() -> dict[str, Kind]:
    for topic in TOPICS:
        import_module(f"{__package__}.{topic}")
    return _registered


KINDS: Mapping[str, Kind] = _Kinds()


def register(kind: Kind) -> None:
    """Add a kind."""
    _registered[kind.name] = kind


def kind(
    name: str, *arguments: Argument, one_of: tuple[str, ...] = ()
) -> Callable[[CheckFunction], CheckFunction]:
    """Register a check function under the name that lessons use."""

    def decorate(function: CheckFunction) -> CheckFunction:
        register(Kind(name, arguments, one_of, function))
        return function

    return decorate


def read_condition(item: Item, beside: Collection[str] = ()) -> Condition:
    """Return the condition that a lesson writes as a mapping of its kind to its arguments; skip the keys of `beside`.

    Raises:
        LessonError: no kind or several, an unknown one, or its arguments don't fit.
    """
    entries = item.entries()
    names = [name for name in entries if name not in beside]
    for name in names:
        if name not in KINDS:
            raise item.key(name).error("unknown_kind", name=name, known=", ".join(KINDS))
    if len(names) != 1:
        raise item.error("one_kind", known=", ".join(KINDS))
    return Condition(names[0], KINDS[names[0]].read(entries[names[0]]))


def find(condition: Condition | Check, context: CheckContext) -> Finding:
    """Return whether a condition holds at one moment, with the evidence."""
    return KINDS[condition.kind].run(context, condition.arguments)


def evaluate(check: Check, context: CheckContext) -> Verdict:
    """Run a check on one moment."""
    finding = find(check, context)
    return Verdict(check.id, check.text, finding.passed, finding.evidence)
