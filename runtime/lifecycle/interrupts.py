"""The signals that interrupt a command: SIGINT (Ctrl-C), SIGHUP, SIGTERM.

All three raise one exception in the main program, so that what was begun is undone. They are blocked
- while a process is made;
- while something must not be left half done.
"""

from __future__ import annotations

import os
import sys

from runtime.support import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from types import FrameType
    from typing import NoReturn

SIGNALS = (signals.SIGHUP, signals.SIGINT, signals.SIGTERM)


class InterruptedCommandError(BaseException):
    """A signal asks this process to end. Not an Exception: it must not be taken for an ordinary failure."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.exit_status = 128 + signum


def enable() -> None:
    """From now on raise InterruptedCommandError for each of the signals that the caller has not had ignored.

    Also for one that has come already: the launcher blocks them.
    """
    for signum in SIGNALS:
        if signals.getsignal(signum) is not signals.SIG_IGN:
            signals.signal(signum, _interrupt)
    sys.unraisablehook = _interrupt_again
    release()


def hold() -> None:
    """Block the signals in this thread (pthread_sigmask(3)). One that came before is raised here."""
    signals.pthread_sigmask(signals.SIG_BLOCK, SIGNALS)


def release() -> None:
    """Unblock the signals; one that came in the meantime is raised here."""
    signals.pthread_sigmask(signals.SIG_UNBLOCK, SIGNALS)


def _interrupt(signum: int, _frame: FrameType | None) -> NoReturn:
    raise InterruptedCommandError(signum)


def _interrupt_again(unraisable: UnraisableHookArgs) -> None:
    """Send an interrupt again that came while Python was in a callback, which can't raise it."""
    if isinstance(unraisable.exc_value, InterruptedCommandError):
        signum = unraisable.exc_value.exit_status - 128
        # Later: in here it could not be raised either.
        signals.signal(signals.SIGALRM, lambda *_: os.kill(os.getpid(), signum))
        signals.setitimer(signals.ITIMER_REAL, 0.001)
    else:
        sys.__unraisablehook__(unraisable)
