"""The container's terminal: a pseudoterminal of its own devpts (config.md, `terminal`; config-linux.md, Default Devices).

The init process opens the pair, keeps the slave, and hands the master out through a socket: to the caller's
`--console-socket`, or to our own `run`, which then stands between that master and the caller's terminal.
"""

from __future__ import annotations

import array
import errno
import fcntl
import os
import select
import signal
import socket
import stat
import struct
import termios
import tty

from runtime.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from runtime.schema import ConsoleSize

# ioctl_tty(2), as every architecture but alpha, mips, powerpc and sparc numbers them; Python's termios has none of them.
_TIOCGPTN = 0x80045430
_TIOCSPTLCK = 0x40045431
_TIOCGPTPEER = 0x5441
_REST_READS = 256
"""More reads than are needed for all that fits into a terminal's buffers."""
_PTMX = "/dev/pts/ptmx"
_PTMX_DEVICE = (5, 2)


def open_console(size: ConsoleSize | None = None) -> tuple[int, int]:
    """Open a pseudoterminal of the container's own devpts; return the descriptors of its master and its slave.

    To be called inside the container's root. `size` is in characters. Both descriptors are close-on-exec.
    Raises RuntError when there is no devpts (or something else in its place) at /dev/pts.
    """
    try:
        master = os.open(_PTMX, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise RuntError(
            f"process.terminal is true, but the container has no terminals: {describe(error)}: "
            'config.json needs a mount of type "devpts" at /dev/pts'
        ) from None
    try:
        _check_multiplexer(master)
        fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
        # The slave of this very master, without going by a path that the container could have replaced.
        slave = fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        if size is not None:
            set_size(master, size["height"], size["width"])
    except OSError as error:
        os.close(master)
        raise RuntError(f"cannot set up a terminal: {describe(error)}") from None
    return master, slave


def _check_multiplexer(master: int) -> None:
    """Raise OSError unless `master` is what devpts calls ptmx: the image may have something else there."""
    status = os.fstat(master)
    device = (os.major(status.st_rdev), os.minor(status.st_rdev))
    if not stat.S_ISCHR(status.st_mode) or device != _PTMX_DEVICE:
        raise OSError(errno.ENODEV, "not the terminal multiplexer of a devpts", _PTMX)


def slave_path(master: int) -> str:
    """Return the path of `master`'s slave inside the container, such as `/dev/pts/0` (ptsname(3))."""
    number = struct.unpack("I", fcntl.ioctl(master, _TIOCGPTN, struct.pack("I", 0)))[0]
    return f"/dev/pts/{number}"


def attach(slave: int, owner: int | None = None) -> None:
    """Make `slave` the controlling terminal and the standard streams of this process, in a session of its own.

    `owner` is the user who gets the terminal: without that, a program that isn't root couldn't open /dev/tty.
    """
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    if owner is not None:
        os.fchown(slave, owner, -1)
    for stream in (0, 1, 2):
        os.dup2(slave, stream)


def set_size(terminal: int, height: int, width: int) -> None:
    """Set a terminal's size in characters (ioctl_tty(2), TIOCSWINSZ)."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


def connect(path: str) -> int:
    """Return a descriptor connected to the `--console-socket` at `path`. Raises RuntError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(path)
        except OSError as error:
            raise RuntError(f"cannot connect to the console socket: {path}: {describe(error)}") from None
        return connection.detach()


def pair() -> tuple[int, int]:
    """Return two connected descriptors, for `run` to receive the master from the container that it creates."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    return ours.detach(), theirs.detach()


def send_master(connection: int, master: int) -> None:
    """Send the descriptor `master` through the socket `connection`, with its name as data, as runc does. Raises RuntError."""
    with socket.socket(fileno=os.dup(connection)) as sender:
        rights = array.array("i", [master])
        try:
            sender.sendmsg([_PTMX.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        except OSError as error:
            raise RuntError(f"cannot send the terminal to the console socket: {describe(error)}") from None


def receive_master(connection: int) -> int:
    """Return the descriptor that `send_master` sent. Raises RuntError if the other side went away."""
    with socket.socket(fileno=os.dup(connection)) as receiver:
        _, ancillary, _, _ = receiver.recvmsg(4096, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC)
    for _, _, data in ancillary:
        return array.array("i", data)[0]
    raise RuntError("the container ended before it had a terminal")


class Relay:
    """Stands between the caller's terminal and the container's: `with Relay(master) as relay: relay.until(pidfd)`.

    Inside the `with` the caller's terminal is raw (if it is one), so that the container's does all the editing, and a
    change of its size is passed on. On leaving, the caller's terminal is as before.
    """

    def __init__(self, master: int) -> None:
        self.master = master
        self._before: list[Any] | None = None
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def __enter__(self) -> Self:
        """Take over the terminal."""
        if os.isatty(0):
            self._before = termios.tcgetattr(0)
            # What has been typed already is not thrown away.
            tty.setraw(0, termios.TCSADRAIN)
            signal.signal(signal.SIGWINCH, lambda *_: None)
            signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
            self._copy_size()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back."""
        if self._before is not None:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGWINCH, signal.SIG_DFL)
            termios.tcsetattr(0, termios.TCSADRAIN, self._before)
        for fd in (self._wake_read, self._wake_write, self.master):
            os.close(fd)

    def until(self, pidfd: int) -> None:
        """Copy both ways until the process behind `pidfd` has ended and all of its output has been passed on."""
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
        """Pass on what the ended process has left in the terminal; others who still write to it are not waited for."""
        os.set_blocking(self.master, False)
        for _ in range(_REST_READS):
            if not self._pass_output():
                return

    def _pass_input(self) -> bool:
        """Pass on what was typed; at the end of a file or pipe, do what a person does: type end-of-file."""
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
        _write_all(1, data)
        return bool(data)

    def _copy_size(self) -> None:
        """Give the container's terminal the size of the caller's."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
