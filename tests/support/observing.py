"""The far end of `runt --observe`, at a socket or through a descriptor: keeps every packet, and answers as a function says."""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import struct
import subprocess
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from tests.support.runt import REPOSITORY
from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.runt import Runt

    Packet = dict[str, Any]


def watch(packet: Packet) -> str:
    """Let runt go on by itself."""
    return "watch" if packet["type"] == "hello" else ""


def step(packet: Packet) -> str:
    """Let every step go on."""
    return {"hello": "step", "table": ""}.get(packet["type"], "go")


def at(moment: str, name: str, answer: str = "abort") -> Callable[[Packet], str]:
    """Return what gives one answer to the packet `moment` of the step `name`, and after an abort to all that follow."""
    given: list[str] = []

    def say(packet: Packet) -> str:
        if packet.get("step") == name and packet["type"] == moment:
            given.append(answer)
        return given[-1] if given and packet["type"] != "table" else step(packet)

    return say


class Far:
    """Listens for runt as a user; `packets` are what it has said, each with the `pid` of the sender."""

    def __init__(self, say: Callable[[Packet], str], uid: int = 0) -> None:
        self.say = say
        self.packets: list[Packet] = []
        self.folder = tempfile.mkdtemp(prefix="observe-", dir="/tmp")  # a socket's path has 107 bytes at most
        self.path = f"{self.folder}/s"
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.listening.bind(self.path)
        for path in (self.folder, self.path):
            os.chown(path, uid, -1)
        # The kernel keeps the credentials of listen(2) for the other end (SO_PEERCRED).
        os.seteuid(uid)
        self.listening.listen(8)
        os.seteuid(0)
        self.near, self.passing = socket.socketpair()
        self.peers: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self.listening, self.near, self.passing, *self.peers):
            each.close()
        shutil.rmtree(self.folder)

    def run(self, runt: Runt, *words: str, place: str = "", **options: Any) -> tuple[int, str]:
        """Run an operation to its end; return its exit status and what it printed. An empty answer closes the connections."""
        with (
            tempfile.TemporaryFile("w+") as output,
            subprocess.Popen(
                runt.command("--observe", place or self.path, *words),
                env={**os.environ, "PYTHONPATH": str(REPOSITORY), **options.pop("env", {})},
                **{"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, **options},
            ) as process,
        ):
            end = os.pidfd_open(process.pid)
            try:
                while process.poll() is None or self._readable(0):
                    for each in self._readable(patience.scaled(30), end):
                        self._take(each)
            finally:
                os.close(end)
                process.kill()
            output.seek(0)
            return process.returncode, output.read()

    def _readable(self, timeout: float, *more: int) -> list[Any]:
        watched: list[Any] = [self.listening, self.near, *self.peers, *more]
        ready = select.select(watched, [], [], timeout)[0]
        assert ready or not timeout, f"runt says nothing after {self.packets[-1:]}"
        return [each for each in ready if each not in more]

    def _take(self, ready: socket.socket) -> None:
        if ready is self.listening:
            self.peers.append(ready.accept()[0])
        elif ready is self.near:
            _, fds, _, _ = socket.recv_fds(ready, 100, 1)
            self.peers += [socket.socket(fileno=fd) for fd in fds]
        elif ready in self.peers:
            try:
                data, ancillary, _, _ = ready.recvmsg(1 << 18, socket.CMSG_SPACE(12))
            except ConnectionResetError:
                data, ancillary = b"", []
            if not data:
                self._drop(ready)
                return
            packet = json.loads(data)
            packet["pid"] = struct.unpack("3i", ancillary[0][2])[0]
            self.packets.append(packet)
            answer = self.say(packet)
            if answer == "vanish":
                for each in [*self.peers]:
                    self._drop(each)
            elif answer:
                with suppress(BrokenPipeError):
                    ready.send(json.dumps({"type": answer}).encode())

    def _drop(self, peer: socket.socket) -> None:
        self.peers.remove(peer)
        peer.close()

    def steps(self, kind: str, process: str = "runtime", table: str = "") -> list[str]:
        """Return the names of the steps in the packets of a kind, of a process."""
        return [
            each["step"]
            for each in self.packets
            if each["type"] == kind and each["process"] == process and table in each["table"]
        ]

    def after(self, name: str) -> Packet:
        """Return what was said after a step."""
        return next(each for each in self.packets if each["type"] == "after" and each["step"] == name)
