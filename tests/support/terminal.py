"""A real terminal for tests: a separate tmux server, keys in, the screen out. Tests wait for conditions, never for a time."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
import uuid
from typing import TYPE_CHECKING, Self

from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE = 30.0  # seconds until a screen that does not come is a failure


class Terminal:
    """One program in one tmux window of `columns` x `rows`."""

    def __init__(
        self, argv: list[str], *, columns: int, rows: int, environ: dict[str, str], cwd: Path
    ) -> None:
        self._socket = f"oci-tutor-test-{uuid.uuid4().hex[:12]}"
        command = f"{shlex.join(argv)}; echo exit status $?; exec sleep infinity"
        self._tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(cwd),
            *(word for name, value in environ.items() for word in ("-e", f"{name}={value}")),
            command,
        )  # fmt: skip
        # tmux waits after an Escape for the rest of a key's sequence; a test types faster than that.
        self._tmux("set-option", "-s", "escape-time", "0")

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, *words],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "TERM": "xterm-256color"},
        )
        return done.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The pid of the window's shell, the parent of the program."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def keys(self, *keys: str) -> None:
        """Press keys by tmux's names (`F5`, `Enter`, `C-c`, `n`)."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type text as it is."""
        self._tmux("send-keys", "-l", text)

    def screen(self) -> str:
        """Return what is on the screen now, without trailing blanks."""
        return self._tmux("capture-pane", "-p")

    def history(self) -> str:
        """Return everything that has scrolled by, and the screen."""
        return self._tmux("capture-pane", "-p", "-S", "-")

    def wait(self, condition: Callable[[str], bool], what: str) -> str:
        """Wait until the screen satisfies `condition` and return it."""
        deadline = time.monotonic() + patience.scaled(PATIENCE)
        while True:
            screen = self.screen()
            if condition(screen):
                return screen
            if time.monotonic() > deadline:
                raise AssertionError(f"never seen: {what}. The screen:\n{screen}")
            time.sleep(0.02)  # between two looks; what is waited for is the condition

    def wait_for(self, text: str) -> str:
        """Wait until `text` is on the screen and return the screen."""
        return self.wait(lambda screen: text in screen, text)

    def close(self) -> None:
        """End the window and its server; programs that still run in it get SIGHUP, as when a terminal is closed."""
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], capture_output=True, check=False)
