"""Real processes to observe: started, waited for by condition, ended by pid."""

from __future__ import annotations

import contextlib
import subprocess
import time
from typing import TYPE_CHECKING, TypeVar

from tutor import patience
from tutor.observe import Process, take_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


def until(look: Callable[[], T], timeout: float = 20.0) -> T:
    """Call a function until its result is true; else fail with the last result."""
    deadline = time.monotonic() + patience.scaled(timeout)
    while not (answer := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"never became true; last: {answer!r}")
        time.sleep(0.01)
    return answer


@contextlib.contextmanager
def running(*command: str, stdin: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program while the block lasts."""
    with subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def processes(pid: int) -> tuple[Process, ...]:
    """Return the view of a process and its descendants in one snapshot."""
    container = take_snapshot(pid).container
    assert container is not None
    return container.processes


def waiting_in(pid: int, key: str) -> Process:
    """Return the process once it waits for what the catalogue's key says."""

    def look() -> Process | None:
        return next(
            (
                each
                for each in processes(pid)
                if each.pid == pid and each.waits_for and each.waits_for.key == f"observe.wait.{key}"
            ),
            None,
        )

    found = until(look)
    assert found is not None
    return found
