"""Where the time of `create` goes, step by step: an observer of the step runner with a stopwatch."""

from __future__ import annotations

import mmap
import struct
import time
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from runtime.operations.create import CreateOptions, create
from runtime.operations.delete import delete
from runtime.steps import INIT_STEPS, RUNTIME_STEPS, Plan

if TYPE_CHECKING:
    from pathlib import Path

    from runtime.container import Container
    from runtime.steps import Step

ALL = [*RUNTIME_STEPS, *INIT_STEPS]
UNTIL_START = "wait_for_start"
"""In this step init waits for the user, not for the machine."""


class Timing:
    """Notes how long each step takes, in memory that both processes see: init can't open a file."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 8 * len(ALL))
        self._began = 0.0

    def before(self, step: Step, c: Container) -> None:  # noqa: ARG002 - the protocol of observers
        self._began = time.perf_counter()

    def after(self, step: Step, c: Container) -> None:  # noqa: ARG002 - the protocol of observers
        struct.pack_into("d", self._memory, 8 * ALL.index(step), time.perf_counter() - self._began)

    def milliseconds(self, step: Step) -> float:
        """Return how long `step` took; 0 if it has not been walked."""
        (seconds,) = struct.unpack_from("d", self._memory, 8 * ALL.index(step))
        return float(seconds) * 1000


class Row(NamedTuple):
    """One step: whose it is, its name, and its median."""

    process: str
    step: str
    milliseconds: float


def measure(bundle: Path, state: Path, rounds: int) -> list[Row]:
    """Create and delete a container of `bundle` several times; return the medians of the steps, in their order."""
    timings = []
    for _ in range(rounds):
        timing = Timing()
        create(
            CreateOptions(root=str(state), container_id="bench-steps", bundle=str(bundle)),
            Plan(observer=timing),
        )
        delete(str(state), "bench-steps", force=True)
        timings.append(timing)
    return [
        Row(process, step.__name__, median(timing.milliseconds(step) for timing in timings))
        for process, steps in (("runtime", RUNTIME_STEPS), ("init", INIT_STEPS))
        for step in steps
        if step.__name__ != UNTIL_START
    ]
