"""A whole interactive shell on the learner's terminal, while the app stands aside."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from tutor.errors import TutorError

if TYPE_CHECKING:
    from textual.app import App

    from tutor.messages import Messages


def run_shell(
    app: App[int], argv: tuple[str, ...], cwd: str, env: dict[str, str], messages: Messages
) -> None:
    """Run a shell in the foreground and come back when it ends.

    Raises:
        TutorError: this terminal can't be handed over, or the shell can't be started.
    """
    try:
        with app.suspend():
            print(messages("tui.shell.banner"), flush=True)
            # Ctrl-C belongs to what runs in the shell; the same signal reaches us when that has no process group of its own.
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            try:
                subprocess.run(argv, cwd=cwd, env=env, check=False)
            finally:
                signal.signal(signal.SIGINT, before)
    except SuspendNotSupported:
        raise TutorError("tui.shell.no_terminal") from None
    except OSError as error:
        raise TutorError("tui.shell.failed", command=argv[0], reason=error.strerror or str(error)) from error
