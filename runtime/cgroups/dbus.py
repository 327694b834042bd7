"""A client for D-Bus, with the part of it that calls of systemd take (D-Bus Specification).

A connection is a socket; the other end gets the user from the kernel (SASL EXTERNAL). A message is a header, with the
object and the method to call, and a body with the arguments. Signals may come before the answer.
"""

from __future__ import annotations

import os
import struct

from runtime.cgroups.dbus_values import align, pack, unpack
from runtime.support import sockets
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CALL, _RETURN, _ERROR, _SIGNAL = 1, 2, 3, 4
# Fields of the header.
_PATH, _INTERFACE, _MEMBER, _ERROR_NAME, _REPLY_SERIAL, _DESTINATION, _SENDER, _SIGNATURE = range(1, 9)
_LONGEST = 1 << 27
"""The longest message that the specification allows."""
_PATIENCE = 30.0
"""How many seconds an answer or a signal may take to come."""


class DBusError(RuntError):
    """An error that the other end has answered; `name` is the error's name, such as `org.freedesktop.systemd1.UnitExists`."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{message} ({name})")
        self.name = name


class Connection:
    """A connection to the socket at `path`: of a bus, or of the service `destination` itself."""

    def __init__(self, path: str, destination: str, *, is_bus: bool) -> None:
        """Connect and authenticate. Raises RuntError."""
        self._fd = sockets.connect(path, "D-Bus socket of systemd")
        self.path = path
        self._destination = destination
        self._serial = 0
        self._received = bytearray()
        self._signals: list[tuple[str, list[Any]]] = []
        self._is_bus = is_bus
        try:
            self._authenticate()
            if is_bus:
                bus = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
                self._call(*bus, "Hello", "", [])
                # A bus without systemd, such as that of dbus-run-session, is none to use.
                self._call(*bus, "GetNameOwner", "s", [destination])
                self._call(*bus, "AddMatch", "s", [f"type='signal',sender='{destination}'"])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        os.close(self._fd)

    def call(self, path: str, interface: str, method: str, signature: str = "", *arguments: Any) -> list[Any]:
        """Call a method and return its results. Raises DBusError for an error, RuntError without an answer."""
        return self._call(self._destination, path, interface, method, signature, arguments)

    def wait_for_signal(self, name: str, index: int, value: object) -> list[Any]:
        """Return the arguments of the next signal `name` whose argument `index` is `value`; it may have come already."""
        while True:
            for number, (member, arguments) in enumerate(self._signals):
                if member == name and arguments[index] == value:
                    del self._signals[: number + 1]
                    return arguments
            self._signals.clear()
            while not self._signals:
                self._next_message()

    def _authenticate(self) -> None:
        """Authenticate as the user that the kernel tells the other end (Authentication Protocol; examples, EXTERNAL)."""
        # All at once, and no call before the answer: systemd ignores a call that it reads together with BEGIN.
        self._send(b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n")
        for expected in (b"DATA", b"OK "):
            while b"\r\n" not in self._received:
                self._receive()
            line, _, rest = bytes(self._received).partition(b"\r\n")
            self._received = bytearray(rest)
            if not line.startswith(expected):
                raise RuntError(
                    f"systemd does not accept this user on D-Bus: {line.decode('ascii', 'replace')}"
                )

    def _call(
        self, destination: str, path: str, interface: str, method: str, signature: str, arguments: Any
    ) -> list[Any]:
        self._serial += 1
        serial = self._serial
        fields = [(_PATH, ("o", path)), (_INTERFACE, ("s", interface)), (_MEMBER, ("s", method))]
        if self._is_bus:
            fields.append((_DESTINATION, ("s", destination)))
        if signature:
            fields.append((_SIGNATURE, ("g", signature)))
        body = pack(signature, arguments)
        message = pack("yyyyuua(yv)", [ord("l"), _CALL, 0, 1, len(body), serial, fields])
        align(message, 8)
        self._send(bytes(message + body))
        while True:
            kind, header, values = self._next_message()
            if header.get(_REPLY_SERIAL) != serial:
                continue
            if kind == _ERROR:
                raise DBusError(header[_ERROR_NAME], str(values[0]) if values else method)
            return values

    def _next_message(self) -> tuple[int, dict[int, Any], list[Any]]:
        """Return the next message: its type, its header's fields, its arguments. A signal is also kept."""
        start = self._peek(16)
        body_length, _, fields_length = struct.unpack_from("<III", start, 4)
        header_length = 16 + fields_length + -fields_length % 8
        if start[0] != ord("l") or header_length + body_length > _LONGEST:
            raise RuntError("systemd sends something that is not D-Bus")
        message = self._peek(header_length + body_length)
        del self._received[: len(message)]
        try:
            (_, kind, *_, pairs), _ = unpack("yyyyuua(yv)", message)
            fields = {number: variant[1] for number, variant in pairs}
            values, _ = unpack(fields.get(_SIGNATURE, ""), message[header_length:])
        except (struct.error, ValueError, LookupError, TypeError, RecursionError):
            # The socket of a user's systemd is what that user has put there.
            raise RuntError("systemd sends something that is not D-Bus") from None
        if kind == _SIGNAL:
            self._signals.append((fields[_MEMBER], values))
        return kind, fields, values

    def _peek(self, length: int) -> bytes:
        """Return the next `length` bytes, once they have come."""
        while len(self._received) < length:
            self._receive()
        return bytes(self._received[:length])

    def _send(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            raise RuntError(f"systemd has closed the D-Bus connection: {describe(error)}") from None

    def _receive(self) -> None:
        import select

        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        if not poll.poll(_PATIENCE * 1000):
            raise RuntError(f"systemd has not answered on D-Bus for {_PATIENCE:.0f} seconds")
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            data = b""
        if not data:
            raise RuntError("systemd has closed the D-Bus connection")
        self._received += data
