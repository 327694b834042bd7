"""Runs lines of the command language: some on the screen itself, the others in the session, each in its turn."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.find import course_of
from tutor.course.model import OwnStep
from tutor.errors import TutorError
from tutor.session.commands.parser import parse
from tutor.session.commands.registry import BY_NAME, COMMANDS, IN_SHELL
from tutor.tui.screens.dialogs import Pick
from tutor.view.config_texts import solution_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tutor.session.protocol import SessionProtocol
    from tutor.tui.palette import PaletteCommand
    from tutor.tui.screens.base import TutorScreen
    from tutor.tui.screens.config_file import ConfigFile
    from tutor.tui.session_bridge import SessionBridge
    from tutor.tui.widgets.command_line import CommandLine
    from tutor.tui.widgets.notice_bar import NoticeBar
    from tutor.view.lesson_view import LessonView

VIEW_COMMANDS = {
    "read": "guide",
    "ns": "namespaces",
    "mounts": "mounts",
    "ps": "processes",
    "cgroup": "cgroup",
    "edit": "config",
}
"""The commands that only show something, with the pane that shows it."""
LOOKED_UP = ("clause", "glossary")
"""The commands that open something to read on top of the screen."""
_CONFIRMED = ("reset", "solve", "engine")
# Besides the operations of the runtime, these read config.json, or replace it and keep a copy.
_TOUCHING = ("check", "next", "reset", "solve", "my")
# The palette opens the command line with these, for their arguments to be typed.
_NEEDING = (IN_SHELL, "answer", "kill", "exec", "update", "play", "my")


class Commands:
    """The commands of a lesson's screen.

    `own` are those that the screen runs itself, by name; `run_in_shell` enters a line in the terminal beside the text.
    """

    def __init__(
        self,
        screen: TutorScreen,
        session: SessionProtocol,
        bridge: SessionBridge,
        view: LessonView,
        *,
        config: ConfigFile,
        line: CommandLine,
        notices: NoticeBar,
        own: Mapping[str, Callable[[], object]],
        run_in_shell: Callable[[str], object],
    ) -> None:
        self._screen = screen
        self._session = session
        self._bridge = bridge
        self._view = view
        self._config = config
        self._line = line
        self._notices = notices
        self._own = own
        self._run_in_shell = run_in_shell

    def dispatch(self, line: str) -> None:
        """Run a line of the command language; ask first, where it replaces the work of the learner."""
        words = line.split()
        if not words:
            return
        name = words[0]
        if line.lstrip().startswith(IN_SHELL) and (typed := line.strip().removeprefix(IN_SHELL).strip()):
            self._run_in_shell(typed)
        elif name in self._own:
            self._own[name]()
        elif name in LOOKED_UP:
            self._look_up(line)
        elif name == "play":
            self._bridge.when_idle(name, partial(self._play, line))
        elif name == "engine" and len(words) == 1:
            self._pick_engine()
        elif name == "solve" and (text := self._solution()) is not None:
            self._config.propose("solve", text, lambda _text: self.execute(line))
        elif name in _CONFIRMED and not (name == "reset" and self._view.plays_freely):
            step = self._view.step
            own = name == "reset" and step is not None and isinstance(step.activity, OwnStep)
            self._screen.ask("reset_own" if own else name, partial(self.execute, line))
        else:
            self.execute(line)

    def execute(self, line: str) -> None:
        """Run a line in the session, in its turn."""
        self._bridge.when_idle(line, partial(self.execute_now, line))

    def execute_now(self, line: str) -> None:
        """Run a line in the session; save unsaved edits of config.json first, where the command reads or replaces the file."""
        command = BY_NAME.get(line.split()[0])
        needs_file = command is not None and (command.scope == "engine" or command.name in _TOUCHING)
        text, seen = self._config.unsaved_text() if needs_file else None, self._config.pane.base

        def work() -> None:
            # When the text can't be saved, the command must not run on the file as it was before.
            if text is None or self._session.write_config(text, seen):
                self._session.execute(line)

        self._bridge.call(work)

    def _look_up(self, line: str) -> None:
        """Open a clause or the glossary, whatever runs."""
        from tutor.tui.screens.look_up import open_clause, open_glossary

        view, screen = self._view, self._screen
        folder, step = course_of(view.lesson), view.step
        try:
            parsed = parse(line, engine=self._session.engine, container_id="")
            word = " ".join(parsed.arguments) if parsed is not None else ""
            if line.split()[0] == "clause":
                open_clause(screen, folder, word or (step.clause if step is not None else ""))
            else:
                selected = screen.get_selected_text() or ""
                of = "selected" if selected else "here"
                open_glossary(screen, folder, step, word, about=selected, of=of)
        except TutorError as error:
            self._notices.say(screen.navigation.notice_of(error))

    def _play(self, line: str) -> None:
        """Open a bundle for free play; this lesson waits below."""
        navigation = self._screen.navigation
        try:
            parsed = parse(line, engine=self._session.engine, container_id="")
        except TutorError as error:
            self._notices.cover(navigation.notice_of(error))
            return
        if parsed is not None:
            navigation.play(Path(parsed.arguments[0]) if parsed.arguments else None, self._session.engine)

    def _solution(self) -> str | None:
        """Return the `config.json` that `solve` would write, if it is another one than that in the editor."""
        step, now = self._view.step, self._config.pane.text
        text = solution_of(step, now) if step is not None else None
        return None if text == now else text

    def _pick_engine(self) -> None:
        def picked(engine: str | None) -> None:
            if engine and engine != self._session.engine:
                self._screen.ask("engine", partial(self.execute, f"engine {engine}"))

        title = self._screen.messages("tui.engine.title")
        options = self._session.completions(BY_NAME["engine"].arguments[0], "")
        self._screen.app.push_screen(Pick(title, options, self._session.engine), picked)

    def for_palette(self) -> Iterator[PaletteCommand]:
        """Yield every command of the registry."""
        for command in COMMANDS:
            run = (
                partial(self._line.open, f"{command.name} ")
                if command.name in _NEEDING
                else partial(self.dispatch, command.name)
            )
            yield command.name, self._screen.messages(f"session.command.{command.name}"), run
