"""Differences that are known: which trait of the engines makes a row differ, and on which versions it was seen.

A trait explains a row if the configuration asks for what the trait is about, and the engines' answers fit what is seen: not all the same,
and the same value wherever the same answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tutor.engines.traits.kept import kept
from tutor.engines.traits.table import Table
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tutor.compare.table import Row
    from tutor.engines.engine import Engine
    from tutor.home import Home

    Config = dict[str, Any]
    Condition = Callable[[Config, Row], bool]

_PROPAGATIONS = {
    f"{recursive}{kind}" for recursive in ("", "r") for kind in ("shared", "slave", "private", "unbindable")
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What one version of an engine answered to a trait's question, and on which day (ISO 8601)."""

    engine: str
    version: str
    answer: str
    date: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The trait that a difference is an instance of, and what each of the engines compared answers."""

    trait: str
    seen: tuple[Seen, ...]


def explanation(row: Row, config: Config, engines: Sequence[Engine], home: Home) -> Explanation | None:
    """Return why a row differs; None where that is not known."""
    if not row.differs:
        return None
    for trait, applies in _TRAITS.items():
        if not applies(config, row):
            continue
        seen = [found for each in engines if each.name in row.values and (found := _seen(trait, each, home))]
        by_answer: dict[str, set[str | None]] = {}
        for each in seen:
            by_answer.setdefault(each.answer, set()).add(row.values[each.engine])
        fits = len(by_answer) > 1 and all(len(values) == 1 for values in by_answer.values())
        if fits and len(set.union(*by_answer.values())) > 1:
            return Explanation(trait, tuple(seen))
    return None


def _seen(trait: str, engine: Engine, home: Home) -> Seen | None:
    """Return what is recorded of exactly this version, else what the engine answered on this machine."""
    recorded = Table.load().recorded(engine.name, engine.version)
    if recorded and (answer := recorded.answers.get(trait)):
        return Seen(engine.name, engine.version, answer, recorded.date)
    asked = kept(home, engine)
    if asked and (answer := asked.get(trait)):
        return Seen(engine.name, engine.version, answer, asked.date)
    return None


def _get(config: Config, *path: str) -> Any:
    """Return a member of the configuration; None where there is none."""
    found: Any = config
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _of_mount(config: Config, row: Row) -> Iterator[tuple[Config, list[str]]]:
    """Yield the mounts of the configuration at the row's target, with their options."""
    mounts = _get(config, "mounts")
    for each in mounts if isinstance(mounts, list) else []:
        if _get(each, "destination") == row.key.name:
            options = _get(each, "options")
            yield each, options if isinstance(options, list) else []


def _binds(config: Config, row: Row) -> list[tuple[Config, list[str]]]:
    found = [] if row.key.aspect != "propagation" else list(_of_mount(config, row))
    return [(each, options) for each, options in found if {"bind", "rbind"} & set(options)]


def _slave_of(config: Config, row: Row, *, absolute: bool) -> bool:
    return any(
        {"slave", "rslave"} & set(options) and str(_get(each, "source")).startswith("/") == absolute
        for each, options in _binds(config, row)
    )


def _limit(config: Config, row: Row, files: tuple[str, ...], controller: str, value: int) -> bool:
    return row.key.name in files and value == _get(config, "linux", "resources", controller, "limit")


_MEMORY, _PIDS = ("memory.limit_in_bytes", "memory.max"), ("pids.max",)
_TRAITS: dict[str, Condition] = {
    "absent-capabilities": lambda config, row: (
        row.key.section == "capabilities" and _get(config, "process", "capabilities") is None
    ),
    "duplicate-groups": lambda config, row: (
        row.key[:2] == ("ids", "groups")
        and isinstance(groups := _get(config, "process", "user", "additionalGids"), list)
        and len(set(map(str, groups))) < len(groups)
    ),
    "empty-linux": lambda config, row: (
        row.key.section == "mounts" and not _get(config, "linux", "namespaces")
    ),
    "default-bind-propagation": lambda config, row: any(
        not _PROPAGATIONS & set(options) for _, options in _binds(config, row)
    ),
    "absolute-bind-propagation": lambda config, row: _slave_of(config, row, absolute=True),
    "relative-bind-propagation": lambda config, row: _slave_of(config, row, absolute=False),
    "masked-directory": lambda config, row: row.key.section == "mounts" and row.key.name in (
        _get(config, "linux", "maskedPaths") or ()
    ),
    "memory-limit-zero": lambda config, row: _limit(config, row, _MEMORY, "memory", 0),
    "memory-limit-minus-one": lambda config, row: _limit(config, row, _MEMORY, "memory", -1),
    "pids-limit-zero": lambda config, row: _limit(config, row, _PIDS, "pids", 0),
    "pids-limit-minus-one": lambda config, row: _limit(config, row, _PIDS, "pids", -1),
}  # fmt: skip
