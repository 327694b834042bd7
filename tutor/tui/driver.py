"""Textual's driver for Linux, and what it lacks: an end when the terminal goes."""

from __future__ import annotations

import os
import select
import sys
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING, cast

from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key, Paste

from tutor import ending, waiting
from tutor.tui.key_order import Typed
from tutor.tui.keyboard import Keyboard

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO, Any

    from textual.app import App
    from textual.message import Message

_LOOK_EVERY = 0.1  # seconds between two looks at whether to stop, and whether an Escape was the key
_MOST = 4096  # bytes in one read: as many as a terminal holds
_MOST_AT_ONCE = 1024 * 1024  # bytes


class TerminalDriver(LinuxDriver):
    """Draws on the terminal and reads its keys; when it goes, the program is asked to end.

    Textual's own reads the end of the input again and again, at full speed, and blocks for ever in a write to its thread that has
    ended (seen with 8.2.8).
    """

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file = cast("Any", Screen(cast("IO[str]", sys.__stderr__)))

    def start_application_mode(self) -> None:
        """Take the terminal over; where that is not possible any more, go on without one until the program ends.

        What is being waited for stays on the screen until the first frame, which covers it.
        """
        said = waiting.clear()
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's
        if self._writer_thread is None or not self._writer_thread.is_alive():
            self._writer_thread = WriterThread(cast("IO[str]", self._file))
            self._writer_thread.start()
        self.write(said)
        self.flush()

    def run_input_thread(self) -> None:
        """Read keys until the app stops it, or the terminal goes."""
        keyboard = Keyboard()
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        poller = select.poll()
        poller.register(self.fileno, select.POLLIN)
        while not self.exit_event.is_set():
            if poller.poll(_LOOK_EVERY * 1000):
                data = self._read(poller)
                if not data:
                    ending.note_terminal_gone()
                    return
                self._send(keyboard.feed(decode(data)))
            self._send(keyboard.tick())

    def _send(self, messages: Iterable[Message]) -> None:
        """Send messages to the app in their order, keys that arrived together as one."""
        typed: list[Key | Paste] = []
        for message in messages:
            if isinstance(message, Key | Paste):
                message.set_sender(self._app)
                typed.append(message)
                continue
            if typed:
                self.send_message(Typed(typed))
                typed = []
            self.process_message(message)
        if typed:
            self.send_message(Typed(typed))

    def _read(self, poller: select.poll) -> bytes:
        """Return what was typed, all that is there; nothing, if the terminal has gone."""
        data = b""
        while True:
            try:
                more = os.read(self.fileno, _MOST)
            except OSError:
                more = b""
            data += more
            if not more or len(data) >= _MOST_AT_ONCE or not poller.poll(0):
                return data


class Screen:
    """Standard error, to be written to also after the terminal has gone: nothing is written then."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write a text."""
        if not ending.terminal_gone():
            try:
                self._file.write(text)
            except OSError:
                ending.note_terminal_gone()

    def flush(self) -> None:
        """Write what is buffered."""
        if not ending.terminal_gone():
            try:
                self._file.flush()
            except OSError:
                ending.note_terminal_gone()

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._file.fileno()
