"""An agent that answers system calls in a container's place (seccomp_unotify(2)), as `listenerPath` names one."""

from __future__ import annotations

import array
import fcntl
import json
import os
import select
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, Self

from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_RECEIVE = 0xC0502100
_SEND = 0xC0182101
_CONTINUE = 1

GO_ON = 0
"""The answer that lets the kernel make the system call."""


class Agent:
    """`with Agent(path, answer) as agent:`. `answer(number)` returns an errno for each call, or GO_ON."""

    def __init__(self, path: Path, answer: Callable[[int], int]) -> None:
        self.path = path
        self.answer = answer
        self.states: list[Any] = []
        """What came with each listener: the container process state."""
        self.asked: list[int] = []
        """The numbers of the system calls that the kernel has asked about."""
        self.extra = b""
        """What came after a state on its connection."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._socket.bind(str(self.path))
        self._socket.listen()
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        # Ends the accept(2).
        self._socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=patience.scaled(10))
            assert not thread.is_alive()
        self._socket.close()

    def _start(self, what: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=what, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                data, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(16))
                self.states.append(json.loads(data))
                descriptors = array.array("i", ancillary[0][2])
                assert len(descriptors) == 1
                self._start(self._serve, descriptors[0])
                self.extra += connection.recv(1)

    def _serve(self, listener: int) -> None:
        """Answer until no process has the filter any more."""
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while not poll.poll()[0][1] & select.POLLHUP:
            request = bytearray(80)
            try:
                fcntl.ioctl(listener, _RECEIVE, request)
                (identifier,) = struct.unpack_from("=Q", request)
                (number,) = struct.unpack_from("=i", request, 16)
                self.asked.append(number)
                error = self.answer(number)
                flags = 0 if error else _CONTINUE
                fcntl.ioctl(listener, _SEND, struct.pack("=QqiI", identifier, 0, -error, flags))
            except FileNotFoundError:
                # The process was killed while it waited.
                continue
        os.close(listener)
