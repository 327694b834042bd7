"""What may be written where the cursor is in a `config.json`: the members of the object there, the values of the member there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tutor.configfile.cursor import place_at
from tutor.configfile.meanings import child_of, member_at
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tutor.configfile.cursor import Place
    from tutor.configfile.meanings import Member

# What is written behind a key for a value of each kind, with the cursor at `|`.
_VALUES = {"object": "{|}", "map": "{|}", "array": "[|]", "string": '"|"'}


@dataclass(frozen=True, slots=True)
class Change:
    """A part of a text, in character offsets, and what replaces it; `caret` is where the cursor is in that afterwards."""

    start: int
    end: int
    text: str
    caret: int

    def applied(self, text: str) -> str:
        """Return the text with the change made."""
        return text[: self.start] + self.text + text[self.end :]

    @property
    def cursor(self) -> int:
        """The character offset of the cursor afterwards."""
        return self.start + self.caret


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that may be written: `label` as it is shown; `member` and `value` tell what it means."""

    label: str
    change: Change
    member: Member
    value: str = ""

    @property
    def key(self) -> bool:
        """Whether it is the name of a member."""
        return not self.value


def candidates(text: str, offset: int) -> tuple[Candidate, ...]:
    """Return what may be written at the cursor, the likeliest first; nothing where it is all there already."""
    place = place_at(text, offset)
    if place.role == "key":
        return _keys(text, place)
    if place.role == "value":
        return _values(text, place)
    return ()


def _keys(text: str, place: Place) -> tuple[Candidate, ...]:
    owner = member_at(place.owner or ())
    if owner is None:
        return ()
    names: Iterable[str] = owner.rule.members if owner.rule.kind == "object" else owner.rule.names
    known = [(name, child_of(owner, name)) for name in names if name not in place.names]
    of = {name: member for name, member in known if member is not None and member.rule.kind != "any"}
    wanted = (*owner.rule.required, *owner.rule.expected)
    order = sorted(of, key=lambda name: (_rank(name, place.typed), name not in wanted))
    return tuple(
        Candidate(name, _key_change(text, place, name, of[name]), of[name])
        for name in order
        if _rank(name, place.typed) < _NO_MATCH and not (name == place.typed and place.has_colon)
    )


def _values(text: str, place: Place) -> tuple[Candidate, ...]:
    member = member_at(place.path)
    if member is None:
        return ()
    rule = member.rule
    if rule.kind in ("object", "map", "array"):
        if place.start != place.end:
            return ()
        skeleton = _VALUES[rule.kind]
        label = "{ }" if rule.kind != "array" else "[ ]"
        return (Candidate(label, _value_change(text, place, skeleton), member, label),)
    words = ("true", "false") if rule.kind == "boolean" else member.values
    if place.owner is not None and isinstance(place.path[-1], int):
        words = tuple(word for word in words if word not in place.names)
    found = [word for word in words if _rank(word, place.typed) < _NO_MATCH]
    if found == [place.typed]:
        return ()
    return tuple(
        Candidate(
            word,
            _value_change(text, place, f"{word}|" if rule.kind == "boolean" else f"{json.dumps(word)}|"),
            member,
            word,
        )
        for word in sorted(found, key=lambda word: _rank(word, place.typed))
    )


_NO_MATCH = 3


def _rank(word: str, typed: str) -> int:
    """Return how well a word fits what is typed: it begins so, a part of it does (`CAP_|CHOWN`), it contains it, not at all."""
    word, typed = word.lower(), typed.lower()
    if word.startswith(typed):
        return 0
    if f"_{typed}" in word:
        return 1
    return 2 if typed in word else _NO_MATCH


def _key_change(text: str, place: Place, name: str, member: Member) -> Change:
    if place.has_colon:
        written = f"{json.dumps(name)}|"
    else:
        written = f"{json.dumps(name)}: {_VALUES.get(member.rule.kind, '|')}"
    return _value_change(text, place, written)


def _value_change(text: str, place: Place, written: str) -> Change:
    """Return the change that writes this in the place, with the commas that are missing before and behind it; `|` is the cursor."""
    before, _, after = written.partition("|")
    start = place.start
    if place.comma_at is not None:
        start = place.comma_at
        before = "," + text[start : place.start] + before
    comma = "," if place.follows and not place.has_colon else ""
    return Change(start, place.end, before + after + comma, len(before))
