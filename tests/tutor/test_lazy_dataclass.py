from __future__ import annotations

import dataclasses
import pickle
import re
from typing import Any

import pytest

from tests.support.runt import REPOSITORY
from tutor.lazy_dataclass import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """Frozen, with every kind of field."""

    path: str
    line: int = 1
    notes: dict[str, str] = field(default_factory=dict, hash=False)
    seen: float = field(default=0.0, compare=False)


@dataclass(slots=True)
class Counter:
    """Not frozen."""

    count: int = 0


@dataclass(frozen=True, slots=True)
class Deeper(Place):
    """With the fields of another."""

    depth: int = 0


@dataclass(frozen=True, slots=True)
class Nothing:
    """Without fields."""


STANDARD: Any = dataclasses.make_dataclass(
    "Place",
    [
        ("path", str),
        ("line", int, 1),
        ("notes", dict, dataclasses.field(default_factory=dict, hash=False)),
        ("seen", float, dataclasses.field(default=0.0, compare=False)),
    ],
    frozen=True,
    slots=True,
)


@pytest.mark.parametrize(
    ("positional", "named"),
    [
        (("a",), {}),
        (("a", 2, {"b": "c"}), {"seen": 3.0}),
        ((), {"line": 4, "path": "d"}),
        ((), {}),
        (("a",), {"path": "b"}),
        (("a",), {"column": 1}),
        (("a", 1, {}, 0.0, 5), {}),
    ],
)
def test_is_constructed_and_shown_as_the_standard_one(
    positional: tuple[Any, ...], named: dict[str, Any]
) -> None:
    try:
        expected = STANDARD(*positional, **named)
    except TypeError as error:
        with pytest.raises(TypeError, match=re.escape(str(error).removeprefix("Place"))):
            Place(*positional, **named)
    else:
        made = Place(*positional, **named)
        assert repr(made) == repr(expected)
        assert dataclasses.asdict(made) == dataclasses.asdict(expected)


def test_equality_and_hash_look_at_the_fields_that_count_and_at_the_class() -> None:
    assert Place("a", seen=1.0) == Place("a", seen=2.0) != Place("a", 2)
    assert Place("a") != Deeper("a")
    assert Place("a") != Place("a", notes={"b": "c"})
    assert hash(Place("a")) == hash(Place("a", notes={"b": "c"})) != hash(Place("b"))
    assert Nothing() == Nothing()
    assert len({Nothing(), Nothing(), Place("a"), Place("a")}) == 2
    assert Counter(1) == Counter(1) != Counter(2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Counter())


def test_frozen_is_frozen_and_the_others_are_not() -> None:
    place = Place("a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        place.path = "b"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del place.path
    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)
    with pytest.raises(AttributeError):
        counter.other = 1  # type: ignore[attr-defined]


def test_default_values_are_not_shared() -> None:
    Place("a").notes["b"] = "c"
    assert Place("a").notes == {}


def test_what_the_standard_library_offers_for_dataclasses_works() -> None:
    place = Deeper("a", 2, depth=3)
    assert dataclasses.replace(place, line=4) == Deeper("a", 4, depth=3)
    assert [each.name for each in dataclasses.fields(place)] == ["path", "line", "notes", "seen", "depth"]
    match place:
        case Place(path, line):
            assert (path, line) == ("a", 2)
    assert pickle.loads(pickle.dumps(place, 5)) == place  # noqa: S301


def test_every_dataclass_of_the_tutor_is_of_this_kind() -> None:
    """The standard decorator compiles six methods of a class while it is imported: what all of them cost, a learner waits for."""
    found = [
        path
        for path in (REPOSITORY / "tutor").rglob("*.py")
        if path.name != "lazy_dataclass.py"
        and re.search(r"^from dataclasses import .*\bdataclass\b", path.read_text(), re.MULTILINE)
    ]
    assert not found
