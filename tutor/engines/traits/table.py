"""The table of traits: their ids in the order in which they are shown, and what was observed on which version of an engine."""

from __future__ import annotations

import os
from binascii import crc32
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from tutor import parsed
from tutor.engines.traits.file import FILE
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from tutor.engines.model import EngineName
    from tutor.engines.traits.kept import Answers

Verdict = Literal["same", "varies", "differs", "new", "unasked"]


@dataclass(frozen=True, slots=True)
class Observation:
    """What one version of an engine answered; `date` is the day, `machine` the kernel and the cgroups."""

    engine: EngineName
    version: str
    date: str
    machine: str
    answers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """All traits, by topic, and all observations, older versions of an engine first."""

    topics: dict[str, tuple[str, ...]]
    observations: tuple[Observation, ...]

    @classmethod
    @cache
    def load(cls) -> Table:
        """Return the table that comes with this program."""
        tree = parsed.kept(f"traits-{crc32(os.fsencode(FILE)):08x}", lambda: [str(FILE)], _read)
        topics = {name: tuple(traits) for name, traits in tree["traits"].items()}
        return cls(topics, tuple(Observation(**each) for each in tree["observations"]))

    @property
    def traits(self) -> tuple[str, ...]:
        """All traits, in order."""
        return tuple(trait for traits in self.topics.values() for trait in traits)

    def of(self, engine: str) -> tuple[Observation, ...]:
        """Return the observations of an engine."""
        return tuple(each for each in self.observations if each.engine == engine)

    def recorded(self, engine: str, version: str) -> Observation | None:
        """Return the observation of exactly this version."""
        return next((each for each in self.of(engine) if each.version == version), None)

    def verdict(self, trait: str, asked: Answers | None, engine: str, version: str) -> Verdict:
        """Compare an engine's answer with the recorded ones.

        - `unasked`: there is no answer.
        - `differs`: this version was recorded with another answer.
        - `new`: this version is not recorded, and no recorded one answered so.
        - `varies`: recorded versions of the engine answer differently.
        - `same`: all recorded versions answer so.
        """
        answer = asked.get(trait) if asked else ""
        if not answer:
            return "unasked"
        own = self.recorded(engine, version)
        if own and own.answers.get(trait, answer) != answer:
            return "differs"
        known = {each.answers[trait] for each in self.of(engine) if trait in each.answers}
        if known and answer not in known:
            return "new"
        return "varies" if len(known) > 1 else "same"


def _read() -> dict[str, Any]:
    from tutor import yaml_loading

    tree: dict[str, Any] = yaml_loading.load(FILE.read_text(encoding="utf-8"))
    return tree


def short(version: str) -> str:
    """Return a version without the distribution's suffix: `1.1.5+ds1` as `1.1.5`."""
    return version.partition("+")[0]
