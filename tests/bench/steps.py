"""Where the time of `create` goes, step by step: an observer of the step runner with a stopwatch."""

from __future__ import annotations

import mmap
import struct
import subprocess
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from runtime.operations.create import create
from runtime.operations.delete import delete
from runtime.state.options import CreateOptions
from runtime.steps.create import INIT_STEPS, RUNTIME_STEPS
from runtime.steps.runner import Observer, Plan

if TYPE_CHECKING:
    from pathlib import Path

    from runtime.state.container import Container
    from runtime.steps.runner import Step

ALL = [*RUNTIME_STEPS, *INIT_STEPS]
UNTIL_START = "wait_for_start"
"""In this step init waits for the user, not for the machine."""


class Timing(Observer):
    """Notes how long each step takes, in memory that both processes see: init can't open a file."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 8 * len(ALL))
        self._began = 0.0

    def before(self, step: Step, c: Container) -> None:  # noqa: ARG002 - the protocol of observers
        self._began = time.perf_counter()

    def after(self, step: Step, c: Container) -> None:  # noqa: ARG002 - the protocol of observers
        struct.pack_into("d", self._memory, 8 * ALL.index(step), time.perf_counter() - self._began)

    def milliseconds(self, step: Step) -> float:
        """Return how long `step` took; 0 if it has not been run."""
        (seconds,) = struct.unpack_from("d", self._memory, 8 * ALL.index(step))
        return float(seconds) * 1000


class Row(NamedTuple):
    """One step: its process, its name, and its median."""

    process: str
    step: str
    milliseconds: float


def measure(bundle: Path, state: Path, rounds: int) -> list[Row]:
    """Return the medians of the steps of creating a container of `bundle`, in their order, waiting for the user left out."""
    # By a process of its own: fork(2) takes the longer, the more memory a process has.
    command = [sys.executable, "-m", "tests.bench.steps", str(bundle), str(state), str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    rows = [
        Row(process, step, float(time)) for process, step, time in map(str.split, done.stdout.splitlines())
    ]
    return [row for row in rows if row.step != UNTIL_START]


def _main(bundle: str, state: str, rounds: int) -> None:
    """Create and delete a container several times; print each step's process, name and median."""
    timings = []
    for _ in range(rounds):
        timing = Timing()
        options = CreateOptions(root=state, container_id="bench-steps", bundle=bundle)
        create(options, Plan(observer=timing))
        delete(state, "bench-steps", force=True)
        timings.append(timing)
    for process, steps in (("runtime", RUNTIME_STEPS), ("init", INIT_STEPS)):
        for step in steps:
            print(process, step.__name__, median(timing.milliseconds(step) for timing in timings))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
