"""`--observe`: tells another process of each step, before and after it, and waits for its answer if it wants to be waited for.

The wire is one JSON object in each packet of a SOCK_SEQPACKET socket, unix(7):

    runt                                                      observer
    hello: version, operation, container, bundle         -->
                                                         <--  watch, or step
    table: its name, container, the names of its steps   -->
    before: table, step, position                        -->
                                                         <--  go, or abort   (only after step)
    after: the same, nanoseconds, calls, more, error     -->
                                                         <--  go, or abort   (only after step)

All have `type` and `process`: `runtime`, `init`, or `exec` for the process that `exec` makes. Each process has a connection of
its own, made by the runtime beforehand: the other can't reach the socket any more, nor may it load what connects. The observer
learns the pid, as it sees it itself, from the socket (SO_PASSCRED).

An abort, or an observer that has gone, fails the step as an error of its own does.
"""

from __future__ import annotations

# Loaded here, because init loads nothing: what `jsontext` needs for an answer that is no JSON.
import json.decoder  # noqa: F401
import os
import time

from runtime.steps.calls import CallRecorder
from runtime.steps.runner import Observer
from runtime.support import jsontext, sockets
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from runtime.steps.runner import Table

_VERSION = 1
_MAKE_A_PROCESS = ("create", "exec", "run")
_LAST = "report_ready"
"""The last step that init, or the process of `exec`, tells of: from there on a process inside may come near it."""
_LONGEST_ERROR = 4000
_LONGEST_ANSWER = 4096


class SocketObserver(Observer):
    """Tells the observer at `place` of an operation's steps.

    Args of the constructor:
        place: the path of a unix socket; or `fd:N`, a descriptor of the caller's, through which the observer gets the other end
            of each connection (SCM_RIGHTS). It is closed.
        operation: the command that is observed.

    The constructor raises RuntError: the observer can't be reached, or is of another user.
    """

    def __init__(self, place: str, operation: str) -> None:
        self._operation = operation
        self._connection, *others = _connect(place, 2 if operation in _MAKE_A_PROCESS else 1)
        self._other = others[0] if others else -1
        """The connection of the process that will be made."""
        self._table: Table
        self._is_known = False
        self._waits = False
        self._position = -1
        self._under_way = False
        self._began = 0
        self._recorder = CallRecorder()

    def begin(self, table: Table, subject: Any) -> None:
        """Take the table; in a process that has been made, its connection, too."""
        if table.process != "runtime":
            os.close(self._connection)
            self._connection, self._other = self._other, -1
            self._is_known = False
            subject.observer_connection = self._connection
        self._table = table
        self._position = -1

    def before(self, step: Callable[..., None], subject: Any) -> None:
        """Tell that `step` comes next. Raises RuntError."""
        if self._connection < 0:
            return
        self._under_way = True
        if self._position < 0:
            self._introduce(subject)
        self._position += 1
        self._tell("before", step)
        self._recorder.take()
        self._began = self._now()

    def after(self, step: Callable[..., None], subject: Any) -> None:
        """Tell that `step` has succeeded. Raises RuntError."""
        if self._connection < 0:
            return
        self._under_way = False
        if self._other >= 0 and hasattr(subject, "init_pid"):
            # Only the process that has been made keeps it: its end is the end of that process.
            os.close(self._other)
            self._other = -1
        self._tell("after", step, **self._taken())
        if self._table.process != "runtime" and step.__name__ == _LAST:
            self._close()
            subject.observer_connection = None

    def failed(self, step: Callable[..., None], subject: Any, error: BaseException) -> None:  # noqa: ARG002
        """Tell that `step` has failed; nothing if `after` has told of it. A process that is interrupted says no more."""
        if self._connection < 0 or not self._under_way:
            return
        self._under_way = False
        if not isinstance(error, Exception):
            self._close()
            return
        try:
            self._tell("after", step, **self._taken(), error=_reason(error)[:_LONGEST_ERROR])
        except RuntError:
            # It fails already.
            pass

    def _introduce(self, subject: Any) -> None:
        """Say what is observed, and learn whether to wait; then tell of the table."""
        record = getattr(subject, "entry", subject).record
        container = record["id"]
        if not self._is_known:
            self._send(
                "hello",
                version=_VERSION,
                operation=self._operation,
                container=container,
                bundle=_text(record["bundle"]),
            )
            answer = self._receive()
            if answer not in ("watch", "step"):
                raise RuntError("aborted by the observer")
            self._waits = answer == "step"
            self._is_known = True
        names = [step.__name__ for step in self._table]
        self._send("table", table=self._table.name, container=container, steps=names)

    def _tell(self, kind: str, step: Callable[..., None], **more: Any) -> None:
        self._send(kind, table=self._table.name, step=step.__name__, position=self._position, **more)
        if self._waits and self._receive() != "go":
            raise RuntError("aborted by the observer")

    def _taken(self) -> dict[str, Any]:
        """Return what a step has taken: time and calls."""
        now = self._now()
        calls, more = self._recorder.take()
        return {"nanoseconds": now - self._began if now and self._began else 0, "calls": calls, "more": more}

    def _now(self) -> int:
        """Return the time in nanoseconds, 0 once a filter is set: reading the clock can be a system call (vdso(7))."""
        return 0 if self._recorder.is_filtered else time.perf_counter_ns()

    # By read(2) and write(2) only: a filter that forbids these forbids the handshake with the runtime, too.

    def _send(self, kind: str, **members: Any) -> None:
        packet = {"type": kind, "process": self._table.process, **members}
        try:
            os.write(self._connection, jsontext.dumps(packet).encode())
        except OSError as error:
            raise RuntError(f"the observer has gone: {describe(error)}") from None

    def _receive(self) -> str:
        """Return the word of the next answer. Raises RuntError if there is none."""
        try:
            data = os.read(self._connection, _LONGEST_ANSWER)
        except OSError as error:
            raise RuntError(f"the observer has gone: {describe(error)}") from None
        if not data:
            raise RuntError("the observer has gone")
        try:
            return str(jsontext.loads(data)["type"])
        except (ValueError, KeyError, TypeError):
            raise RuntError("the observer has answered something that is no answer") from None

    def _close(self) -> None:
        os.close(self._connection)
        self._connection = -1


