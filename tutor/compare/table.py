"""Outcomes side by side: a row for each fact, with what each engine made of it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from tutor.compare.model import MOMENTS, SECTIONS, Key, Moment
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.compare.model import Outcome


@dataclass(frozen=True, slots=True)
class Row:
    """A fact on each engine that came to this moment: by the engine's name, None where the kernel has no such thing there.

    `passing`: it differs in `created`, and no more in `running`; engines do the same work at other moments.
    """

    key: Key
    values: dict[str, str | None]
    passing: bool = False

    @property
    def differs(self) -> bool:
        """Whether the engines differ."""
        return len(set(self.values.values())) > 1


def table(outcomes: Sequence[Outcome]) -> dict[Moment, tuple[Row, ...]]:
    """Return the rows of each moment that at least two engines came to, section by section."""
    rows = {moment: _rows(outcomes, moment) for moment in MOMENTS}
    later = {row.key: row for row in rows["running"]}
    ran = {each.engine.name for each in outcomes if "running" in each.facts}
    came = {each.engine.name for each in outcomes if "created" in each.facts}
    if came == ran:
        rows["created"] = tuple(
            Row(row.key, row.values, row.differs and not (row.key in later and later[row.key].differs))
            for row in rows["created"]
        )
    return {moment: found for moment, found in rows.items() if found}


def _rows(outcomes: Sequence[Outcome], moment: Moment) -> tuple[Row, ...]:
    facts = {each.engine.name: each.facts[moment] for each in outcomes if moment in each.facts}
    if len(facts) < 2:
        return ()
    keys = dict.fromkeys(key for each in facts.values() for key in each)
    # By section, and by the first place of the name: what only the second engine has comes after what the first has.
    names = {name: place for place, name in enumerate(dict.fromkeys(key[:2] for key in keys))}

    def place(key: Key) -> tuple[int, int]:
        return SECTIONS.index(key.section), int(key.name) if key.name.isdigit() else names[key[:2]]

    return tuple(
        Row(key, {name: each.get(key) for name, each in facts.items()}) for key in sorted(keys, key=place)
    )


def folded(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with one for a thing that an engine does not have at all, in place of one for each of its aspects."""
    found: list[Row] = []
    for _, group in groupby(rows, key=lambda row: row.key[:2]):
        thing = list(group)
        lists = {name: [row.values[name] for row in thing] for name in thing[0].values}
        if len(thing) > 1 and any(not any(values) for values in lists.values()):
            values = {name: " ".join(filter(None, each)) or None for name, each in lists.items()}
            thing = [Row(thing[0].key._replace(aspect=""), values, any(row.passing for row in thing))]
        found += thing
    return found
