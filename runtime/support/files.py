"""Small files, read and written at once, without what `open` puts around a descriptor: a container's start has dozens of them."""

from __future__ import annotations

import os


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


def write(path: str, data: bytes, *, flags: int = os.O_WRONLY | os.O_CLOEXEC, mode: int = 0o666) -> None:
    """Write `data` to the file `path`, which exists unless `flags` say otherwise. Raises OSError."""
    fd = os.open(path, flags, mode)
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    finally:
        os.close(fd)


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
