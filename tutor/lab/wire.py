"""Messages between client, guard and keeper: one JSON object each, with file descriptors, over a SOCK_SEQPACKET socket."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# A message is one packet. The kernel's default send buffer (net.core.wmem_default, 208 KiB) bounds it; a larger one is EMSGSIZE.
_LARGEST = 256 * 1024
_MOST_DESCRIPTORS = 3

Message = dict[str, Any]


class Channel:
    """One end of a connection. Sending is atomic, so several threads may send; only one may receive."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Return the two ends of a new connection."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(one), cls(other)

    @classmethod
    def inherited(cls, fd: int) -> Channel:
        """Return the end that was inherited as file descriptor `fd`, and set FD_CLOEXEC on it."""
        sock = socket.socket(fileno=fd)
        sock.set_inheritable(False)
        return cls(sock)

    def fileno(self) -> int:
        """Return the file descriptor, for select(2) and for handing it to a child."""
        return self._socket.fileno()

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Send a message and copies of file descriptors.

        Raises:
            OSError: EPIPE or ECONNRESET when the other end is gone, EMSGSIZE when the message is too long.
        """
        socket.send_fds(self._socket, [json.dumps(message).encode()], list(descriptors))

    def receive(self) -> tuple[Message, list[int]] | None:
        """Wait for a message; return None when the other end is closed."""
        try:
            data, descriptors, _flags, _address = socket.recv_fds(
                self._socket, _LARGEST, _MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
            )
        except (
            OSError
        ):  # ECONNRESET: the other end was closed with unread messages; EBADF: another thread closed this end
            return None
        return (json.loads(data), descriptors) if data else None

    def shut_down(self) -> None:
        """End the connection: both ends, and a thread that waits in `receive`, see its end."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has ended already

    def close(self) -> None:
        """Close this end."""
        self._socket.close()
