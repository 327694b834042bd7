"""The connection between the runtime and the init process while a container is being created.

A pair of connected sockets that keep messages apart; each message is a JSON object with a `type`. When one process
dies the other reads an end of file: the runtime then cleans up, and init exits.
"""

from __future__ import annotations

import os

from runtime.support import jsontext, log
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LONGEST = 1 << 17


class StepError(RuntError):
    """A step that failed, in this process or in the other; without a name it is a fault of runt."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"{reason} (step {step})" if step else reason)
        self.step = step
        self.reason = reason


class PeerGoneError(Exception):
    """The other process has closed its end: it has ended."""


class Sync:
    """One connection with two ends; each process calls `be_runtime` or `be_init` before it sends or receives."""

    def __init__(self) -> None:
        # Here, because `start` and `delete` load this module for StepError and need no system calls that Python lacks.
        from runtime.kernel import process as kernel

        self._runtime_end, self._init_end = kernel.socketpair()
        self.fd = -1

    def be_runtime(self) -> None:
        """Keep the runtime's end and close the other."""
        self.fd = self._runtime_end
        os.close(self._init_end)

    def be_init(self) -> None:
        """Keep init's end and close the other."""
        self.fd = self._init_end
        os.close(self._runtime_end)

    def send(self, kind: str, **fields: Any) -> None:
        """Send a message of a `kind`. Raises PeerGoneError."""
        try:
            os.write(self.fd, jsontext.dumps({"type": kind, **fields}).encode()[:_LONGEST])
        except (BrokenPipeError, ConnectionResetError):
            raise PeerGoneError from None

    def expect(self, kind: str) -> dict[str, Any]:
        """Wait for the next message, which must be of a `kind`, and return it.

        Raises PeerGoneError, and StepError for the failure of a step that the other process sends instead; its warnings are logged.
        """
        try:
            data = self._read()
        except ConnectionResetError:
            # It ended without having read the last message. What it has sent itself is still there.
            data = self._read()
        if not data:
            raise PeerGoneError
        message: dict[str, Any] = jsontext.loads(data)
        if message["type"] == "error":
            for warning in message["warnings"]:
                log.warning(warning)
            raise StepError(message["step"], message["message"])
        if message["type"] != kind:
            raise RuntError(
                f"runtime and init process are out of step: expected {kind}, got {message['type']}"
            )
        return message

    def _read(self) -> bytes:
        """Return the next message, nothing when the other end is closed (unix(7))."""
        return os.read(self.fd, _LONGEST)

    def check_peer(self) -> None:
        """Raise PeerGoneError if the other process has ended. To be called while it has nothing to send."""
        os.set_blocking(self.fd, False)
        try:
            self.expect("")
        except BlockingIOError:
            os.set_blocking(self.fd, True)

    def close(self) -> None:
        """Close this process's end; both ends, before `be_runtime` or `be_init`."""
        for fd in (self._runtime_end, self._init_end) if self.fd < 0 else (self.fd,):
            os.close(fd)
        self.fd = -1
