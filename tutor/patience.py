"""Time limits that are the same to a slow machine as to a fast one.

A time limit here ends a wait that would otherwise never end; it says nothing about the thing that was waited for. How long something takes
depends on the machine: in a virtual machine whose processor is emulated, a program starts many times as slowly, and so it does where
ten others want the processor. The limits in the code are those for a machine of today with nothing else to do; `scaled` makes
them longer by the measured speed of this one, and by its load.
"""

from __future__ import annotations

import os
import time
from functools import cache

_ROUNDS = 7
_WORK = 20_000
_USUAL = 0.001  # seconds, a little more than a round of the work takes on a machine of today
_SLOWEST = 60.0


def scaled(seconds: float) -> float:
    """Return a time limit in seconds for this machine, from one for a machine of today: never less."""
    return seconds * slowness()


def slowness() -> float:
    """Return how many times slower than a machine of today with nothing else to do this one is now, from 1 to 60."""
    return min(_speed() * _load(), _SLOWEST)


@cache
def _speed() -> float:
    """Return how many times slower the processor is, never less than 1; it is measured once, in milliseconds."""
    # The median: another process may have had the processor for a while.
    return max(1.0, sorted(_measured() for _ in range(_ROUNDS))[_ROUNDS // 2] / _USUAL)


def _load() -> float:
    """Return how many processes there were for each processor that this one may use, in the last minute; never less than 1."""
    try:
        return max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))
    except OSError:  # no /proc
        return 1.0


def _measured() -> float:
    """Return the seconds that a small piece of work takes, which is always the same."""
    began = time.perf_counter()
    total = 0
    for number in range(_WORK):
        total += number & 7
    return time.perf_counter() - began
