"""The process that stays outside of the namespaces: it waits for the program in them, hands signals on, and ends as it does."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

from tutor.lab import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_HANDED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def fork_and_wait() -> None:
    """Return in a child, the first process of the new PID namespace; wait for it here, and never return.

    The child has a process group of its own, in the foreground of the terminal if this process was: a shell that ends there gives
    the terminal back to a group that must have a number in the namespace.
    """
    terminal = _terminal_in_foreground()
    child = os.fork()
    if child:
        _wait(child, terminal)
    kernel.die_with_parent()
    os.setpgid(0, 0)
    if terminal is not None:
        _give(terminal, os.getpid())
        os.close(terminal)


def _terminal_in_foreground() -> int | None:
    """Return a descriptor of the controlling terminal, if there is one and this process is in its foreground."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    if os.tcgetpgrp(terminal) == os.getpgrp():
        return terminal
    os.close(terminal)
    return None


def _wait(child: int, terminal: int | None) -> NoReturn:
    def hand_on(number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    for number in _HANDED_ON:
        signal.signal(number, hand_on)
    _pid, status = os.waitpid(child, 0)
    if terminal is not None:
        _give(terminal, os.getpgrp())
    code = os.waitstatus_to_exitcode(status)
    if code < 0 and -code not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)


def _give(terminal: int, group: int) -> None:
    """Make a process group the one in the foreground of the terminal, from the background too."""
    with _blocked(signal.SIGTTOU), suppress(OSError):
        os.tcsetpgrp(terminal, group)


@contextmanager
def _blocked(number: int) -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
