"""Copying between the caller's terminal and the container's, for a program in the foreground (`run`, `exec --tty`)."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import termios
import tty

from runtime.support import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

_OFLAG = 1
"""Where tcgetattr has the output modes (termios(3))."""
_REST_READS = 256
"""More reads than it takes to empty a terminal's buffers."""


class Relay:
    """Copies between the caller's terminal and the container's: `with Relay(master) as relay: relay.until(pidfd)`.

    Inside the `with` the caller's terminal is raw (if it is one), so that the container's does all the editing, and a
    change of its size is passed on. On leaving, the caller's terminal is as before.
    """

    def __init__(self, master: int) -> None:
        self.master = master
        self._before: list[Any] | None = None
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def __enter__(self) -> Self:
        """Make the caller's terminal raw."""
        # Without it a signal that comes just before poll(2) blocks would be passed on only after the call.
        signals.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        if os.isatty(0):
            self._before = termios.tcgetattr(0)
            self._make_raw()
            signals.signal(signals.SIGWINCH, lambda *_: None)
            self._copy_size()
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the caller's terminal."""
        signals.set_wakeup_fd(-1)
        if self._before is not None:
            signals.signal(signals.SIGWINCH, signals.SIG_DFL)
            try:
                termios.tcsetattr(0, termios.TCSADRAIN, self._before)
            except termios.error:
                # The terminal is closed: its window, or its connection.
                pass
        for fd in (self._wake_read, self._wake_write, self.master):
            os.close(fd)

    def _make_raw(self) -> None:
        """Pass input on unchanged; input that has been typed already is kept. A newline still begins a line (`console.keep_newlines`)."""
        while True:
            try:
                tty.setraw(0, termios.TCSADRAIN)
                raw = termios.tcgetattr(0)
                raw[_OFLAG] |= termios.OPOST
                termios.tcsetattr(0, termios.TCSADRAIN, raw)
            except termios.error as error:
                # In the background this stops the process. SIGCONT, in the foreground again, interrupts the call.
                if error.args[0] != errno.EINTR:
                    raise
            else:
                return

    def until(self, pidfd: int) -> None:
        """Copy both ways until the process of `pidfd` has ended and all of its output has been passed on."""
        poll = select.poll()
        for fd in (0, self.master, self._wake_read, pidfd):
            poll.register(fd, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if self._wake_read in ready:
                os.read(self._wake_read, 4096)
                self._copy_size()
            if 0 in ready and not self._pass_input():
                poll.unregister(0)
            if pidfd in ready:
                self._pass_rest()
                return
            if self.master in ready and not self._pass_output():
                return

    def _pass_rest(self) -> None:
        """Pass on what the ended process has left in the terminal; processes that still write to it are not waited for."""
        os.set_blocking(self.master, False)
        for _ in range(_REST_READS):
            if not self._pass_output():
                return

    def _pass_input(self) -> bool:
        """Pass on what was typed; at the end of a file or pipe, send the terminal's end-of-file character."""
        try:
            data = os.read(0, 4096)
        except OSError:
            data = b""
        try:
            _write_all(self.master, data or b"\x04")
        except OSError:
            return False
        return bool(data)

    def _pass_output(self) -> bool:
        """Pass on what the container wrote; False when there is no more (a master says so with EIO)."""
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        try:
            _write_all(1, data)
        except OSError:
            # The other end is closed. The output is read all the same, so that the program does not block.
            pass
        return bool(data)

    def _copy_size(self) -> None:
        """Give the container's terminal the size of the caller's."""
        try:
            size = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)
        except OSError:
            # One of the two is closed.
            pass


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
