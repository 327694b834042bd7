"""What a relation is, and the numbers and texts that relations ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.lazy_dataclass import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.configfile.document import JsonValue


@dataclass(frozen=True, slots=True)
class Relation:
    """A condition that is not met: the pointer of the member, which may be missing, and the message below `structure`."""

    pointer: str
    key: str
    clause: str
    values: dict[str, str | int] = field(default_factory=dict)


def number(owner: Mapping[str, JsonValue], name: str) -> int:
    """Return a number; 0 if there is none."""
    value = owner.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def text(owner: Mapping[str, JsonValue], name: str) -> str:
    """Return a string; empty if there is none."""
    value = owner.get(name)
    return value if isinstance(value, str) else ""


def strings(owner: Mapping[str, JsonValue], name: str) -> list[str]:
    """Return an array of strings, with an empty string in place of anything else, so that indexes stay; empty if there is none."""
    value = owner.get(name)
    return [item if isinstance(item, str) else "" for item in value] if isinstance(value, list) else []


def outside(pointer: str, found: int, minimum: int, maximum: int, clause: str) -> Relation | None:
    """Return the relation of a number outside of its range, both ends included; None if it is inside."""
    values: dict[str, str | int] = {"found": found, "minimum": minimum, "maximum": maximum}
    return None if minimum <= found <= maximum else Relation(pointer, "range", clause, values)
