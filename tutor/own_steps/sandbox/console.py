"""The other end of `--console-socket`: it takes the terminal that the runtime sends, as Docker's shim does."""

from __future__ import annotations

import array
import fcntl
import os
import socket
import struct
import termios
from typing import Any

from tutor.own_steps.sandbox.places import CONSOLE


class Console:
    """A listening socket, and the terminal that has been sent to it."""

    def __init__(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(CONSOLE)
        self._listener.listen()
        self._listener.setblocking(False)
        self._terminal = -1
        self._printed = ""

    def printed(self) -> str:
        """Return what was printed to the terminal so far."""
        if self._terminal < 0:
            self._terminal = self._receive()
        if self._terminal >= 0:
            self._printed += self._read()
        return self._printed

    def look(self) -> dict[str, Any]:
        """Return whether a terminal has come, its window size, and what was printed to it."""
        printed = self.printed()
        if self._terminal < 0:
            return {"received": False}
        size = struct.unpack("HHHH", fcntl.ioctl(self._terminal, termios.TIOCGWINSZ, b"\0" * 8))
        return {
            "received": True,
            "is_terminal": os.isatty(self._terminal),
            "size": list(size[:2]),
            "printed": printed,
        }

    def _receive(self) -> int:
        try:
            connection, _address = self._listener.accept()
        except BlockingIOError:
            return -1
        connection.settimeout(1)
        with connection:
            try:
                _data, ancillary, _flags, _from = connection.recvmsg(4096, socket.CMSG_SPACE(4))
            except OSError:
                return -1
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                return array.array("i", data[:4])[0]
        return -1

    def _read(self) -> str:
        os.set_blocking(self._terminal, False)
        try:
            return os.read(self._terminal, 4096).decode(errors="replace")
        except OSError:
            return ""
