"""The REPL without a terminal: reads commands from standard input, one a line, and writes every event to standard output."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tutor import patience, waiting
from tutor.errors import TutorError
from tutor.repl.edit import edit_with_program, editor_command
from tutor.repl.layout import line
from tutor.repl.repl import Repl
from tutor.session.commands.registry import IN_SHELL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tutor.session.events import Event

QUIET_SECONDS = 0.5
PATIENCE_SECONDS = 3.0
AT_ONCE = frozenset({"next", "back", "answer", "check", "hint"})
"""The commands after which nothing prints later."""


class EventWriter:
    """Folds and writes events as they are published, from any thread, and keeps the time of the last one."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        """Held while the view is read or changed, and while something is written."""
        self._last = time.monotonic()
        self.repl: Repl | None = None

    def publish(self, event: Event) -> None:
        """Fold an event, and write it."""
        with self.lock:
            self._last = time.monotonic()
            if self.repl is not None:
                self.repl.view.fold(event)
                self._write(self.repl.printer.event(event))

    def write(self, text: str) -> None:
        """Write text of the REPL itself, not into the middle of an event."""
        with self.lock:
            self._write(text)

    def _write(self, text: str) -> None:
        if text:
            waiting.clear()
            sys.stdout.write(text)
            sys.stdout.flush()

    def settle(self) -> None:
        """Wait until no event has come for `QUIET_SECONDS`: a container prints after the command has ended."""
        end = time.monotonic() + patience.scaled(PATIENCE_SECONDS)
        while (now := time.monotonic()) < min(end, self._last + QUIET_SECONDS):
            time.sleep(min(end, self._last + QUIET_SECONDS) - now)


def run_script(repl: Repl, writer: EventWriter, lines: Iterator[str]) -> int:
    """Run the commands; return 1 if one of them failed, else 0."""
    for typed in lines:
        text = typed.strip()
        if not text:
            continue
        writer.write(repl.printer.lines([(*repl.prompt(), *line(text, "command"))]))
        try:
            if text.split()[0] == "play":
                play(repl, writer, text, lambda inner, to: run_script(inner, to, lines))
            elif not run_command(repl, writer, text):
                break
        except TutorError as error:
            writer.publish(repl.notice_of(error))
    return 1 if repl.printer.failed else 0


def play(repl: Repl, writer: EventWriter, text: str, run: Callable[[Repl, EventWriter], int]) -> None:
    """Open a bundle for free play, and have `run` run commands there until `quit`; it returns the exit status.

    Raises:
        TutorError: the bundle cannot be opened.
    """
    parsed = repl.parse(text)
    bundle = parsed.arguments[0] if parsed is not None and parsed.arguments else None
    inner_writer = EventWriter()
    with repl.session.beside(inner_writer.publish) as session:
        inner = Repl(session, repl.printer.another(), repl.messages)
        inner_writer.repl = inner
        session.play_freely(Path(bundle) if bundle else None)
        if run(inner, inner_writer):
            repl.printer.fail()
    writer.write(repl.printer.lines([line(repl.messages("repl.play.back"), "faint")]))


def run_command(repl: Repl, writer: EventWriter, text: str) -> bool:
    """Run one command; return False for `quit`.

    Raises:
        TutorError: it is no command, or one that needs a terminal.
    """
    parsed = repl.parse(text)
    if parsed is None:
        return True
    name = parsed.command.name
    if name == "quit":
        return False
    if name == "shell" or (name == IN_SHELL and not parsed.arguments):
        raise TutorError("repl.error.shell_needs_terminal")
    if name == IN_SHELL:
        run_in_shell(repl, writer, parsed.arguments[0], stdin=subprocess.DEVNULL)
        return True
    if name == "edit":
        command = editor_command()
        if command is None:
            raise TutorError("repl.error.edit_needs_terminal")
        edit_with_program(repl.session, command)
        lines, refused = repl.faults()
        writer.write(repl.printer.lines(lines))
        _fail_unless(repl, passed=not refused)
    elif parsed.command.scope in ("view", "face"):
        with writer.lock:
            writer.write(repl.printer.lines(repl.answer(parsed)))
        return True
    else:
        step = repl.view.step
        writer.write(repl.printer.lines(repl.solution(parsed)))
        repl.session.execute(text)
        if name in ("next", "answer") and step is not None:
            _fail_unless(repl, passed=step.id in repl.view.passed)
    if name not in AT_ONCE:
        writer.settle()
    return True


def run_in_shell(repl: Repl, writer: EventWriter, line: str, stdin: int | None) -> None:
    """Run a line in the shell of the lab, on this terminal or pipe; `stdin` as `subprocess.run` takes it.

    Raises:
        TutorError: the lab has ended.
    """
    argv, folder, environment = repl.session.shell_call(line)
    began = time.perf_counter()
    status = subprocess.run(argv, cwd=folder, env=environment, stdin=stdin, check=False).returncode
    writer.write(repl.printer.lines(repl.ended(status, time.perf_counter() - began)))
    repl.session.back_from_shell()


def _fail_unless(repl: Repl, *, passed: bool) -> None:
    if not passed:
        repl.printer.fail()
