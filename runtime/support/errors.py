"""The exception whose message is printed for the caller, and system errors in the words that callers expect."""

from __future__ import annotations


class RuntError(Exception):
    """An operation that failed, with a message for the caller.

    `message` is the sentence that is printed and logged; `exit_status` is what the process exits with.
    """

    def __init__(self, message: str, exit_status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.exit_status = exit_status


def describe(error: OSError) -> str:
    """Return an operating system error as callers of a runtime expect it: lower case, without Python's `[Errno N]`.

    Docker looks for "no such file or directory" and "permission denied" and turns them into exit status 127 and 126.
    """
    text = error.strerror or str(error)
    # Only the first letter: a filesystem's own message may name a path.
    return f"{os_path(error)}{text[:1].lower()}{text[1:]}"


def os_path(error: OSError) -> str:
    """Return `"path: "` for an error that names a file, else an empty string."""
    name = error.filename
    if name is None or isinstance(name, int):
        return ""
    return f"{name.decode(errors='surrogateescape') if isinstance(name, bytes) else name}: "
