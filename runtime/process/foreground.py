"""A program in the foreground: the runtime's signals are passed on to it, and its exit status is the runtime's."""

from __future__ import annotations

import os

from runtime.support import signals, sockets
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from runtime.config.types import ProcessConfig

_NOT_FORWARDED = {
    signals.SIGCHLD,
    signals.SIGWINCH,
    signals.SIGKILL,
    signals.SIGSTOP,
    signals.SIGPIPE,
    signals.SIGXFSZ,
    # These stop a process that uses the terminal from the background, until it is in the foreground.
    signals.SIGTTIN,
    signals.SIGTTOU,
}
"""Signals that are for this process itself, or that can't be caught."""


def forward_signals(pidfd: int) -> None:
    """Pass the signals that this process gets on to the process of `pidfd`."""

    def forward(signum: int, _frame: FrameType | None) -> None:
        try:
            signals.pidfd_send_signal(pidfd, signum)
        except ProcessLookupError:
            pass

    for signum in signals.valid_signals() - _NOT_FORWARDED:
        try:
            signals.signal(signum, forward)
        except (OSError, ValueError):
            # The C library keeps two real-time signals for itself.
            pass


def copy_terminal_size(process: ProcessConfig) -> None:
    """Set the size of the caller's terminal for the program's, from the start: `Relay` copies it only once the program runs."""
    if os.isatty(0):
        width, height = os.get_terminal_size(0)
        process["consoleSize"] = {"height": height, "width": width}


def relay_terminal(connection: int, pidfd: int) -> None:
    """Connect the caller's terminal with the one whose master comes through a socket, until the process of `pidfd` ends."""
    from runtime.process.relay import Relay

    master = sockets.receive_descriptor(connection)
    os.close(connection)
    if master < 0:
        raise RuntError("the container ended before it had a terminal")
    with Relay(master) as relay:
        relay.until(pidfd)


def wait(pid: int) -> int:
    """Wait for the child `pid`; return its exit status as a shell would.

    A signal that comes just before waitpid(2) blocks is seen by Python, and passed on, only after the call: never, if the
    program runs until it gets the signal. So wait for the byte that every signal writes, SIGCHLD too.
    """
    wake_read, wake_write = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(wake_write, False)
    signals.signal(signals.SIGCHLD, lambda *_: None)
    signals.pthread_sigmask(signals.SIG_UNBLOCK, (signals.SIGCHLD,))
    signals.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    try:
        while (ended := os.waitpid(pid, os.WNOHANG))[0] == 0:
            os.read(wake_read, 512)
    finally:
        signals.set_wakeup_fd(-1)
        os.close(wake_read)
        os.close(wake_write)
    code = os.waitstatus_to_exitcode(ended[1])
    return code if code >= 0 else 128 - code
