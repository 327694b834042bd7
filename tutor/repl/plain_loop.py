"""The REPL at a terminal in plain text: a prompt, a line, and what comes of it; nothing is drawn over, so a screen reader can follow."""

from __future__ import annotations

import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tutor.errors import TutorError
from tutor.repl.layout import plain
from tutor.repl.script import play, run_command, run_in_shell
from tutor.session.commands.registry import IN_SHELL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.repl.repl import Repl
    from tutor.repl.script import EventWriter


def run_at_terminal(repl: Repl, writer: EventWriter) -> int:
    """Run commands as they are typed, until `quit` or the end of input; return the exit status."""
    while True:
        writer.write(repl.printer.end_of_line())
        try:
            text = input(plain(repl.prompt())).strip()
        except EOFError:
            writer.write("\n")
            return 0
        except KeyboardInterrupt:  # it clears the line
            writer.write("\n")
            continue
        if not text:
            continue
        try:
            with _interrupting(repl):
                if not _run(repl, writer, text):
                    return 0
        except TutorError as error:
            writer.publish(repl.notice_of(error))


def _run(repl: Repl, writer: EventWriter, text: str) -> bool:
    """Run one command; return False for `quit`.

    Raises:
        TutorError: it is refused.
    """
    match text.split()[0]:
        case "shell":
            argv, folder, environment = repl.session.shell_call()
            subprocess.run(argv, cwd=folder, env=environment, check=False)
            repl.session.back_from_shell()
            return True
        case word if word.startswith(IN_SHELL):
            run_in_shell(repl, writer, text, stdin=None)
            return True
        case "play":
            play(repl, writer, text, run_at_terminal)
            return True
        case _:
            return run_command(repl, writer, text)


@contextmanager
def _interrupting(repl: Repl) -> Iterator[None]:
    """Let Ctrl-C end the engine's command, as at the other prompt, and not the program."""
    before = signal.signal(signal.SIGINT, lambda *_: repl.session.interrupt())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
