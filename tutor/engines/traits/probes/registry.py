"""The table of probes: a function for each trait, which returns one of the trait's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.engines.trial import Trial

    Probe = Callable[[Trial], str]

PROBES: dict[str, Probe] = {}


def probe(trait: str) -> Callable[[Probe], Probe]:
    """Register a function as the probe of a trait.

    It raises `UndecidedError` where this machine does not answer the question.
    """

    def register(function: Probe) -> Probe:
        PROBES[trait] = function
        return function

    return register
