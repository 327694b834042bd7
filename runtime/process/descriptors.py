"""The descriptors that a program gets from the caller besides its standard streams (`--preserve-fds`, sd_listen_fds(3))."""

from __future__ import annotations

import os

from runtime.kernel import process as kernel
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.container import Container


def inherited(preserve_fds: int) -> tuple[int, int]:
    """Return how many descriptors from 3 on are for the program, and how many of these are sockets from systemd.

    Those that systemd passes come first. Raises RuntError when one of them is not open.
    """
    listen_fds = _listen_fds()
    return listen_fds + _check(preserve_fds, listen_fds), listen_fds


def close_others(c: Container) -> None:
    """Close every descriptor but the standard streams, what the program gets, and `c.kept_descriptors`."""
    first = 3 + c.inherited_fds
    for fd in sorted(c.kept_descriptors):
        kernel.close_range(first, fd - 1)
        first = fd + 1
    kernel.close_range(first)


def _listen_fds() -> int:
    """Return how many sockets the caller has from systemd, from descriptor 3 on (sd_listen_fds(3))."""
    count = os.environ.get("LISTEN_FDS", "")
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or not count.isdecimal():
        return 0
    return _check(int(count), 0)


def _check(count: int, before: int) -> int:
    """Return `count` if that many descriptors are open. Raises RuntError."""
    if count < 0:
        raise RuntError(f"--preserve-fds must not be negative: {count}")
    for fd in range(3 + before, 3 + before + count):
        try:
            # The runtime's own are close-on-exec. The caller's cannot be: they have come through execve.
            given = os.get_inheritable(fd)
        except OSError:
            given = False
        if not given:
            raise RuntError(f"cannot preserve file descriptor {fd}: it is not open")
    return count
