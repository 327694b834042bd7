"""A screen of panes that takes lines of the command language: each to where it is done, in its turn."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.errors import TutorError
from tutor.session.commands.parser import parse
from tutor.session.commands.registry import BY_NAME, COMMANDS
from tutor.session.events import Notice
from tutor.tui.screens.dialogs import Pick
from tutor.tui.screens.panes import PanesScreen
from tutor.tui.widgets.command_line import CommandLine
from tutor.tui.widgets.editor import ConfigPane
from tutor.tui.widgets.notice_bar import NoticeBar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VIEW_COMMANDS = {"read": "guide", "ns": "namespaces", "mounts": "mounts", "ps": "processes", "edit": "config"}
# Besides the runtime's operations these look at config.json, or replace it and keep what was there.
TOUCHING = ("check", "next", "reset", "solve")
# The palette writes these on the command line, for what follows them.
NEEDING = ("answer", "kill", "exec", "update", "play")


class CommandingScreen(PanesScreen):
    """Knows which commands are the face's own; all others go to the session."""

    def say_waiting(self, name: str) -> None:
        """Say what waits for its turn, where a command of the runtime makes the learner wait."""
        if self.view.running is not None:
            self.query_one(NoticeBar).say(Notice("information", self.messages("tui.waiting", name=name)))

    def dispatch(self, line: str) -> None:
        """Do what a line of the command language says: what concerns this face here, everything else in the session."""
        words = line.split()
        if not words:
            return
        name = words[0]
        if name in VIEW_COMMANDS:
            self.action_panel(VIEW_COMMANDS[name])
        elif name == "help":
            self.action_help()
        elif name == "quit":
            self.action_quit_gently()
        elif name == "shell":
            self.action_shell()
        elif name == "play":
            self.when_idle(name, partial(self._play, line))
        elif name == "engine" and len(words) == 1:
            self._pick_engine()
        elif name == "reset" and self.plays_freely:
            self.execute(line)
        elif name in ("reset", "solve", "engine"):
            self.ask(name, partial(self.execute, line))
        else:
            self.execute(line)

    def _play(self, line: str) -> None:
        """Open a bundle for free play; this lesson waits below."""
        try:
            parsed = parse(line, engine=self.session.engine, container_id="")
        except TutorError as error:
            self.query_one(NoticeBar).say(self.tutor.notice_of(error))
            return
        if parsed is not None:
            self.tutor.play(Path(parsed.arguments[0]) if parsed.arguments else None, self.session.engine)

    @property
    def plays_freely(self) -> bool:
        """Whether this is free play, and no lesson."""
        return self.view.lesson is not None and self.view.lesson.is_free_play

    def execute(self, line: str) -> None:
        """Run a line in the session, in its turn."""
        self.when_idle(line, partial(self.execute_now, line))

    def execute_now(self, line: str) -> None:
        """Run a line in the session; unsaved edits of config.json are saved before whatever reads or replaces the file."""
        pane = self.query_one(ConfigPane)
        command = BY_NAME.get(line.split()[0])
        needs_file = command is not None and (command.scope == "engine" or command.name in TOUCHING)
        text = pane.text if pane.unsaved and needs_file else None

        def work() -> None:
            if text is None or self.session.write_config(
                text
            ):  # not on the file of before, when it can't be saved
                self.session.execute(line)

        self.call_session(work)

    def _pick_engine(self) -> None:
        def picked(engine: str | None) -> None:
            if engine and engine != self.session.engine:
                self.ask("engine", partial(self.execute, f"engine {engine}"))

        argument = BY_NAME["engine"].arguments[0]
        options = self.session.completions(argument, "")
        self.app.push_screen(Pick(self.messages("tui.engine.title"), options, self.session.engine), picked)

    def palette_commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        """Yield every command of the registry, and what only this face has."""
        m = self.messages
        for command in COMMANDS:
            run = (
                partial(self._start_line, f"{command.name} ")
                if command.name in NEEDING
                else partial(self.dispatch, command.name)
            )
            yield command.name, m(f"session.command.{command.name}"), run
        yield m("tui.key.home.short"), m("tui.key.home.long"), self.action_home
        yield m("tui.key.theme.short"), m("tui.key.theme.long"), self.action_theme

    def _start_line(self, line: str) -> None:
        command_line = self.query_one(CommandLine)
        command_line.open(line)

    def action_home(self) -> None:
        """Leave the lesson."""
        raise NotImplementedError

    def action_shell(self) -> None:
        """Give the learner a shell inside the lab."""
        raise NotImplementedError
