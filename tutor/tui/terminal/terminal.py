"""One terminal: the pseudoterminal of a program, and the emulator of what it draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from textual.events import Key, Paste

from tutor.tui.terminal.emulator import TERM, Emulator
from tutor.tui.terminal.stream import PtyStream

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TERM", "Terminal"]


class Terminal:
    """The terminal of a shell in the lab, or of a container; it owns the master. Its methods are for the event loop."""

    def __init__(
        self,
        kind: Literal["shell", "console"],
        master: int,
        size: tuple[int, int],
        *,
        leader: int = 0,
        on_ready: Callable[[], None] = lambda: None,
        on_line: Callable[[], None] = lambda: None,
        on_end: Callable[[Terminal], None] = lambda _: None,
    ) -> None:
        """Begin to read.

        Args:
            kind: whose it is.
            master: the pseudoterminal's master.
            size: columns and rows.
            leader: the shell's process group; 0 where it is not known.
            on_ready: called when the program has written for the first time: a shell has shown its prompt.
            on_line: called when Enter was pressed.
            on_end: called when no process has the terminal any more.
        """
        self.kind = kind
        self.ended = False
        self.on_change: Callable[[], None] | None = None
        self._leader = leader
        self._on_ready, self._on_line, self._on_end = on_ready, on_line, on_end
        self._is_ready = leader == 0
        self._typed: list[
            Key | Paste
        ] = []  # before the prompt: the kernel would show it, and the shell once more
        self._stream = PtyStream(master, self._take, self._end)
        self.emulator = Emulator(*size, self._stream.send)
        self._stream.resize(*size)

    @property
    def flooded(self) -> bool:
        """Tell whether its program writes faster than it is read."""
        return self._stream.flooded

    @property
    def at_prompt(self) -> bool:
        """Tell whether the shell waits for a line: no other program is in the foreground."""
        return not self.ended and self._leader != 0 and self._stream.foreground == self._leader

    def send(self, event: Key | Paste) -> None:
        """Send a key or a pasted text; what is typed before the shell's prompt is kept until it is there."""
        if not self._is_ready:
            self._typed.append(event)
        elif isinstance(event, Paste):
            self.emulator.paste(event.text)
            if "\n" in event.text:
                self._on_line()
        else:
            self.emulator.press(event)
            if event.key == "enter":
                self._on_line()

    def run(self, line: str) -> None:
        """Enter a line at the prompt, in place of what stands there."""
        self._stream.send(b"\x05\x15")  # to the end of the line, and delete all of it
        self.emulator.paste(line)
        self._stream.send(b"\r")
        self._on_line()

    def resize(self, columns: int, rows: int) -> None:
        """Have another size, and tell the program."""
        self.emulator.resize(columns, rows)
        self._stream.resize(columns, rows)

    def close(self) -> None:
        """Hang up: the programs get SIGHUP."""
        self.ended = True
        self._stream.close()

    def _take(self, data: bytes) -> None:
        self.emulator.feed(data)
        if not self._is_ready:
            self._is_ready = True
            typed, self._typed = self._typed, []
            for event in typed:
                self.send(event)
            self._on_ready()
        if self.on_change is not None:
            self.on_change()

    def _end(self) -> None:
        self.ended = True
        self._on_end(self)
        if self.on_change is not None:
            self.on_change()
