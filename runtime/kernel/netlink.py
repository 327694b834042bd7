"""Network interfaces of this process's network namespace: the part of rtnetlink(7) that moving them needs."""

from __future__ import annotations

import _socket
import os
import struct

_AF_NETLINK = 16
_NETLINK_ROUTE = 0
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_DUMP = 0x1, 0x4, 0x300
_NLM_F_EXCL, _NLM_F_CREATE = 0x200, 0x400
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_RTM_NEWLINK, _RTM_NEWADDR, _RTM_GETADDR = 16, 20, 22
_IFLA_IFNAME, _IFLA_NET_NS_FD = 3, 28
_IFA_FLAGS = 8

_HEADER = "=IHHII"
"""struct nlmsghdr: length, type, flags, sequence number, port."""
_LINK = "=BxHiII"
"""struct ifinfomsg: family, type, index, flags, which of the flags to change."""
_ADDRESS = "=BBBBI"
"""struct ifaddrmsg: family, length of the prefix, flags, scope, index of the interface."""

_IFF_UP = 1


class Address:
    """An address of an interface; `attributes` are those of rtnetlink(7), by their numbers (IFA_*)."""

    __slots__ = ("attributes", "family", "flags", "prefix", "scope")

    def __init__(
        self, family: int, prefix: int, flags: int, scope: int, attributes: dict[int, bytes]
    ) -> None:
        self.family = family
        self.prefix = prefix
        self.flags = flags
        self.scope = scope
        self.attributes = attributes


def index_of(name: str) -> int:
    """By if_nametoindex(3): return the number of the interface `name`, 0 if there is none."""
    try:
        return _socket.if_nametoindex(name)
    except OSError:
        return 0


def addresses(index: int) -> list[Address]:
    """By RTM_GETADDR: return the addresses of the interface `index`."""
    found = []
    for message in _talk(_RTM_GETADDR, _NLM_F_DUMP, struct.pack(_ADDRESS, 0, 0, 0, 0, 0)):
        family, prefix, flags, scope, of = struct.unpack_from(_ADDRESS, message)
        if of == index:
            attributes = _unpack_attributes(message[struct.calcsize(_ADDRESS) :])
            if _IFA_FLAGS in attributes:
                (flags,) = struct.unpack("=I", attributes[_IFA_FLAGS])
            found.append(Address(family, prefix, flags, scope, attributes))
    return found


def add_address(index: int, address: Address) -> None:
    """By RTM_NEWADDR: give the interface `index` an address."""
    body = struct.pack(_ADDRESS, address.family, address.prefix, address.flags & 0xFF, address.scope, index)
    body += b"".join(_pack_attribute(kind, value) for kind, value in address.attributes.items())
    _talk(_RTM_NEWADDR, _NLM_F_ACK | _NLM_F_CREATE | _NLM_F_EXCL, body)


def move_link(index: int, namespace: int, name: str) -> None:
    """By RTM_NEWLINK: move the interface `index` to the network namespace of a descriptor, with the name `name` there."""
    body = struct.pack(_LINK, 0, 0, index, 0, 0)
    body += _pack_attribute(_IFLA_IFNAME, name.encode() + b"\0")
    body += _pack_attribute(_IFLA_NET_NS_FD, struct.pack("=I", namespace))
    _talk(_RTM_NEWLINK, _NLM_F_ACK, body)


def set_up(index: int) -> None:
    """By RTM_NEWLINK: switch the interface `index` on."""
    _talk(_RTM_NEWLINK, _NLM_F_ACK, struct.pack(_LINK, 0, 0, index, _IFF_UP, _IFF_UP))


def _talk(kind: int, flags: int, body: bytes) -> list[bytes]:
    """Send one request and return the bodies of the answers. Raises OSError, with the kernel's errno."""
    line = _socket.socket(_AF_NETLINK, _socket.SOCK_RAW | _socket.SOCK_CLOEXEC, _NETLINK_ROUTE)
    try:
        length = struct.calcsize(_HEADER) + len(body)
        line.send(struct.pack(_HEADER, length, kind, _NLM_F_REQUEST | flags, 1, 0) + body)
        answers: list[bytes] = []
        while True:
            data = line.recv(1 << 16)
            while data:
                length, kind, _, _, _ = struct.unpack_from(_HEADER, data)
                content, data = data[struct.calcsize(_HEADER) : length], data[_aligned(length) :]
                if kind == _NLMSG_DONE:
                    return answers
                if kind == _NLMSG_ERROR:
                    (number,) = struct.unpack_from("=i", content)
                    if number:
                        raise OSError(-number, os.strerror(-number))
                    return answers
                answers.append(content)
    finally:
        line.close()


def _pack_attribute(kind: int, value: bytes) -> bytes:
    """Return an attribute (struct rtattr: length, type, value), padded to a multiple of four bytes."""
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(_aligned(length) - length)


def _unpack_attributes(data: bytes) -> dict[int, bytes]:
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        found[kind] = data[4:length]
        data = data[_aligned(max(length, 4)) :]
    return found


def _aligned(length: int) -> int:
    return (length + 3) & ~3
