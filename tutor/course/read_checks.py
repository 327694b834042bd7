"""Read the checks, hints, known wrong answers and dead ends of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.checks import read_condition
from tutor.course.model import Action, Check, DeadEnd, Hint, WrongAnswer
from tutor.course.placeholders import shown_text
from tutor.course.read_actions import read_actions

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.yaml_items import Item

BESIDE = ("id", "within", "stable_for", "guard")


def identifier(item: Item, entries: dict[str, Item]) -> str:
    """Return the `id` of a member of a list.

    Raises:
        LessonError: it has none, or the id has characters that are not allowed.
    """
    if "id" not in entries:
        raise item.error("missing_key", name="id")
    return entries["id"].identifier()


def read_checks(item: Item, words: Item) -> tuple[Check, ...]:
    """Return a step's checks: each is a mapping of its `id`, one kind with its arguments, and its times."""
    pairs = _pairs(item)
    texts = words.mapping(list(pairs))
    return tuple(
        Check(
            name,
            condition.kind,
            condition.arguments,
            shown_text(texts[name]),
            within=entries["within"].seconds() if "within" in entries else 0.0,
            stable_for=entries["stable_for"].seconds() if "stable_for" in entries else 0.0,
            guard=entries["guard"].boolean() if "guard" in entries else False,
        )
        for name, each in pairs.items()
        for entries in [each.entries()]
        for condition in [read_condition(each, BESIDE)]
    )


def read_hints(item: Item, words: Item) -> tuple[Hint, ...]:
    """Return a step's hints: each is offered `after` a number of failed tries, or given `when` a condition holds."""
    pairs = {name: each.mapping(("id",), ("after", "when")) for name, each in _pairs(item).items()}
    texts = words.mapping(list(pairs))
    return tuple(
        Hint(
            shown_text(texts[name]),
            entries["after"].number() if "after" in entries else 0,
            name,
            read_condition(entries["when"]) if "when" in entries else None,
        )
        for name, entries in pairs.items()
    )


def read_wrong_answers(
    folder: Path, item: Item, hints: tuple[Hint, ...], *, quiz: bool
) -> tuple[WrongAnswer, ...]:
    """Return a step's known wrong answers: each has the actions to `do`, and the `hint` with `when` for it; a quiz has feedback."""
    with_when = [hint.id for hint in hints if hint.when is not None]
    found = []
    for name, each in _pairs(item).items():
        entries = each.mapping(("id", "do") if quiz else ("id", "do", "hint"), ("hint",) if quiz else ())
        hint = entries["hint"].choice(with_when) if "hint" in entries else ""
        found.append(WrongAnswer(name, read_actions(folder, entries["do"]), hint))
    return tuple(found)


def read_dead_ends(folder: Path, item: Item, words: Item) -> tuple[DeadEnd, ...]:
    """Return a step's dead ends (`fail_if`): conditions in which it cannot be done any more, each with its `recovery`."""
    pairs = {name: each.mapping(("id", "when"), ("recovery",)) for name, each in _pairs(item).items()}
    texts = words.mapping(list(pairs))
    return tuple(
        DeadEnd(name, read_condition(entries["when"]), shown_text(texts[name]), _recovery(folder, entries))
        for name, entries in pairs.items()
    )


def _recovery(folder: Path, entries: dict[str, Item]) -> tuple[Action, ...]:
    recovery = entries.get("recovery")
    if recovery is None or recovery.is_word("reset"):
        return ()
    return read_actions(folder, recovery)


def _pairs(item: Item) -> dict[str, Item]:
    """Return the members of a list by their ids, which must differ."""
    found: dict[str, Item] = {}
    for each in item.items():
        entries = each.entries()
        name = identifier(each, entries)
        if name in found:
            raise entries["id"].error("duplicate_id", name=name)
        found[name] = each
    return found
