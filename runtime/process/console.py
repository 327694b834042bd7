"""The container's terminal: a pseudoterminal of its own devpts (config.md, `terminal`; config-linux.md, Default Devices).

The init process opens the pair, keeps the slave, and hands the master out through a socket: to the caller's
`--console-socket`, or to `run`, which then copies between that master and the caller's terminal.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from runtime.filesystem.paths import is_device
from runtime.kernel.mount import DEVPTS_SUPER_MAGIC, filesystem_type
from runtime.support.errors import RuntError, describe
from runtime.support.sockets import send_descriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import ConsoleSize

# ioctl_tty(2), as every architecture but alpha, mips, powerpc and sparc numbers them. Python's termios lacks most of them,
# and costs time to load.
_TCGETS = 0x5401
_TCSETS = 0x5402
_TERMIOS = "4I20s"
"""`struct termios` of the kernel: input, output, control and local modes, then characters."""
_ONLCR = 0x4
_TIOCSCTTY = 0x540E
_TIOCSWINSZ = 0x5414
_TIOCSPTLCK = 0x40045431
_TIOCGPTPEER = 0x5441
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


def keep_newlines(terminal: int) -> None:
    """Let a newline be one, without a carriage return before it (termios(3), ONLCR). Raises OSError.

    As with runc: where the output of `run` or `exec` is a pipe or a file, it is what the program wrote. The caller's
    terminal, if there is one, adds it.
    """
    modes = list(struct.unpack(_TERMIOS, fcntl.ioctl(terminal, _TCGETS, bytes(struct.calcsize(_TERMIOS)))))
    modes[1] &= ~_ONLCR
    fcntl.ioctl(terminal, _TCSETS, struct.pack(_TERMIOS, *modes))


def _check_multiplexer(master: int) -> None:
    """Raise OSError unless `master` is what devpts calls ptmx: the image may have something else there (CVE-2025-52565)."""
    if not is_device(master, _PTMX_DEVICE) or filesystem_type(master) != DEVPTS_SUPER_MAGIC:
        raise OSError(errno.ENODEV, "not the terminal multiplexer of a devpts", _PTMX)


def send_master(connection: int, master: int) -> None:
    """Send the descriptor `master` through the socket `connection`, with its name as data, as runc does. Raises RuntError."""
    try:
        send_descriptor(connection, master, _PTMX)
    except OSError as error:
        raise RuntError(f"cannot send the terminal to the console socket: {describe(error)}") from None


def attach(slave: int, owner: int | None = None) -> None:
    """Make `slave` the controlling terminal and the standard streams of this process, in a session of its own.

    `owner` is the user ID that gets the terminal: otherwise a program of another user than root couldn't open /dev/tty.
    """
    os.setsid()
    fcntl.ioctl(slave, _TIOCSCTTY, 0)
    if owner is not None:
        os.fchown(slave, owner, -1)
    for stream in (0, 1, 2):
        os.dup2(slave, stream)


def set_size(terminal: int, height: int, width: int) -> None:
    """Set a terminal's size in characters (ioctl_tty(2), TIOCSWINSZ)."""
    fcntl.ioctl(terminal, _TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
