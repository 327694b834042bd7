"""Observers that interfere at one step: its process waits to be killed, or an error is raised in it."""

from __future__ import annotations

import mmap
import os
import time
from typing import TYPE_CHECKING, Any

from runtime.steps.runner import Observer
from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 10.0
_REACHED, _GO = 1, 2


class Gate(Observer):
    """An observer that stops before one step (`None`: after the last) until the experiment lets it go on.

    Both sides share a byte of memory: the step's process may have no files, no root and no capabilities by then.
    """

    def __init__(self, table: tuple[Callable[..., None], ...], step: int) -> None:
        self._step = table[step] if step < len(table) else None
        self._last = table[-1]
        self._memory = mmap.mmap(-1, 1)

    def before(self, step: Callable[..., None], subject: Any) -> None:  # noqa: ARG002 - the protocol of observers
        """Stop here if this is the step."""
        if step is self._step:
            self._stop()

    def after(self, step: Callable[..., None], subject: Any) -> None:  # noqa: ARG002 - the protocol of observers
        """Stop here if it was the last of its table and `step` is None."""
        if self._step is None and step is self._last:
            self._stop()

    def wait(self) -> bool:
        """Wait until the gate has been reached; False if that does not happen."""
        deadline = time.monotonic() + patience.scaled(_SECONDS)
        while self._memory[0] != _REACHED:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.0005)
        return True

    def open(self) -> None:
        """Let the process at the gate go on."""
        self._memory[0] = _GO

    def _stop(self) -> None:
        self._memory[0] = _REACHED
        while self._memory[0] != _GO:
            time.sleep(0.0005)


class Failure(Observer):
    """An observer that raises an error of the operating system before one step (`None`: after the last)."""

    def __init__(self, table: tuple[Callable[..., None], ...], step: int, number: int) -> None:
        self._step = table[step] if step < len(table) else None
        self._last = table[-1]
        self._number = number

    def before(self, step: Callable[..., None], subject: Any) -> None:  # noqa: ARG002 - the protocol of observers
        """Fail here if this is the step."""
        if step is self._step:
            raise OSError(self._number, os.strerror(self._number))

    def after(self, step: Callable[..., None], subject: Any) -> None:  # noqa: ARG002 - the protocol of observers
        """Fail here if it was the last of its table and `step` is None."""
        if self._step is None and step is self._last:
            raise OSError(self._number, os.strerror(self._number))
