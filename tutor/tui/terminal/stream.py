"""The master's side of a pseudoterminal, read and written by the event loop: a little at a time, so that nothing else waits for it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SLICE = 512  # bytes in one read: at most 2 ms of work, a line of `yes` being the dearest
_MOST_WORK = 0.004  # seconds of work before others have their turn,
_REST = 0.04  # and seconds that this turn lasts. A program that writes faster waits, as on any slow terminal.
_MOST_WAITING = 1024 * 1024  # bytes that a program has not read yet


class PtyStream:
    """Reads what a program writes, writes what it is to read, and sets its window size. It owns the descriptor."""

    def __init__(self, master: int, take: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        """Start to read.

        Args:
            master: the pseudoterminal's master.
            take: is given what the program has written, in the event loop.
            ended: is called once, when no process has the terminal any more.
        """
        self._master = master
        self._take, self._ended = take, ended
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._worked, self._began = 0.0, 0.0
        self._rest: asyncio.TimerHandle | None = None
        self.closed = False
        os.set_blocking(master, False)
        self._loop.add_reader(master, self._read)

    def send(self, data: bytes) -> None:
        """Write to the program; what it does not read now waits. What is more than a mebibyte is dropped."""
        if self.closed or len(self._waiting) + len(data) > _MOST_WAITING:
            return
        self._waiting += data
        self._write()

    def resize(self, columns: int, rows: int) -> None:
        """Set the window size; the kernel sends SIGWINCH to the program in the foreground."""
        if not self.closed:
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def flooded(self) -> bool:
        """Tell whether the program writes faster than it is read."""
        return self._rest is not None

    @property
    def foreground(self) -> int:
        """The process group in the foreground; 0 where there is none."""
        try:
            return os.tcgetpgrp(self._master) if not self.closed else 0
        except OSError:
            return 0

    def close(self) -> None:
        """Close the master: the processes of the terminal get SIGHUP. A second call does nothing."""
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        if self._rest is not None:
            self._rest.cancel()
        os.close(self._master)

    def _read(self) -> None:
        began = perf_counter()
        if began - self._began > 2 * _REST:
            self._began, self._worked, self._rest = began, 0.0, None
        try:
            data = os.read(self._master, _SLICE)
        except (BlockingIOError, InterruptedError):
            self._rest = None
            return
        except OSError:  # EIO: the last process that had it open has ended
            data = b""
        if not data:
            self.close()
            self._ended()
            return
        self._take(data)
        self._worked += perf_counter() - began
        if self._worked >= _MOST_WORK and not self.closed:
            self._loop.remove_reader(self._master)
            self._rest = self._loop.call_later(_REST, self._go_on)

    def _go_on(self) -> None:
        self._worked, self._began = 0.0, perf_counter()
        self._loop.add_reader(self._master, self._read)

    def _write(self) -> None:
        try:
            written = os.write(self._master, self._waiting) if self._waiting else 0
        except (BlockingIOError, InterruptedError):
            written = 0
        except OSError:
            self._waiting.clear()
            written = 0
        del self._waiting[:written]
        if self._waiting:
            self._loop.add_writer(self._master, self._write)
        else:
            self._loop.remove_writer(self._master)
