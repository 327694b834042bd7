"""Both ends of a container's terminal: a user at one, and the console socket that receives its master."""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import pty
import select
import socket
import struct
import subprocess
import termios
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


TERMINAL_MOUNTS: list[dict[str, Any]] = [
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
    {
        "destination": "/dev/pts",
        "type": "devpts",
        "source": "devpts",
        "options": ["newinstance", "ptmxmode=0666", "mode=0620"],
    },
]
"""What a container's terminal needs."""


class Terminal:
    """A terminal and its user: types, reads, and changes the size."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        self.seen = b""

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def resize(self, height: int, width: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def wait_for(self, text: str) -> None:
        """Read until `text` has been seen."""
        while text.encode() not in self.seen:
            ready, _, _ = select.select([self.master], [], [], 10)
            assert ready, f"{text!r} did not appear after {self.seen!r}"
            self.seen += os.read(self.master, 65536)

    def settings(self) -> list[Any]:
        return termios.tcgetattr(self.slave)


@contextlib.contextmanager
def at_a_terminal(command: list[str]) -> Iterator[tuple[Terminal, subprocess.Popen[bytes]]]:
    """Run a command in the foreground of a terminal of 30 lines and 100 columns."""
    terminal = Terminal()
    terminal.resize(30, 100)
    with subprocess.Popen(
        command, stdin=terminal.slave, stdout=terminal.slave, stderr=terminal.slave, start_new_session=True
    ) as process:
        try:
            yield terminal, process
        finally:
            process.kill()
    os.close(terminal.slave)
    os.close(terminal.master)


@contextlib.contextmanager
def console_socket(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(10)
        yield listener


def receive(listener: socket.socket) -> tuple[int, bytes]:
    """Return the descriptor and the data that arrive, as containerd's console package reads them."""
    connection, _ = listener.accept()
    with connection:
        data, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
    ((level, kind, rights),) = ancillary
    assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
    return array.array("i", rights)[0], data
