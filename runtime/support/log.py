"""Messages to the caller in the two forms that runc writes (logrus): text, and one JSON object a line.

Without `--log` they go to standard error. With it they go to the file, and an error that ends the command is also
printed, plainly, to standard error: Docker and containerd read the file, the user reads the terminal.
"""

from __future__ import annotations

import os
import time

from runtime.support.errors import RuntError, describe

_COLOURS = {"debug": 37, "warning": 33, "error": 31}
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/@^+-")

_LETTERS = {"\a": "a", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v"}

_began = time.monotonic()


class _Settings:
    """Where messages go, in which form, and from which level on."""

    file = 2
    path = ""
    json = False
    debug = False


def configure(path: str = "", log_format: str = "text", *, debug: bool = False) -> None:
    """Set where messages go from now on. Raises RuntError for an unknown format or a file that can't be written."""
    _Settings.debug = debug
    if path:
        _Settings.path = path
        try:
            _Settings.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RuntError(f"open {describe(error)}") from None
    if log_format not in ("text", "json"):
        raise RuntError(f"invalid log-format: {log_format}")
    _Settings.json = log_format == "json"


def debug(message: str) -> None:
    """Log what helps to find a fault (`--debug`)."""
    if _Settings.debug:
        _write("debug", message)


def warning(message: str) -> None:
    """Log what went wrong without stopping the operation (runtime.md, Warnings)."""
    _write("warning", message)


def error(message: str) -> None:
    """Log why the command failed, and when the log is a file also print it to standard error."""
    _write("error", message)
    if _Settings.file != 2:
        _emit(2, _printable(message))


def _write(level: str, message: str) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if _Settings.json:
        from runtime.support import jsontext

        record = {"level": level, "msg": _printable(message), "time": now}
        line = jsontext.dumps(record, ascii_only=False, compact=True)
    elif _Settings.file == 2 and os.isatty(2):
        line = _coloured(level, _printable(message))
    else:
        line = f'time="{now}" level={level} msg={_quote(message)}'
    _emit(_Settings.file, line)


def _emit(fd: int, line: str) -> None:
    """Write one line at once, whatever the locale is. Standard error that can't be written to is ignored."""
    data = f"{line}\n".encode()
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError as error:
        if fd != 2:
            # As logrus does: on a full disk a warning would be lost.
            _emit(2, _printable(f"Failed to write to log, write {_Settings.path}: {describe(error)}"))


def _coloured(level: str, message: str) -> str:
    """Return the line for a terminal: the level, the seconds since the start, the message."""
    tag = level[:4].upper()
    if not os.environ.get("NO_COLOR"):
        tag = f"\x1b[{_COLOURS[level]}m{tag}\x1b[0m"
    return f"{tag}[{int(time.monotonic() - _began):04d}] {message:<44} "


def _quote(text: str) -> str:
    """Quote as Go's `%q` does, where logrus quotes."""
    if text and _PLAIN.issuperset(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    if escaped.isprintable():
        return f'"{escaped}"'
    return '"' + "".join(c if c.isprintable() else _escape(c) for c in escaped) + '"'


def _escape(character: str) -> str:
    """Return what Go writes for a character that isn't printable, or for a byte that isn't UTF-8 (surrogateescape)."""
    code = ord(character)
    if character in _LETTERS:
        return f"\\{_LETTERS[character]}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _printable(message: str) -> str:
    """Return `message` with bytes that are not UTF-8, as a path may have, in hexadecimal."""
    return message.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
