"""The log of oci-tutor: a file below `Home.state`, never the screen.

A lesson may be open in each of several terminals, and all of them write to this file. So it is opened for each record, under
a lock (flock(2)): no record goes to a file that has been renamed in the meantime, by another process or by hand.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.home import Home

NAME = "oci-tutor.log"
_FORM = "%(asctime)s %(name)s %(levelname)s %(message)s"
# A named pipe without a reader must not block the event loop.
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK


def log_to_file(home: Home) -> None:
    """Send the log records of this process to the file of this home, and no longer to one of an earlier call."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, LogFile):
            root.removeHandler(handler)
    root.addHandler(LogFile(home.state / NAME))


class LogFile(logging.Handler):
    """A handler that appends records to a file; a file that would become larger than `most` bytes is renamed to `NAME.1` first.

    A record that can't be written (a full disk, a directory in the file's place) is lost: there is no other place for it.
    """

    def __init__(self, path: Path, most: int = 1_000_000) -> None:
        super().__init__()
        self._path, self._most = path, most
        self.setFormatter(logging.Formatter(_FORM))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            self._append(f"{self.format(record)}\n".encode("utf-8", "backslashreplace"))
        except Exception:  # noqa: BLE001  (formatting a record may fail too, and must not stop the caller)
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's name)
        """Do nothing; the default is to print a traceback on the screen."""

    def _append(self, data: bytes) -> None:
        descriptor, size = self._open(len(data))
        try:
            while data:
                data = data[os.write(descriptor, data) :]
        except OSError:
            with contextlib.suppress(OSError):  # a pipe has no length
                os.ftruncate(descriptor, size)  # or the next record would follow half of this one on its line
            raise
        finally:
            os.close(descriptor)

    def _open(self, length: int) -> tuple[int, int]:
        """Return the locked file, with room for `length` bytes, and its size."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            descriptor = os.open(self._path, _FLAGS, 0o666)
            try:
                with contextlib.suppress(OSError):  # a filesystem without locks
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                opened = os.fstat(descriptor)
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(opened, self._path.stat()):
                        if not opened.st_size or opened.st_size + length <= self._most:
                            return descriptor, opened.st_size
                        self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # it has been renamed: open what has the name now
