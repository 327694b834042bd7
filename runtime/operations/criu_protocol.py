"""criu's protocol: a request on a socket, and its answer (criu/images/rpc.proto), in the encoding of Protocol Buffers.

What the command line of criu has no option for goes by it: a terminal whose master is outside of what is saved
(orphan_pts_master). A message is a sequence of fields: the number of the member and the kind of its value, then the value,
a number in groups of seven bits or a length with so many bytes.
"""

from __future__ import annotations

import os
import struct

from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Value = int | str | bytes
    Fields = Iterable[tuple[int, Value]]

DUMP, RESTORE, PRE_DUMP = 1, 2, 4
"""criu_req_type: what is asked for."""
_NOTIFY = 6
"""criu_req_type of a call back, which waits for an answer."""

OPTIONS = {
    "images-dir-fd": 1,
    "pid": 2,
    "leave-running": 3,
    "ext-unix-sk": 4,
    "tcp-established": 5,
    "evasive-devices": 6,
    "shell-job": 7,
    "file-locks": 8,
    "log-level": 9,
    "log-file": 10,
    "page-server": 11,
    "notify-scripts": 12,
    "root": 13,
    "parent-img": 14,
    "track-mem": 15,
    "auto-dedup": 16,
    "work-dir-fd": 17,
    "link-remap": 18,
    "restore-sibling": 26,
    "inherit-fd": 27,
    "manage-cgroups-mode": 34,
    "external": 37,
    "empty-ns": 38,
    "skip-in-flight": 46,
    "orphan-pts-master": 50,
    "config-file": 51,
    "lsm-profile": 53,
    "lsm-mount-context": 63,
}
"""criu_opts: the numbers of the members; where criu has an option of the same meaning, by the option's name."""

CGROUP_MODES = {"ignore": 0, "soft": 3, "full": 4, "strict": 5}
"""criu_cg_mode."""

_MOST = 1 << 16
"""The longest answer, in bytes."""
_GROUP, _LENGTH = 0, 2
"""The kinds of values that are used here."""


def encode(fields: Fields) -> bytes:
    """Return a message with these members; one that is there several times is a list."""
    encoded = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            encoded += _number(number << 3 | _GROUP) + _number(value)
        else:
            data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
            encoded += _number(number << 3 | _LENGTH) + _number(len(data)) + data
    return bytes(encoded)


def decode(message: bytes) -> dict[int, int | bytes]:
    """Return the members of a message; of several with one number the last. Raises ValueError for what is none."""
    found: dict[int, int | bytes] = {}
    at = 0
    while at < len(message):
        key, at = _read_number(message, at)
        value, at = _read_number(message, at)
        if key & 7 == _LENGTH:
            found[key >> 3] = message[at : at + value]
            at += value
        elif key & 7 == _GROUP:
            found[key >> 3] = value
        else:
            raise ValueError(f"a value of the unknown kind {key & 7}")
    return found


def ask(connection: int, kind: int, options: Fields, notified: Callable[[str, int], None]) -> int | str:
    """Send a request to criu, which is at the other end of `connection`, and wait for the answer.

    `notified` is called for each call back, with its name and the descriptor that came with it, or -1. Returns the process
    ID of the restored init process, 0 for other requests, and if criu has failed its first error, which may be empty.
    """
    import _socket

    criu = _socket.socket(fileno=connection)
    try:
        criu.send(encode([(1, kind), (2, encode(options))]))
        while True:
            data, ancillary, _, _ = criu.recvmsg(_MOST, _socket.CMSG_SPACE(4), _socket.MSG_CMSG_CLOEXEC)
            answer = decode(data)
            # Whether it has succeeded; an empty message is the end of criu.
            if not answer.get(2):
                return _bytes(answer.get(9, b"")).decode("utf-8", "replace")
            if answer[1] != _NOTIFY:
                restored = decode(_bytes(answer.get(4, b"")))
                return int(restored.get(1, 0))
            call_back = decode(_bytes(answer.get(5, b"")))
            descriptor = struct.unpack("i", ancillary[0][2])[0] if ancillary else -1
            try:
                notified(_bytes(call_back.get(1, b"")).decode(), descriptor)
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
            criu.send(encode([(1, _NOTIFY), (3, 1)]))
    except ConnectionError:
        # It has ended before it has read the request.
        return ""
    except (OSError, ValueError) as error:
        raise RuntError(f"criu does not speak its protocol: {error}") from None
    finally:
        criu.close()


def _bytes(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""


def _number(value: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first; all but the last have the eighth bit set."""
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def _read_number(message: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place, and the place behind it. Raises ValueError."""
    value = shift = 0
    while at < len(message):
        value |= (message[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not message[at - 1] & 0x80:
            return value, at
    raise ValueError("a message that is cut off")
