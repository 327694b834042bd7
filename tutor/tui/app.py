"""The app: it puts screens up, carries the session's events to them, and closes the session however it ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.command import CommandPalette

from tutor import crash
from tutor.engines.engine import path_of
from tutor.engines.model import ENGINE_NAMES
from tutor.errors import TutorError
from tutor.home import Home
from tutor.session.events import Notice
from tutor.tui import kinsoku
from tutor.tui.palette import CommandProvider
from tutor.tui.screens.base import TutorScreen
from tutor.tui.screens.dialogs import Ask, Say
from tutor.tui.screens.home import HomeScreen
from tutor.tui.screens.lesson import LessonScreen
from tutor.tui.screens.working import SessionEvent
from tutor.tui.themes import DARK, LIGHT, THEMES
from tutor.tui.widgets.notice import NoticeBar

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tutor.course.course import Course
    from tutor.engines.model import EngineName
    from tutor.messages import Messages
    from tutor.session.events import Event
    from tutor.session.session import Session


def run(
    *, course: Course, engine: EngineName, messages: Messages, home: Home, lesson_id: str | None = None
) -> int:
    """Run the TUI until the learner leaves; return the exit status.

    Raises:
        TutorError: standard error is no terminal.

    Args:
        course: the lessons, already loaded in the learner's language.
        engine: the runtime with which lessons are opened.
        messages: the catalogue in the learner's language.
        home: where the course's work is kept.
        lesson_id: the lesson to open at once; None starts with the list.
    """
    if sys.__stderr__ is None or not sys.__stderr__.isatty():
        raise TutorError("tui.no_terminal")  # Textual draws on standard error
    app = TutorApp(course, engine, messages, lesson_id, home)
    _keep_log(app.home)
    try:
        app.run()
    finally:
        app.close_session()
    if app.crash is not None:
        raise app.crash
    return app.return_code or 0


def _keep_log(home: Home) -> None:
    """Send what the rooms log to a file: while the app has the terminal, there is no other place for it."""
    with contextlib.suppress(OSError):
        home.state.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            home.state / "oci-tutor.log", maxBytes=1_000_000, backupCount=1, delay=True
        )
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        logging.getLogger("tutor").addHandler(handler)


class TutorApp(App[int]):
    """oci-tutor in a terminal."""

    TITLE = "oci-tutor"
    COMMANDS: ClassVar = {CommandProvider}
    ENABLE_COMMAND_PALETTE = False  # ours opens with our own texts

    def __init__(
        self,
        course: Course,
        engine: EngineName,
        messages: Messages,
        lesson_id: str | None = None,
        home: Home | None = None,
    ) -> None:
        kinsoku.install()
        super().__init__()
        self._course = course
        self._engine: EngineName = engine
        self._messages = messages
        self._lesson_id = lesson_id
        self.home = home or Home.default()
        self.session: Session | None = None
        self.lesson_screen: LessonScreen | None = None
        self.crash: Exception | None = None
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name

    def on_mount(self) -> None:
        """Put up the first screen; a signal to end ends the app in order."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.exit, 128 + number, 128 + number)
        self.push_screen(HomeScreen(self._course, self.home, self._engine, self._messages))
        if self._lesson_id is not None:
            self.open_lesson(self._lesson_id, self._engine)

    def exit(
        self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        """End the app; a command that runs is interrupted, so that its thread does not hold the end up."""
        if self.session is not None:
            self.session.interrupt()
        super().exit(result, return_code, message)

    # -- the session -----------------------------------------------------------------------------------------------

    def make_session(self, engine: EngineName) -> Session:
        """Return a session whose events come to this app."""
        from tutor.session.session import (
            Session,
        )  # the home screen is painted before the session's rooms are loaded

        return Session(course=self._course, engine=engine, publish=self.publish, home=self.home)

    def publish(self, event: Event) -> None:
        """Take an event from any thread, and hand it to the lesson screen in the app's own."""
        if self.lesson_screen is not None:
            self.lesson_screen.post_message(SessionEvent(event))

    def open_lesson(self, lesson_id: str, engine: EngineName) -> None:
        """Open a lesson on its screen."""
        self.close_session()
        self.session = self.make_session(engine)
        self.lesson_screen = LessonScreen(self.session, lesson_id, self._messages)
        self.push_screen(self.lesson_screen)

    def go_home(self, notice: Notice | None = None) -> None:
        """Go back to the list of lessons; say why, where that was not the learner's wish."""
        self.close_session()
        if self.lesson_screen is not None:
            self.lesson_screen = None
            self.pop_screen()
        if notice is not None:
            self.push_screen(Say(notice.title, notice.body, notice.next, self._messages("tui.say.close")))

    def close_session(self) -> None:
        """Close the session: the lab goes, progress stays. Safe to call twice."""
        session, self.session = self.session, None
        if session is not None:
            session.close()

    # -- help for screens ------------------------------------------------------------------------------------------

    def engines(self) -> tuple[tuple[str, str], ...]:
        """Return the runtimes by name, each with whether it is installed."""
        m = self._messages
        return tuple(
            (
                name,
                m("tui.engine.own")
                if name == "runt"
                else m("tui.engine.found" if path_of(name) else "tui.engine.missing"),
            )
            for name in ENGINE_NAMES
        )

    def notice_of(self, error: Exception) -> Notice:
        """Return what to tell the learner of an error; an unexpected one is written to a file, whose path is told."""
        if isinstance(error, TutorError):
            return Notice("error", *error.render(self._messages))
        return Notice("error", *crash.tell(error, self.home, self._messages))

    def change_theme(self) -> None:
        """Change between dark and light."""
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name

    def open_palette(self) -> None:
        """Open the command palette in the learner's language."""
        if not any(isinstance(screen, CommandPalette) for screen in self.screen_stack):
            placeholder = self._messages("tui.palette.placeholder")
            self.push_screen(CommandPalette(placeholder=placeholder, id="--command-palette"))

    async def action_quit(self) -> None:
        """End the program (ctrl+q, from anywhere); the screen asks when something would be lost."""
        if isinstance(self.screen, Ask):
            self.exit(0)  # asked already
            return
        while self.screen.is_modal:
            self.pop_screen()
        if isinstance(self.screen, TutorScreen):
            self.screen.action_quit_gently()

    def action_help_quit(self) -> None:
        """Say how to leave: ctrl+c does not end the program."""
        if isinstance(self.screen, TutorScreen):
            self.screen.query_one(NoticeBar).say(Notice("information", self._messages("tui.quit_how")))

    def _handle_exception(self, error: Exception) -> None:
        # Textual would print a traceback with local variables at the end; the last resort of the command line says one
        # sentence instead and writes the log.
        self.crash = error
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()
