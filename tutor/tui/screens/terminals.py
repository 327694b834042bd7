"""The terminals of a lesson's screen: opens the shell of the lab, takes over the terminal of the container, and leads in and out."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tutor import patience
from tutor.session.events import Notice
from tutor.tui.screens.dialogs import Pick
from tutor.tui.shell import ShellCall, run_shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.session.protocol import SessionProtocol
    from tutor.session.terminals import PtyShell
    from tutor.tui.screens.base import TutorScreen
    from tutor.tui.screens.config_file import ConfigFile
    from tutor.tui.screens.panes import Panes
    from tutor.tui.session_bridge import SessionBridge
    from tutor.tui.terminal.terminal import Terminal
    from tutor.tui.widgets.notice_bar import NoticeBar
    from tutor.tui.widgets.terminal import TerminalPane

_LOOKS, _LOOK = 20, 0.05  # looks for the prompt, seconds between two
_MODULE = "tutor.tui.terminal.terminal"  # imports the emulator, which takes 0.2 seconds: in a thread, when it is needed


class HandedOver(Message):
    """The terminal of the container has come from `create`, as the master."""

    def __init__(self, master: int) -> None:
        super().__init__()
        self.master = master


class Terminals:
    """The shell and the container's terminal, of which the pane shows one."""

    def __init__(
        self,
        screen: TutorScreen,
        session: SessionProtocol,
        bridge: SessionBridge,
        *,
        panes: Panes,
        config: ConfigFile,
        notices: NoticeBar,
        pane: TerminalPane,
    ) -> None:
        self._screen, self._session, self._bridge = screen, session, bridge
        self._panes, self._config, self._notices = panes, config, notices
        self.pane = pane
        self._shell: Terminal | None = None
        self._consoles: list[
            Terminal
        ] = []  # of the container, and of each `exec -t` in it; the newest is the last
        self._opening = False
        self._then: list[Callable[[], None]] = []  # to be done as soon as the shell is there
        self._lines = 0  # entered since the step was looked at
        self._before = "guide"

    def begin(self) -> None:
        """Have the session hand terminals of containers over; it does so from its own thread."""
        screen = self._screen

        def take(master: int) -> None:
            if not screen.post_message(HandedOver(master)):
                os.close(master)

        self._session.show_terminals(take)

    @property
    def _console(self) -> Terminal | None:
        return self._consoles[-1] if self._consoles else None

    @property
    def has_console(self) -> bool:
        """Tell whether a container has a terminal here."""
        return self._console is not None

    @property
    def has_focus(self) -> bool:
        """Tell whether keys go to a terminal."""
        return self._screen.focused is self.pane.view

    # In and out

    def toggle(self) -> None:
        """Lead into the terminal that is shown, or out of it."""
        if self.has_focus:
            self.leave()
        elif self._console is not None and self.pane.view.terminal is self._console:
            self.enter_console()
        else:
            self.enter_shell()

    def enter_shell(self) -> None:
        """Give the keys to the shell of the lab; start one, where there is none."""
        # The view is told first: what the screen says of keys depends on it as soon as the focus is there.
        if self._shell is not None:
            self.pane.view.show(self._shell)
        else:
            self._open()
        self._enter()

    def run_outside(self) -> None:
        """Run a shell in the lab, on the whole terminal and without the emulator."""
        self._bridge.when_idle("shell", self._run_outside)

    def _run_outside(self) -> None:
        text, seen = self._config.unsaved_text(), self._config.pane.base
        calls: list[ShellCall] = []

        def prepare() -> None:
            if text is not None:
                self._session.write_config(text, seen)
            calls.append(self._session.shell_call())

        def enter() -> None:
            for call in calls:  # none, if it could not be prepared: a notice says why
                self._bridge.wait_for(
                    partial(run_shell, self._screen.app, *call, self._screen.messages),
                    done=partial(self._bridge.call, self._session.back_from_shell),
                )

        self._bridge.call(prepare, done=enter)

    def enter_console(self) -> None:
        """Give the keys to the terminal of the container."""
        if self._console is not None:
            self.pane.view.show(self._console)
            self._enter()

    def _enter(self) -> None:
        if not self.has_focus:
            self._before = self._panes.panel_of_focus or "guide"
            if self._config.unsaved_text() is not None:
                self._config.save()  # commands in the shell read the file
        self._panes.bring("terminal")

    def leave(self) -> None:
        """Give the keys back to the pane that had them; what was entered counts as a try of the step."""
        self.unzoom()
        self._panes.bring(self._before if self._before != "terminal" else "guide")
        if self._lines:
            self._lines = 0
            self._bridge.when_idle("shell", partial(self._bridge.call, self._session.back_from_shell))

    def zoom(self) -> None:
        """Give the terminal the whole screen, or take it back."""
        if self._screen.has_class("-zoomed"):
            self.unzoom()
            return
        if not self.has_focus:
            self.toggle()
        self._screen.add_class("-zoomed")

    def unzoom(self) -> None:
        """Show the other panes again."""
        self._screen.remove_class("-zoomed")

    # The shell

    def open_if_closed(self) -> None:
        """Start a shell where the focus came to a terminal that has none, or whose program has ended."""
        if self.has_focus and not self.pane.view.takes_keys:
            self.enter_shell()

    def _open(self) -> None:
        self.pane.view.show(None)
        self.pane.view.await_terminal()
        if not self._opening:
            self._opening = True
            self._screen.run_worker(self._start(), group="terminal")

    async def _start(self) -> None:
        size = self.pane.view.columns_and_rows
        try:
            module = await asyncio.to_thread(import_module, _MODULE)
            shell = await asyncio.to_thread(self._session.open_shell, size, module.TERM)
        except Exception as error:  # noqa: BLE001  (a learner gets a notice, never a traceback)
            self._opening = False
            self._ready()
            self.pane.view.show(None)
            if self.has_focus:
                self.leave()
            self._notices.say(self._screen.navigation.notice_of(error))
            return
        self._opening = False
        self._started(module, shell, size)

    def _started(self, module: Any, shell: PtyShell, size: tuple[int, int]) -> None:
        if not self._screen.is_attached:
            os.close(shell.master)
            return
        self._shell = module.Terminal(
            "shell",
            shell.master,
            size,
            leader=shell.pid,
            on_line=self._entered,
            on_end=self._ended,
            on_ready=self._ready,
        )
        self.pane.view.show(self._shell)

    def _ready(self) -> None:
        """Go on with what waits for the shell: it has shown its prompt, or there is none."""
        waiting, self._then = self._then, []
        for do in waiting:
            do()

    def _entered(self) -> None:
        self._lines += 1
        self._session.line_entered()

    def _ended(self, terminal: Terminal) -> None:
        shown = self.pane.view.terminal is terminal
        if terminal is self._shell:
            self._shell = None
        elif terminal in self._consoles:
            self._consoles.remove(terminal)
        if shown and self.has_focus:
            self.leave()
        self._screen.refresh_bindings()

    # The container's terminal

    def handed_over(self, message: HandedOver) -> None:
        """Show the terminal of a container that has been created, or of an `exec`; the keys stay where they are."""
        self._screen.run_worker(self._show_console(message.master), group="console")

    async def _show_console(self, master: int) -> None:
        module = await asyncio.to_thread(import_module, _MODULE)
        if not self._screen.is_attached:
            os.close(master)
            return
        size = self.pane.view.columns_and_rows
        console = module.Terminal(
            "console", master, size, on_line=self._session.line_entered, on_end=self._ended
        )
        self._consoles.append(console)
        if not self.has_focus:
            self._panes.set_work("terminal")
            self.pane.view.show(console)
        self._screen.refresh_bindings()

    # Lines of the guide

    def pick_line(self, lines: tuple[str, ...]) -> None:
        """Run a line of the guide; let the learner choose, where there are several."""
        if not lines:
            self._say("no_line")
        elif len(lines) == 1:
            self.run(lines[0])
        else:
            title = self._screen.messages("tui.terminal.pick")
            options = tuple((line, "") for line in lines)
            self._screen.app.push_screen(
                Pick(title, options, lines[0]), lambda line: self.run(line) if line else None
            )

    def run(self, line: str) -> None:
        """Enter a line in the shell, and give it the keys; not while another program runs in it."""
        self._screen.run_worker(self._run(line), group="terminal-line")

    async def _run(self, line: str) -> None:
        if self._shell is None:
            ready = asyncio.Event()
            self._then.append(ready.set)
            self.enter_shell()
            await ready.wait()
        for _ in range(int(patience.scaled(_LOOKS))):
            if self._shell is None:
                return
            if self._shell.at_prompt:
                self.enter_shell()
                self._shell.run(line)
                return
            await asyncio.sleep(_LOOK)  # a shell runs programs before it shows its prompt
        self._say("not_at_prompt")

    def _say(self, name: str) -> None:
        self._notices.say(Notice("information", self._screen.messages(f"tui.terminal.{name}")))

    def close(self) -> None:
        """Hang both up."""
        for terminal in (self._shell, *self._consoles):
            if terminal is not None:
                terminal.close()
        self._shell = None
        self._consoles.clear()