def _connect(place: str, count: int) -> list[int]:
    """Return connections to the observer. Raises RuntError."""
    kind, colon, number = place.partition(":")
    if kind != "fd" or not colon:
        connections = [sockets.connect(place, "observer", packets=True) for _ in range(count)]
        _check_user(connections[0])
        return connections
    if not (number.isascii() and number.isdigit()) or int(number) < 3:
        raise RuntError(f"--observe {place}: expected fd:N, where N is a descriptor from 3 on")
    passing = int(number)
    try:
        _check_user(passing)
        connections = [sockets.pass_connection(passing, "observe") for _ in range(count)]
        # So that it can't be among those that the program gets (--preserve-fds).
        os.close(passing)
    except (OSError, OverflowError) as error:
        reason = describe(error) if isinstance(error, OSError) else str(error)
        raise RuntError(f"cannot pass a connection to the observer: {place}: {reason}") from None
    return connections


def _check_user(connection: int) -> None:
    """Raise RuntError unless the process at the other end is the caller's own: it learns all, and decides."""
    uid = sockets.peer_uid(connection)
    if uid != os.geteuid():
        raise RuntError(
            f"the observer is of user {uid}: it must be of the user of this process, {os.geteuid()}"
        )


def _reason(error: Exception) -> str:
    """Return why a step has failed, in one sentence."""
    if isinstance(error, RuntError):
        return _text(error.message)
    if isinstance(error, OSError):
        return _text(describe(error))
    # PeerGoneError says it in its docstring; others are faults.
    return _text(str(error)) or type(error).__name__


def _text(text: str) -> str:
    """Return text that need not be UTF-8, as a path, with other bytes in hexadecimal."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
