"""A program on a bare pseudo-terminal: the test reads every byte that it writes, and answers as the terminal would.

`tests.support.terminal` has a screen; this module is for what a screen hides: signals, echo, enquiries.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PATIENCE = 20.0  # seconds until what does not come is a failure
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-_])")


class PseudoTerminal:
    """A program whose terminal has `columns` by `rows`.

    Without `controlling` it is not the controlling terminal of the program's session: the kernel sends no SIGHUP when it goes, as to a
    program that ignores SIGHUP.
    """

    def __init__(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        *,
        columns: int = 100,
        rows: int = 40,
        controlling: bool = True,
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        # Not a process group's leader, so setsid(1) becomes the program itself.
        self.process = subprocess.Popen(
            ["setsid", *(["--ctty"] if controlling else []), *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1", **environ},
        )
        os.close(slave)
        self._raw = b""
        self._seen = 0
        self._sequences_seen = 0
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._open:
            os.close(self._master)

    @property
    def raw(self) -> str:
        """Everything printed."""
        return self._raw.decode(errors="replace")

    @property
    def text(self) -> str:
        """Everything printed, without escape sequences and carriage returns."""
        return _ESCAPES.sub("", self.raw).replace("\r", "")

    def type(self, keys: str) -> None:
        """Type keys (`\\r` is Enter, `\\x03` is Ctrl-C)."""
        os.write(self._master, keys.encode())

    def wait_for(self, text: str) -> None:
        """Wait until `text` has been printed after what was waited for last; escape sequences don't count."""
        deadline = time.monotonic() + patience.scaled(PATIENCE)
        while (found := self.text.find(text, self._seen)) < 0:
            self._go_on(text, deadline)
        self._seen = found + len(text)

    def interrupt_until(self, text: str) -> None:
        """Press Ctrl-C until `text` appears, as a person does.

        Python's `input` loses a SIGINT that comes after its prompt and before its read(2): a busy machine is slow between the two.
        """
        deadline = time.monotonic() + patience.scaled(PATIENCE)
        self.type("\x03")
        pressed = time.monotonic()
        while (found := self.text.find(text, self._seen)) < 0:
            self._go_on(text, deadline)
            if time.monotonic() > pressed + patience.scaled(1.0):
                self.type("\x03")
                pressed = time.monotonic()
        self._seen = found + len(text)

    def wait_for_sequence(self, sequence: str) -> None:
        """Wait until an escape sequence has been written after the last one waited for."""
        deadline = time.monotonic() + patience.scaled(PATIENCE)
        while (found := self.raw.find(sequence, self._sequences_seen)) < 0:
            self._go_on(sequence, deadline)
        self._sequences_seen = found + len(sequence)

    def _go_on(self, awaited: str, deadline: float) -> None:
        assert time.monotonic() < deadline, f"{awaited!r} did not appear in:\n{self.text}"
        assert self._read(0.2), f"it ended before {awaited!r}:\n{self.text}"

    def read(self) -> None:
        """Take what the program has written by now."""
        self._read(0)

    def seconds_used(self) -> float:
        """Return the processor time that the program has used."""
        fields = (
            Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def hang_up(self) -> None:
        """Take the terminal away, as when a window is closed or a connection is cut."""
        self._open = False
        os.close(self._master)

    def wait_for_end(self) -> int:
        """Read until the program has ended; return its return code."""
        if not self._open:
            return self.process.wait(timeout=patience.scaled(PATIENCE))
        deadline = time.monotonic() + patience.scaled(PATIENCE)
        while self._read(0.2):
            assert time.monotonic() < deadline, f"it did not end:\n{self.text}"
        return self.process.wait(timeout=patience.scaled(PATIENCE))

    def _read(self, seconds: float) -> bool:
        """Read what there is; return False if no process has the other end open any more."""
        if not select.select([self._master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: the last process with the terminal open has ended
            return False
        self._raw += data
        return bool(data)
