"""The observer's end of `runt --observe`: listens, reads the packets of all processes in one thread, and answers."""

from __future__ import annotations

import logging
import os
import selectors
import shutil
import socket
import struct
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tutor.debugger.protocol import LARGEST, Hello, ProtocolError, answer, read
from tutor.errors import TutorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.debugger.protocol import Answer, Packet

log = logging.getLogger(__name__)

_ROOM = "/tmp"  # noqa: S108  (mkdtemp makes the directory; a path in a socket's address has 107 bytes at most, unix(7))
_CREDENTIALS = struct.Struct("3i")  # pid, uid and gid, unix(7): SCM_CREDENTIALS
_MOST_CONNECTIONS = 8


class Peer:
    """A process at the other end of a connection.

    `hello` is what it said first (None: nothing yet); `pid` is its pid as this process sees it, 0 while it is not known.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.hello: Hello | None = None
        self.pid = 0

    def receive(self) -> bytes:
        """Return the next packet, empty at the end; note who sent it."""
        data, ancillary, flags, _ = self._connection.recvmsg(LARGEST, socket.CMSG_SPACE(_CREDENTIALS.size))
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS) and data:
                self.pid = _CREDENTIALS.unpack(content)[0]
        if flags & socket.MSG_TRUNC:
            raise ProtocolError("the packet is too large")
        return data

    def answer(self, word: Answer) -> None:
        """Answer its last packet; do nothing when it has ended."""
        try:
            self._connection.send(answer(word))
        except OSError:
            return  # the reader sees its end next

    def close(self) -> None:
        """End the connection: a process that waits for an answer takes it for `abort`."""
        self._connection.close()


class Observer:
    """A listening socket for `runt --observe PATH`; a context manager that ends all connections.

    One thread calls `take` with every packet, and `gone` when a process has closed its connection. `Hello` is answered here.
    """

    def __init__(self, take: Callable[[Peer, Packet], None], gone: Callable[[Peer], None]) -> None:
        """Listen.

        Raises:
            TutorError: `engines.observe`, there is no place for the socket.
        """
        self._take, self._gone = take, gone
        self._folder = ""
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._folder = tempfile.mkdtemp(prefix="oci-tutor-", dir=_ROOM)
            # Set before `listen`: a connection that is accepted has it from its first packet on.
            self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self._listening.bind(self.path)
            self._listening.listen(_MOST_CONNECTIONS)
        except OSError as error:
            self._remove()
            raise TutorError("engines.observe", path=_ROOM, reason=os.strerror(error.errno or 0)) from error
        self._selector = selectors.DefaultSelector()
        self._peers: dict[int, Peer] = {}
        self._wake_read, self._wake_write = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="debugger", daemon=True)
        self._thread.start()

    @property
    def path(self) -> str:
        """The path of the socket."""
        return str(Path(self._folder) / "observe.sock")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the thread and all connections; a second call does nothing. Not to be called by `take` or `gone`."""
        if not self._folder:
            return
        self._wake_write.close()
        self._thread.join()
        self._remove()

    def _remove(self) -> None:
        self._listening.close()
        folder, self._folder = self._folder, ""
        if folder:
            shutil.rmtree(folder, ignore_errors=True)

    def _run(self) -> None:
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        try:
            while True:
                ready = [key.fileobj for key, _ in self._selector.select()]
                if self._wake_read in ready:
                    return
                for each in ready:
                    if each is self._listening:
                        self._accept()
                    elif isinstance(each, socket.socket):
                        self._read(each)
        finally:
            for peer in self._peers.values():
                peer.close()
            self._selector.close()
            self._wake_read.close()

    def _accept(self) -> None:
        connection, _ = self._listening.accept()
        _, uid, _ = _CREDENTIALS.unpack(
            connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        )
        if uid != os.geteuid():
            connection.close()
            return
        self._selector.register(connection, selectors.EVENT_READ)
        self._peers[connection.fileno()] = Peer(connection)

    def _read(self, connection: socket.socket) -> None:
        peer = self._peers[connection.fileno()]
        try:
            data = peer.receive()
            packet = read(data) if data else None
        except (OSError, ProtocolError) as error:
            log.warning("a process that is observed is let go: %s", error)
            packet = None
        if packet is None:
            self._selector.unregister(connection)
            del self._peers[connection.fileno()]
            peer.close()
            self._gone(peer)
            return
        if isinstance(packet, Hello):
            peer.hello = packet
            peer.answer("step")
        self._take(peer, packet)
