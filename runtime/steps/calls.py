"""What a step calls: the system calls of `runtime.kernel`, and what Python's audit events tell of files and directories.

Only for an observer that asks: until a `CallRecorder` is made nothing is wrapped, and what is wrapped stays so.
"""

from __future__ import annotations

import errno
import os
import sys

from runtime.kernel import syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_EVENTS = {
    # The audit events about files (`audit_events` in the library reference), by the system calls that they stand for
    "open": "open",
    "os.chdir": "chdir",
    "os.chmod": "chmod",
    "os.chown": "chown",
    "os.link": "link",
    "os.listdir": "getdents64",
    "os.mkdir": "mkdir",
    "os.remove": "unlink",
    "os.rename": "rename",
    "os.rmdir": "rmdir",
    "os.scandir": "getdents64",
    "os.symlink": "symlink",
    "os.truncate": "truncate",
}
_MOST_CALLS = 256
_MOST_TEXT = 16_000
"""Characters of all arguments. In JSON one may become six, and a packet must fit into the socket's buffer (SO_SNDBUF, socket(7))."""
_LONGEST = 300
"""Characters of one argument."""
_NO_DIRECTORY = -1
"""What an audit event has for a `dir_fd` that was not given."""


class CallRecorder:
    """Records the calls of this process, and of one that is cloned from it, from the making of this object on.

    `is_filtered` tells whether a seccomp filter has been set: few system calls may be made from then on.
    """

    def __init__(self) -> None:
        self.is_filtered = False
        self._forget()
        real = syscall.call

        def call(name: str, *arguments: int | bytes | bytearray | None) -> int:
            function = sys._getframe(1).f_code.co_name
            try:
                result = real(name, *arguments)
            except OSError as error:
                self._add(function, name, arguments, None, errno.errorcode.get(error.errno or 0, "?"))
                raise
            if function == "set_filter":
                self.is_filtered = True
            self._add(function, name, arguments, result, "")
            return result

        # The modules of `kernel` have the function by its name; those that are loaded later get this one from `syscall`.
        for module_name, module in [*sys.modules.items()]:
            if module_name.startswith("runtime.kernel.") and getattr(module, "call", None) is real:
                module.call = call  # type: ignore[attr-defined]
        # Can't be taken back.
        sys.addaudithook(self._hear)

    def take(self) -> tuple[list[dict[str, Any]], int]:
        """Return the calls since the last time, and how many more there were than are kept."""
        taken = self._calls, self._more
        self._forget()
        return taken

    def _forget(self) -> None:
        self._calls: list[dict[str, Any]] = []
        self._more = 0
        self._room = _MOST_TEXT

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an audit event. It comes before the call is made: there is no result, and no error."""
        name = _EVENTS.get(event)
        # A file that is open already is only given an object.
        if name is None or (event == "open" and isinstance(arguments[0], int)):
            return
        given = tuple(each for each in arguments if each is not None and each != _NO_DIRECTORY)
        self._add(sys._getframe(1).f_code.co_name, name, given, None, "")

    def _add(
        self, function: str, name: str, arguments: tuple[Any, ...], result: int | None, error: str
    ) -> None:
        shown = [_shown(each) for each in arguments]
        self._room -= sum(len(each) for each in shown if isinstance(each, str))
        if len(self._calls) == _MOST_CALLS or self._room < 0:
            self._more += 1
            return
        self._calls.append(
            {"function": function, "name": name, "arguments": shown, "result": result, "errno": error}
        )


def _shown(argument: Any) -> int | str | None:
    """Return an argument as it is told: a number, text, the size of a structure, or nothing for a null pointer."""
    if argument is None or isinstance(argument, int):
        return argument
    if isinstance(argument, bytearray):
        return f"({len(argument)} bytes)"
    data = argument if isinstance(argument, bytes) else os.fsencode(argument)
    text = data.decode("utf-8", "backslashreplace")
    if isinstance(argument, bytes) and not text.isprintable():
        return f"({len(data)} bytes)"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
