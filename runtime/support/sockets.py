"""Sending descriptors through unix sockets (unix(7), SCM_RIGHTS): a terminal's master, or a pidfd, to the caller.

With `_socket`, the part of `socket` that is written in C: the rest is of no use here and takes long to load. Init, which must
not load anything, only uses what the runtime has connected before.
"""

from __future__ import annotations

import os
import struct

from runtime.support.errors import RuntError, describe


def connect(path: str, what: str, *, packets: bool = False) -> int:
    """Return a descriptor connected to the socket at `path`, one that keeps `packets` apart or a stream.

    Raises RuntError that calls the socket `what`.
    """
    import _socket

    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET if packets else _socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        raise RuntError(f"cannot connect to the {what}: {path}: {describe(error)}") from None
    return connection.detach()


def pair() -> tuple[int, int]:
    """Return two connected descriptors, for `run` and `exec` to receive the master that the container's process sends."""
    import _socket

    near, far = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    return near.detach(), far.detach()


def pass_connection(connection: int, text: str) -> int:
    """Make two connected ends that keep packets apart, send one through the socket `connection`, and return the other.

    Who receives it gets the credentials of the sender with every packet (SO_PASSCRED). Raises OSError.
    """
    import _socket

    near, far = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    try:
        # Here, because the first packet may come before the other process could ask for it.
        far.setsockopt(_socket.SOL_SOCKET, _socket.SO_PASSCRED, 1)
        send_descriptor(connection, far.fileno(), text)
    finally:
        far.close()
    return near.detach()


def peer_uid(connection: int) -> int:
    """Return the user of the process at the other end, as of its listen(2) or socketpair(2) (SO_PEERCRED). Raises OSError."""
    import _socket

    end = _socket.socket(fileno=os.dup(connection))
    try:
        credentials = end.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, struct.calcsize("3i"))
    finally:
        end.close()
    _, uid, _ = struct.unpack("iII", credentials)
    return int(uid)


def send_descriptor(connection: int, descriptor: int, text: str) -> None:
    """Send a descriptor through the socket `connection`, with some text as data. Raises OSError."""
    import _socket

    rights = struct.pack("i", descriptor)
    sender = _socket.socket(fileno=os.dup(connection))
    try:
        sender.sendmsg([text.encode()], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
    finally:
        sender.close()


def receive_descriptor(connection: int) -> int:
    """Return the descriptor that comes next, close-on-exec; -1 if the other end is closed without one."""
    import _socket

    receiver = _socket.socket(fileno=os.dup(connection))
    _, ancillary, _, _ = receiver.recvmsg(4096, _socket.CMSG_SPACE(4), _socket.MSG_CMSG_CLOEXEC)
    receiver.close()
    for _, _, data in ancillary:
        (descriptor,) = struct.unpack("i", data)
        return int(descriptor)
    return -1
