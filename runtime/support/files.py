"""Small files, read and written as a whole, without the objects that `open` makes: starting a container takes dozens."""

from __future__ import annotations

import os

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def read(path: str, limit: int = 1 << 16) -> bytes:
    """Return what the file `path` holds. Raises OSError. `limit` is the most that is read at a time."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(fd, limit)
        while more := os.read(fd, limit):
            data += more
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    finally:
        os.close(fd)
    return data


def replace(path: str, data: bytes, temporary: str, mode: int | None = None) -> None:
    """Write the file `path` so that a process that reads or runs it at this moment has the old one or the new one, never a part.

    Nothing is flushed to the disk: after a crash of the machine no record of the runtime is of use.

    Args:
        path: the file; a link is replaced, not followed.
        data: all that it is to hold.
        temporary: its name until it is complete, in the same directory. Only one process at a time may use it; what a killed
            process has left there is removed, and a link there is not followed.
        mode: its permissions; None for what the umask leaves of 0666.

    Raises:
        OSError: it names `path`. Nothing is left of the new file.
    """
    made = False
    try:
        try:
            fd = os.open(temporary, _NEW, 0o666)
        except FileExistsError:
            os.unlink(temporary)
            fd = os.open(temporary, _NEW, 0o666)
        made = True
        try:
            if mode is not None:
                os.fchmod(fd, mode)
            while data:
                data = data[os.write(fd, data) :]
        finally:
            os.close(fd)
        os.rename(temporary, path)
    except BaseException as error:
        if made:
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, path) from None
        raise


def find_program(name: str, *more: str) -> str | None:
    """Return the path of a program from the directories of PATH, then from `more`; None if none has it (execvp(3))."""
    for directory in (*os.environ.get("PATH", os.defpath).split(":"), *more):
        path = os.path.join(directory, name)
        if directory and os.access(path, os.X_OK):
            return path
    return None


def mountinfo() -> list[str]:
    """Return the lines of /proc/self/mountinfo. Raises OSError.

    Only a newline ends one: of what else Python takes for the end of a line, the kernel escapes nothing in a path.
    """
    return read("/proc/self/mountinfo").decode("utf-8", "surrogateescape").split("\n")[:-1]


def unescape(text: str) -> str:
    r"""Return a path of mountinfo as it is: spaces and a few others are written as octal numbers there (`\040`)."""
    if "\\" not in text:
        return text
    first, *rest = text.split("\\")
    return first + "".join(chr(int(part[:3], 8)) + part[3:] for part in rest)
