"""What is compared: the facts of a container at one moment, and what became of the bundle on each engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from tutor.lazy_dataclass import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.engines.engine import Engine

Moment = Literal["created", "running"]
MOMENTS: tuple[Moment, ...] = get_args(Moment)
"""The states of runtime.md#state in which the container is looked at."""
Section = Literal[
    "namespaces", "mounts", "capabilities", "mappings", "ids", "cgroup", "descriptors", "root", "protection", "processes"
]  # fmt: skip
SECTIONS: tuple[Section, ...] = get_args(Section)


class Key(NamedTuple):
    """What a fact is about: `/proc` in the section `mounts`, and of that the `propagation`; `aspect` may be empty."""

    section: Section
    name: str
    aspect: str = ""


Facts = dict[Key, str]
"""What the kernel says, in its own words and in the order in which it is shown."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the bundle on one engine.

    Attributes:
        engine: the engine.
        facts: what the kernel said at each moment that the container came to.
        failed: the operation that the engine refused, else empty; `said` is the last line of what it printed then.
        hung: whether that operation did not end, and was ended.
        ended: the moment at which the program had ended before it could be looked at; empty if there was none.
    """

    engine: Engine
    facts: Mapping[Moment, Facts] = field(default_factory=dict)
    failed: str = ""
    said: str = ""
    hung: bool = False
    ended: str = ""
