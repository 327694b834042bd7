"""Measuring how long commands take, and making the machine cold before."""

from __future__ import annotations

import os
import time
from statistics import median
from typing import TYPE_CHECKING

from runtime.kernel.syscall import call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Measure = Callable[[], float]
    """Does something once and returns how many milliseconds it took."""

PAUSE = 0.3
"""Seconds without any container before a cold measurement: the kernel frees what it had prepared for the next one."""

_PR_SET_CHILD_SUBREAPER = 36

_memory = bytearray(64 << 20)
_DEVNULL = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
_LOG = os.open("/tmp", os.O_TMPFILE | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)


def milliseconds(argv: Sequence[str]) -> float:
    """Run a command, which must succeed, and return how many milliseconds it took from its start to its end."""
    streams = [
        (os.POSIX_SPAWN_DUP2, _DEVNULL, 0),
        (os.POSIX_SPAWN_DUP2, _DEVNULL, 1),
        (os.POSIX_SPAWN_DUP2, _LOG, 2),
    ]
    began = time.perf_counter()
    pid = os.posix_spawn(argv[0], list(argv), os.environ, file_actions=streams)
    _, status = os.waitpid(pid, 0)
    took = time.perf_counter() - began
    if status:
        said = os.pread(_LOG, 1 << 20, 0).decode(errors="replace")
        raise SystemExit(f"{' '.join(argv)}: {os.waitstatus_to_exitcode(status)}\n{said[-2000:]}")
    os.ftruncate(_LOG, 0)
    return took * 1000


def make_cold() -> None:
    """Run no container for a while, and fill the processors' caches with other data."""
    time.sleep(PAUSE)
    _memory[::64] = bytes(len(_memory) // 64)


def take_turns(measures: Mapping[str, Measure], rounds: int, *, cold: bool) -> dict[str, float]:
    """Return the median of each of `measures`, which take turns, so that changes of the machine's load affect all of them."""
    for measure in measures.values():
        measure()
    took: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            if cold:
                make_cold()
            took[name].append(measure())
    return {name: median(times) for name, times in took.items()}


def adopt_orphans() -> None:
    """Become the parent of containers whose runtime has ended, as containerd-shim and conmon do (prctl(2))."""
    call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
