"""The socket that receives the terminal of a container: `create --console-socket PATH` (config.md, Process: `terminal`)."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Self

from tutor.errors import TutorError

_ROOM = "/tmp"  # noqa: S108  (mkdtemp makes the directory; a path in a socket's address has 107 bytes at most, unix(7))


class ConsoleSocket:
    """A listening UNIX socket; a context manager that removes it.

    An engine connects, sends one descriptor, the terminal's master, and goes on without an answer: what it has sent waits in the
    socket, also after the engine has ended.
    """

    def __init__(self) -> None:
        """Listen.

        Raises:
            TutorError: `engines.console`, there is no place for the socket.
        """
        self._folder = ""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._folder = tempfile.mkdtemp(prefix="oci-tutor-", dir=_ROOM)
            self._socket.bind(self.path)
            self._socket.listen(1)
        except OSError as error:
            self._close()
            raise TutorError("engines.console", path=_ROOM, reason=os.strerror(error.errno or 0)) from error
        self._socket.setblocking(False)

    @property
    def path(self) -> str:
        """The path of the socket."""
        return str(Path(self._folder) / "console.sock")

    def take(self) -> int | None:
        """Return the master that was sent, which the caller owns; None: nothing was sent."""
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return None
        with connection:
            connection.setblocking(False)
            try:
                _, descriptors, _, _ = socket.recv_fds(connection, 4096, 1, socket.MSG_CMSG_CLOEXEC)
            except OSError:
                return None
        return descriptors[0] if descriptors else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        self._socket.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
