"""Reading what a step asks and how it helps: its checks, hints, known wrong answers and dead ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.checks import read_condition
from tutor.course.model import Action, Check, DeadEnd, Hint, WrongAnswer
from tutor.course.placeholders import spoken
from tutor.course.read_actions import read_actions

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.yaml_items import Item

BESIDE = ("id", "within", "stable_for", "guard")


def identifier(item: Item, entries: dict[str, Item]) -> str:
    """Return the `id` of something that a lesson lists.

    Raises:
        LessonError: it has none, or one with other characters than an id's.
    """
    if "id" not in entries:
        raise item.error("missing_key", name="id")
    return entries["id"].identifier()


def read_checks(item: Item, words: Item) -> tuple[Check, ...]:
    """Each check is a mapping of its `id`, of one kind with that kind's arguments, and of how long it is looked at."""
    pairs = _pairs(item)
    texts = words.mapping(list(pairs))
    return tuple(
        Check(
            name,
            condition.kind,
            condition.arguments,
            spoken(texts[name]),
            within=entries["within"].seconds() if "within" in entries else 0.0,
            stable_for=entries["stable_for"].seconds() if "stable_for" in entries else 0.0,
            guard=entries["guard"].boolean() if "guard" in entries else False,
        )
        for name, each in pairs.items()
        for entries in [each.entries()]
        for condition in [read_condition(each, BESIDE)]
    )


def read_hints(item: Item, words: Item) -> tuple[Hint, ...]:
    """A hint is offered `after` so many failed tries, or given `when` a condition holds."""
    pairs = {name: each.mapping(("id",), ("after", "when")) for name, each in _pairs(item).items()}
    texts = words.mapping(list(pairs))
    return tuple(
        Hint(
            spoken(texts[name]),
            entries["after"].number() if "after" in entries else 0,
            name,
            read_condition(entries["when"]) if "when" in entries else None,
        )
        for name, entries in pairs.items()
    )


def read_wrong_answers(
    folder: Path, item: Item, hints: tuple[Hint, ...], *, quiz: bool
) -> tuple[WrongAnswer, ...]:
    """A known wrong answer is what is done (`do`) and the state-driven `hint` made for it; a quiz has its feedback instead."""
    made_for = [hint.id for hint in hints if hint.when is not None]
    found = []
    for name, each in _pairs(item).items():
        entries = each.mapping(("id", "do") if quiz else ("id", "do", "hint"), ("hint",) if quiz else ())
        hint = entries["hint"].choice(made_for) if "hint" in entries else ""
        found.append(WrongAnswer(name, read_actions(folder, entries["do"]), hint))
    return tuple(found)


def read_dead_ends(folder: Path, item: Item, words: Item) -> tuple[DeadEnd, ...]:
    """`fail_if` lists the conditions in which the step can't be done any more, each with its `recovery`."""
    pairs = {name: each.mapping(("id", "when"), ("recovery",)) for name, each in _pairs(item).items()}
    texts = words.mapping(list(pairs))
    return tuple(
        DeadEnd(name, read_condition(entries["when"]), spoken(texts[name]), _recovery(folder, entries))
        for name, entries in pairs.items()
    )


def _recovery(folder: Path, entries: dict[str, Item]) -> tuple[Action, ...]:
    recovery = entries.get("recovery")
    if recovery is None or recovery.is_word("reset"):
        return ()
    return read_actions(folder, recovery)


def _pairs(item: Item) -> dict[str, Item]:
    """Return the members of a list by their ids, which may not stand twice."""
    found: dict[str, Item] = {}
    for each in item.items():
        entries = each.entries()
        name = identifier(each, entries)
        if name in found:
            raise entries["id"].error("duplicate_id", name=name)
        found[name] = each
    return found
