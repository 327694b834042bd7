"""criu's protocol, with a process at the other end that answers as criu does (criu/images/rpc.proto)."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from runtime.operations import criu_protocol as protocol
from runtime.support.errors import RuntError

NOTIFIED = protocol.encode([(1, 6), (2, 1), (5, protocol.encode([(1, "orphan-pts-master"), (2, 7)]))])
RESTORED = protocol.encode([(1, protocol.RESTORE), (2, 1), (4, protocol.encode([(1, 4711)]))])
ACKNOWLEDGED = bytes.fromhex("0806 1801")


def test_messages_are_those_of_protocol_buffers() -> None:
    # As `protoc --encode=criu_req rpc.proto` writes them: a dump, of process 300, without cgroups (mode 0).
    assert protocol.encode([(1, 1), (2, protocol.encode([(2, 300), (34, 0)]))]) == bytes.fromhex(
        "0801 1206 10ac02 900200"
    )
    assert protocol.decode(bytes.fromhex("0802 1001 2203 08e724 4a026f6b")) == {
        1: 2, 2: 1, 4: b"\x08\xe7\x24", 9: b"ok"
    }  # fmt: skip
    with pytest.raises(ValueError, match="cut off"):
        protocol.decode(b"\x08\xff")


def test_a_call_back_brings_a_descriptor_and_waits_for_the_answer() -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    request, acknowledged = [], []
    null = os.open(os.devnull, os.O_RDONLY)

    def criu() -> None:
        request.append(far.recv(4096))
        socket.send_fds(far, [NOTIFIED], [null])
        acknowledged.append(far.recv(4096))
        far.send(RESTORED)
        far.close()

    answering = threading.Thread(target=criu)
    answering.start()
    seen = []
    pid = protocol.ask(
        near.detach(),
        protocol.RESTORE,
        [(protocol.OPTIONS["root"], "/r")],
        lambda name, fd: seen.append((name, os.path.sameopenfile(fd, null))),
    )
    answering.join()
    os.close(null)
    assert pid == 4711
    assert seen == [("orphan-pts-master", True)]
    assert acknowledged == [ACKNOWLEDGED]
    assert request == [bytes.fromhex("0802 1204 6a022f72")]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(b"", ""), (protocol.encode([(1, 1), (2, 0), (9, "no such feature")]), "no such feature")],
    ids=["it ended", "it failed"],
)
def test_criu_that_fails_has_a_reason_or_none(answer: bytes, reason: str) -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if answer:
        far.send(answer)
    far.shutdown(socket.SHUT_WR)
    assert protocol.ask(near.detach(), protocol.DUMP, [], lambda _name, _fd: None) == reason
    far.close()


def test_a_program_that_is_no_criu_is_an_error() -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    far.send(b"\x0fhello")
    with pytest.raises(RuntError, match="criu does not speak its protocol"):
        protocol.ask(near.detach(), protocol.DUMP, [], lambda _name, _fd: None)
    far.close()
