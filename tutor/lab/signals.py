"""Signals as bytes on a pipe, so that one select(2) waits for signals and for messages."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# The signals of a terminal are caught in order to do nothing: if they were ignored, every program started would ignore them too.
WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


class SignalPipe:
    """Turns the signals of this process into bytes on a pipe; a forked child must make its own."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._read_end, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda _number, _frame: None)

    def fileno(self) -> int:
        """Return the file descriptor, for select(2)."""
        return self._read_end

    def read(self) -> set[int]:
        """Return the signals that have arrived since the last call."""
        try:
            return set(os.read(self._read_end, 512))
        except BlockingIOError:
            return set()
