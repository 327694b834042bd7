"""A whole interactive shell on the learner's terminal; the app is suspended, but its event loop runs on."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from tutor import ending
from tutor.errors import TutorError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import App

    from tutor.messages import Messages

_LONGEST = 2.0  # seconds for a shell to restore the terminal after SIGHUP


ShellCall = tuple[tuple[str, ...], str, dict[str, str]]
"""The command line of a shell, its working directory and its environment, as `Session.shell_call` gives them."""


async def run_shell(
    app: App[int], argv: tuple[str, ...], cwd: str, env: dict[str, str], messages: Messages
) -> None:
    """Run a shell in the foreground and return when it ends; when cancelled, send it SIGHUP first.

    The app goes on to take events of the session, and signals; it draws nothing until the shell has ended.

    Raises:
        TutorError: this terminal can't be handed over, or the shell can't be started.
    """
    failure: OSError | None = None
    try:
        with app.batch_update(), app.suspend(), _left_alone_by_ctrl_c():
            print(messages("tui.shell.banner"), flush=True)
            try:
                await _run(argv, cwd, env)
            except OSError as error:
                failure = error  # raised here, the app would not resume the terminal
    except SuspendNotSupported:
        raise TutorError("tui.shell.no_terminal") from None
    if failure is not None:
        reason = failure.strerror or str(failure)
        raise TutorError("tui.shell.failed", command=argv[0], reason=reason) from failure


async def _run(argv: tuple[str, ...], cwd: str, env: dict[str, str]) -> None:
    shell = await asyncio.create_subprocess_exec(*argv, cwd=cwd, env=env)
    try:
        await shell.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            shell.send_signal(signal.SIGHUP)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(shell.wait(), 0 if ending.terminal_gone() else _LONGEST)
        raise


@contextlib.contextmanager
def _left_alone_by_ctrl_c() -> Iterator[None]:
    """Handle SIGINT by doing nothing: it is meant for the programs in the shell, and also comes here if they have this process group.

    It is not ignored: the shell would inherit that and pass it on, and Ctrl-C would end no program there (execve(2), signal(7)).
    """
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
