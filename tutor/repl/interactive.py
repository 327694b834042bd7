"""The REPL at a terminal: one thread prints the events in order; commands run in another, so that Ctrl-C interrupts them."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.keys import Keys
from prompt_toolkit.styles import Style

from tutor import ending, waiting
from tutor.errors import TutorError
from tutor.repl.edit import edit_with_program, editor_command
from tutor.repl.layout import line
from tutor.repl.paint import toolkit_styles
from tutor.repl.prompting import CommandCompleter, CommandLexer, CommandValidator, open_history
from tutor.repl.repl import Repl
from tutor.session.events import Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.repl.layout import Line
    from tutor.session.events import Event


class EventQueue:
    """Brings events from any thread to the event loop, in order, also those published before it runs."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[Event] = asyncio.Queue()

    def publish(self, event: Event) -> None:
        """Take an event, from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, event)
        except RuntimeError:
            return  # the loop has ended

    async def take(self) -> list[Event]:
        """Return the queued events; wait for the first."""
        events = [await self._queue.get()]
        while not self._queue.empty():
            events.append(self._queue.get_nowait())
        return events

    def done(self, count: int) -> None:
        """Note that so many events have been printed."""
        for _ in range(count):
            self._queue.task_done()

    async def printed(self) -> None:
        """Wait until every queued event is printed."""
        await self._queue.join()


class Interactive:
    """The loop at a terminal."""

    def __init__(
        self, repl: Repl, events: EventQueue, state_folder: Path, width: Callable[[], int], *, colours: bool
    ) -> None:
        self._repl = repl
        self._colours = colours
        self._width = width
        self._events = events
        self._style = Style.from_dict(toolkit_styles(colours=colours) | _chrome(colours=colours))
        self._prompt: PromptSession[str] = PromptSession(
            history=open_history(state_folder),
            completer=CommandCompleter(repl),
            complete_in_thread=True,
            lexer=CommandLexer(),
            validator=CommandValidator(repl, self._more_is_typed),
            validate_while_typing=False,
            auto_suggest=AutoSuggestFromHistory(),
            bottom_toolbar=lambda: " " + repl.toolbar(shutil.get_terminal_size().columns - 2),
            style=self._style,
            include_default_pygments_style=False,
        )
        self._ended_by = 0
        self._running: asyncio.Task[object] | None = None  # the task of `run`, until that leaves
        self._in_shell = False
        self._away = False  # in free play: events of the lesson are printed after it
        self._held: list[Event] = []

    async def run(self, open_lesson: Callable[[], None]) -> int:
        """Open the lesson and run commands until the learner quits; return the exit status."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        self._running = asyncio.current_task()
        printing = asyncio.create_task(self._print_events())
        try:
            with ending.ending_by(lambda status: loop.call_soon_threadsafe(self._end, status)):
                await self._in_thread(open_lesson)
                await self._take_commands()
        except asyncio.CancelledError:
            if not self._ended_by:
                raise
            return self._ended_by
        finally:
            # A signal that came as the terminal failed is taken only now: it must not break off what the caller cleans up.
            self._running = None
            printing.cancel()
        return 0

    def _interrupt(self) -> None:
        self._repl.printer.line_was_begun()  # the terminal has echoed ^C
        self._repl.session.interrupt()

    def _end(self, status: int) -> None:
        if self._running is None:
            return
        self._ended_by = status
        self._repl.session.interrupt()
        self._running.cancel()

    async def _take_commands(self) -> None:
        while True:
            self._write(self._repl.printer.end_of_line())
            try:
                text = await self._prompt.prompt_async(self._message, handle_sigint=False)
            except KeyboardInterrupt:
                continue  # Ctrl-C at the prompt clears the line
            except EOFError:
                return  # Ctrl-D, or the terminal has gone
            try:
                for each in self._repl.parse_lines(text):
                    if not await self._run_command(each):
                        return
            except TutorError as error:
                clear_typeahead(self._prompt.app.input)  # what came with a wrong line may have relied on it
                self._events.publish(self._repl.notice_of(error))
                await asyncio.sleep(0)
            await self._events.printed()

    def _more_is_typed(self) -> bool:
        waiting = self._prompt.app.key_processor.input_queue
        return any(each.data != "_Flush" and each.key != Keys.CPRResponse for each in waiting)

    def _message(self) -> FormattedText:
        self._repl.printer.renderer.width = self._width()
        return FormattedText((f"class:{style}" if style else "", text) for style, text in self._repl.prompt())

    async def _run_command(self, text: str) -> bool:
        """Run one command; return False for `quit`.

        Raises:
            TutorError: the command is refused.
        """
        parsed = self._repl.parse(text)
        if parsed is None:
            return True
        match parsed.command.name:
            case "quit":
                return False
            case "edit":
                await self._edit()
            case "shell" | "!":
                await self._enter_shell("".join(parsed.arguments))
            case "play":
                await self._play(parsed.arguments[0] if parsed.arguments else None)
            case _ if parsed.command.scope in ("view", "face"):
                self._write(self._repl.printer.lines(self._repl.answer(parsed)))
            case _:
                self._write(self._repl.printer.lines(self._repl.solution(parsed)))
                await self._in_thread(partial(self._repl.session.execute, text))
        return True

    async def _in_thread(self, work: Callable[[], object]) -> None:
        """Do blocking work in a thread, then wait until its events are printed."""
        try:
            await asyncio.to_thread(work)
        finally:
            await self._events.printed()

    async def _enter_shell(self, typed: str) -> None:
        """Run a shell in the lab on this terminal, or a line of it; meanwhile only output of programs is printed."""
        argv, folder, environment = self._repl.session.shell_call(typed)
        self._in_shell = True
        lines: list[Line] = []

        def run() -> None:
            began = time.perf_counter()
            status = subprocess.run(argv, cwd=folder, env=environment, check=False).returncode
            if typed:
                lines.extend(self._repl.ended(status, time.perf_counter() - began))

        try:
            await self._in_thread(run)
        finally:
            self._in_shell = False
            self._write(self._repl.printer.lines(lines))
            self._print_held()
        await self._in_thread(self._repl.session.back_from_shell)

    async def _play(self, bundle: str | None) -> None:
        """Open a bundle for free play, at a prompt of its own; the lesson waits.

        Raises:
            TutorError: the bundle cannot be opened.
        """
        repl = self._repl
        events = EventQueue(asyncio.get_running_loop())
        session = repl.session.beside(events.publish)
        inner = Repl(session, repl.printer.another(), repl.messages)
        state = repl.session.home.state
        self._away = True
        try:
            loop = Interactive(inner, events, state, self._width, colours=self._colours)
            status = await loop.run(partial(session.play_freely, Path(bundle) if bundle else None))
        finally:
            await asyncio.to_thread(session.close)
            self._away = False
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._interrupt)
        if status:
            self._ended_by = status
            raise asyncio.CancelledError
        self._write(repl.printer.lines([line(repl.messages("repl.play.back"), "faint")]))
        self._print_held()

    def _print_held(self) -> None:
        held, self._held = self._held, []
        self._write("".join(map(self._repl.printer.event, held)))

    async def _edit(self) -> None:
        """Edit the learner's file until it has no errors, or the learner stops."""
        command = editor_command()
        while True:
            if command is None:
                await self._edit_here()
            else:
                await self._in_thread(partial(edit_with_program, self._repl.session, command))
            lines, refused = self._repl.faults()
            self._write(self._repl.printer.lines(lines))
            if not refused or not await self._wants_to_go_on():
                return

    async def _edit_here(self) -> None:
        from tutor.repl.editor import Editor, edit

        repl, session = self._repl, self._repl.session
        before = session.config_text
        view, m = repl.view, repl.messages
        earlier = [(m("repl.diff.step"), view.step_config)]
        if view.created_config is not None:
            earlier.append((m("repl.diff.create"), view.created_config))
        editor = Editor(before, session.config_path, m, tuple(earlier))
        try:
            text = await edit(editor, self._style)
        except BaseException:
            # The program is asked to end, or the terminal has gone: nobody can be asked whether to save.
            if editor.text != before:
                session.interrupt()
                session.keep_edits(editor.text, before)
            raise
        if text is None:
            self._write(
                repl.printer.lines(
                    [line(repl.messages("repl.edit.unchanged", file=session.config_path.name), "faint")]
                )
            )
        else:
            await self._in_thread(partial(session.write_config, text, before))

    async def _wants_to_go_on(self) -> bool:
        question: PromptSession[str] = PromptSession()
        try:
            answer = await question.prompt_async(self._repl.messages("repl.edit.again"), handle_sigint=False)
        except (EOFError, KeyboardInterrupt):
            return False
        return answer.strip().lower() in ("", "y", "yes")

    async def _print_events(self) -> None:
        while True:
            events = await self._events.take()
            for event in events:  # those that are printed later, too: the prompt shows the present
                self._repl.view.fold(event)
            text = "".join(self._repl.printer.event(event) for event in self._printable(events))
            app = self._prompt.app
            if app.is_running:
                text += self._repl.printer.end_of_line()
            try:
                if text:
                    await run_in_terminal(partial(self._write, text))
                elif app.is_running:
                    app.invalidate()
            except OSError:
                if not ending.terminal_gone():
                    raise
            finally:
                self._events.done(len(events))

    def _printable(self, events: list[Event]) -> list[Event]:
        """Return the events to print now; hold the others until the shell, or free play, has ended."""
        if self._away:
            self._held += events
            return []
        if not self._in_shell:
            return events
        self._held += [event for event in events if not isinstance(event, Output)]
        return [event for event in events if isinstance(event, Output)]

    def _write(self, text: str) -> None:
        waiting.clear()
        sys.stdout.write(text)
        sys.stdout.flush()


def _chrome(*, colours: bool) -> dict[str, str]:
    """Return the styles of prompt_toolkit's own parts: the bottom line, the completions, the error under the prompt."""
    if not colours:
        return {"bottom-toolbar": "reverse", "validation-toolbar": "bold reverse"}
    return {
        "bottom-toolbar": "noreverse bg:ansiblack ansiwhite",
        "validation-toolbar": "bg:ansired ansiwhite bold",
        "auto-suggestion": "ansibrightblack",
    }
