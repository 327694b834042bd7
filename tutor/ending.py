"""How the program is asked to end from outside: by SIGTERM or SIGHUP, or because its terminal has gone.

A terminal goes when its window is closed, its connection is cut or its tmux server is killed. The kernel sends SIGHUP then, but
not to a program that ignores it (nohup, `trap '' HUP`) or has another session (setsid). So the terminal itself is watched, too.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import FrameType

_LOOK_EVERY = (
    0.5  # seconds; a terminal that goes wakes poll(2) by itself, but not every driver of the kernel does that
)


class Ended(SystemExit):
    """The program was asked to end; `code` is the exit status, as a shell gives it (128 + signal)."""


def _leave(status: int) -> NoReturn:
    raise Ended(status)


class _Ending:
    """The state of this process: whether it was asked to end, and what is to be called then."""

    def __init__(self) -> None:
        self.terminals: list[int] = []
        self.status = 0  # the exit status, once the program was asked to end
        self.end: Callable[[int], object] = _leave
        self._terminal_gone = False

    @property
    def terminal_gone(self) -> bool:
        if not self._terminal_gone and self.terminals:
            self._terminal_gone = bool(_poller(self.terminals).poll(0))
        return self._terminal_gone

    def ask(self, number: int, _frame: FrameType | None = None) -> None:
        """Call `end` with the exit status. Only the first signal counts: the second would break off the cleaning-up."""
        if not self.status:
            self.status = 128 + (signal.SIGHUP if self.terminal_gone else number)
            self.end(self.status)


_ending = _Ending()


def terminal_gone() -> bool:
    """Tell whether the terminal of this process has gone: nothing can be written to it, and nothing read from it."""
    return _ending.terminal_gone


def note_terminal_gone() -> None:
    """End the program, as `heeded` arranges it; for any thread that finds that the terminal has gone."""
    if not _ending.status:
        # A signal, since only that wakes the main thread out of a system call; SIGHUP may be ignored.
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def heeded(*descriptors: int) -> Iterator[None]:
    """Raise `Ended` in the main thread when SIGTERM or SIGHUP comes, or when one of the descriptors is a terminal that goes.

    A SIGHUP that was ignored before stays ignored: the terminal may go if nothing is written to it.
    """
    global _ending
    before_all, _ending = _ending, _Ending()
    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, _ending.ask) for number in numbers}
    try:
        with watched(*descriptors):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _ending = before_all


@contextmanager
def ending_by(end: Callable[[int], object]) -> Iterator[None]:
    """Within `heeded`, call `end` with the exit status instead of raising `Ended`; it runs in the main thread, between any two lines."""
    before, _ending.end = _ending.end, end
    try:
        if _ending.status:
            end(_ending.status)
        yield
    finally:
        _ending.end = before


def unheeded() -> AbstractContextManager[None]:
    """Within `heeded`, for cleaning up at the end: it must not be broken off."""
    return ending_by(lambda _status: None)


@contextmanager
def watched(*descriptors: int) -> Iterator[None]:
    """Within `heeded`, end the program when one of the descriptors is a terminal that goes."""
    terminals = [each for each in descriptors if os.isatty(each)]
    if not terminals:
        yield
        return
    _ending.terminals += terminals
    stop, stopping = os.pipe2(os.O_CLOEXEC)
    watcher = threading.Thread(target=_watch, args=(terminals, stop), name="terminal", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        os.close(stopping)
        watcher.join()
        os.close(stop)


def _watch(terminals: list[int], stop: int) -> None:
    poller = _poller([*terminals, stop])
    while not (found := poller.poll(_LOOK_EVERY * 1000)):
        pass
    if all(descriptor != stop for descriptor, _event in found):
        note_terminal_gone()


def _poller(descriptors: list[int]) -> select.poll:
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, 0)  # POLLHUP and POLLERR are reported always
    return poller


def discard_output() -> None:
    """Write nothing more: the interpreter flushes its streams at the end, and the terminal has gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    for stream in (sys.__stdout__, sys.__stderr__):
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(nowhere, stream.fileno())  # type: ignore[union-attr]  # None: AttributeError
    os.close(nowhere)
