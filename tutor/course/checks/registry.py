"""The registry of check kinds, and the reading of their arguments from a lesson."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tutor.course.model import Condition
from tutor.session.events import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection

    from tutor.course.checks.context import CheckContext, Finding
    from tutor.course.model import Check
    from tutor.course.nodes import Item

CheckFunction = Callable[["CheckContext", Mapping[str, Any]], "Finding"]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a check kind. `words` and `word` are taken from `known`; `data` is anything."""

    name: str
    type: Literal["text", "texts", "word", "words", "boolean", "data"]
    required: bool = False
    known: tuple[str, ...] = ()

    def read(self, item: Item) -> object:
        """Return the argument's value from a lesson.

        Raises:
            LessonError: it is of another type, or a word that is not known.
        """
        match self.type:
            case "text":
                return item.text()
            case "texts":
                return item.texts()
            case "word":
                return item.choice(self.known)
            case "words":
                item.texts()
                return tuple(each.choice(self.known) for each in _members(item))
            case "boolean":
                return item.boolean()
            case "data":
                return item.data()


def _members(item: Item) -> list[Item]:
    return [item] if isinstance(item.node.value, str) else item.items()


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
        by_name = {argument.name: argument for argument in self.arguments}
        required = [argument.name for argument in self.arguments if argument.required]
        entries = item.mapping(required, [name for name in by_name if name not in required])
        if self.one_of and not any(name in entries for name in self.one_of):
            raise item.error("missing_one_of", names=", ".join(self.one_of))
        return {name: by_name[name].read(value) for name, value in entries.items()}


KINDS: dict[str, Kind] = {}


def kind(
    name: str, *arguments: Argument, one_of: tuple[str, ...] = ()
) -> Callable[[CheckFunction], CheckFunction]:
    """Register a check function under the name that lessons use."""

    def register(function: CheckFunction) -> CheckFunction:
        KINDS[name] = Kind(name, arguments, one_of, function)
        return function

    return register


def read_condition(item: Item, beside: Collection[str] = ()) -> Condition:
    """Return the condition that a lesson writes as a mapping of its kind to its arguments; keys `beside` it are others' business.

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
    """Tell whether a condition holds at one moment, with what was seen."""
    return KINDS[condition.kind].run(context, condition.arguments)


def evaluate(check: Check, context: CheckContext) -> Verdict:
    """Run one check on one moment."""
    finding = find(check, context)
    return Verdict(check.id, check.text, finding.passed, finding.evidence)
