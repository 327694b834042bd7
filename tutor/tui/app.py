"""The app: shows the screens, carries the events of each session to its screen, and closes every session at the end."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from textual.command import CommandPalette
from textual.events import Key

from tutor import crash, ending
from tutor.course.progress import Progress
from tutor.engines.engine import path_of
from tutor.engines.model import ENGINE_NAMES
from tutor.errors import TutorError
from tutor.home import Home, shown
from tutor.lazy_dataclass import dataclass
from tutor.session.events import Notice
from tutor.tui import clipboard, japanese
from tutor.tui.driver import TerminalDriver
from tutor.tui.key_order import OrderedKeys
from tutor.tui.palette import CommandProvider
from tutor.tui.real_cursor import place_of_focus
from tutor.tui.screens.base import TutorScreen
from tutor.tui.screens.dialogs import Ask, Say
from tutor.tui.session_bridge import SessionEvent
from tutor.tui.themes import DARK, THEMES
from tutor.tui.widgets.notice_bar import NoticeBar
from tutor.tui.widgets.way_out import way_out
from tutor.view.course_view import ending_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import RenderableType
    from textual.events import Paste
    from textual.screen import Screen

    from tutor.course.course import Course
    from tutor.course.model import Lesson
    from tutor.engines.model import EngineName
    from tutor.messages import Messages
    from tutor.session.events import Event
    from tutor.session.protocol import SessionProtocol
    from tutor.tui.screens.home import HomeScreen
    from tutor.tui.screens.lesson import LessonScreen
    from tutor.view.course_view import Ending


QUITTING = ("q", "ctrl+q")
"""The keys that work while the terminal is too small."""


def run(
    *,
    course: Course,
    engine: EngineName,
    messages: Messages,
    home: Home,
    ahead: Opened | None = None,
    playing: Playing | None = None,
) -> int:
    """Run the TUI until the learner leaves; return the exit status.

    Raises:
        TutorError: standard error is no terminal.

    Args:
        course: the lessons, already loaded in the learner's language.
        engine: the runtime with which lessons are opened.
        messages: the catalogue in the learner's language.
        home: the directories for labs, progress and logs.
        ahead: the session of a lesson that is being opened; None starts with the list.
        playing: the bundle to open at once for free play.
    """
    if sys.__stderr__ is None or not sys.__stderr__.isatty():
        raise TutorError("tui.no_terminal")  # Textual draws on standard error
    app = TutorApp(course, engine, messages, home, ahead, playing)
    loop = asyncio.new_event_loop()

    def end(status: int) -> None:
        with suppress(RuntimeError):  # the loop is closed: the app has ended by itself
            loop.call_soon_threadsafe(app.end, status)

    with ending.watched(0), ending.ending_by(end):
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(app.run_async())
        finally:
            app.close_session()
    if app.crash is not None:
        raise app.crash
    return app.return_code or 0


def _load_ahead() -> None:
    """Import what a lesson needs while the learner reads the list, so that opening one does not wait for it."""
    from tutor.session import session  # noqa: F401
    from tutor.tui.screens import lesson  # noqa: F401


@dataclass(frozen=True, slots=True)
class Playing:
    """Free play in a bundle; None: a new one."""

    bundle: Path | None = None


class Opened(Protocol):
    """A session whose lesson is being opened while the program starts: `tutor.session.ahead.SessionAhead`."""

    @property
    def session(self) -> SessionProtocol:
        """The session."""

    def hand_over(self, take: Callable[[Event], None]) -> None:
        """Give all events to `take`, those so far first; return when the lesson is open, or raise why it can't be."""


class Outbox:
    """Hands the events of a session, from any thread, to its own screen, which need not be the one in front."""

    def __init__(self) -> None:
        self.screen: LessonScreen | None = None

    def publish(self, event: Event) -> None:
        """Hand an event over."""
        if self.screen is not None:
            self.screen.post_message(SessionEvent(event))


class TutorApp(OrderedKeys[int]):
    """oci-tutor in a terminal."""

    TITLE = "oci-tutor"
    COMMANDS: ClassVar = {CommandProvider}
    ENABLE_COMMAND_PALETTE = False  # `open_palette` opens it, with texts of the catalogue

    def __init__(
        self,
        course: Course,
        engine: EngineName,
        messages: Messages,
        home: Home | None = None,
        ahead: Opened | None = None,
        playing: Playing | None = None,
    ) -> None:
        japanese.install()
        super().__init__(driver_class=TerminalDriver)
        self._course = course
        self._engine: EngineName = engine
        self._messages = messages
        self._ahead = ahead
        self.home = home or Home.default()
        self._playing = playing
        self._opened: list[
            tuple[SessionProtocol, LessonScreen]
        ] = []  # the lesson, and free play on top of it
        self._edits: dict[SessionProtocol, tuple[str, str]] = {}  # to be kept, and the text before them
        self.crash: Exception | None = None
        for theme in THEMES:
            self.register_theme(theme)
        wanted = (
            f"tutor-{os.environ.get('TEXTUAL_THEME', '')}"  # `ansi-light`, as any program of Textual takes it
        )
        self.theme = wanted if wanted in {theme.name for theme in THEMES} else DARK.name

    def on_mount(self) -> None:
        """Show the first screen."""
        if self._ahead is not None:
            outbox = Outbox()
            self._show(self._ahead.session, outbox, partial(self._ahead.hand_over, outbox.publish))
            return
        self.push_screen(self._home_screen())
        if self._playing is not None:
            self.play(self._playing.bundle, self._engine)
        else:
            self.call_after_refresh(self.run_worker, _load_ahead, thread=True, group="loading")

    def exit(
        self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        """End the app; interrupt the command that runs, or its thread would delay the end.

        The learner has been asked about edits in the lesson in front only: those in one below it are kept.
        """
        self._note_edits(self._opened[:-1])
        for session, _ in self._opened:
            session.interrupt()
        super().exit(result, return_code, message)

    def end(self, status: int) -> None:
        """End the app without a question, as a signal or the loss of the terminal asks; edits that are not saved are kept."""
        self._note_edits(self._opened)
        self.exit(status, status)

    def _note_edits(self, opened: list[tuple[SessionProtocol, LessonScreen]]) -> None:
        for session, screen in opened:
            edits = screen.edits
            if edits is not None:
                self._edits[session] = edits

    def _home_screen(self) -> HomeScreen:
        """Return the list of lessons; a lesson that was asked for at once is on the screen before it is made."""
        from tutor.tui.screens.home import HomeScreen

        return HomeScreen(self._course, self.home, self._engine, self._messages, self)

    # -- the session -----------------------------------------------------------------------------------------------

    @property
    def session(self) -> SessionProtocol | None:
        """The session of the lesson, or of free play, that is in front."""
        return self._opened[-1][0] if self._opened else None

    @property
    def only_plays(self) -> bool:
        """Whether the program was started for free play and nothing else is open: to leave it is to end the program."""
        return self._playing is not None and len(self._opened) <= 1

    def make_session(self, engine: EngineName, publish: Callable[[Event], None]) -> SessionProtocol:
        """Return a session that hands its events to `publish`."""
        from tutor.session.session import Session  # the list of lessons is painted before this is loaded

        return Session(course=self._course, engine=engine, publish=publish, home=self.home)

    def open_lesson(self, lesson_id: str, engine: EngineName) -> None:
        """Open a lesson on its screen."""
        self.close_session()
        self._put_up(engine, lambda session: session.open(lesson_id))

    def play(self, bundle: Path | None, engine: EngineName) -> None:
        """Open a bundle (None: a new one) for free play, on top of the lesson that is open, which waits."""
        self._put_up(engine, lambda session: session.play_freely(bundle))

    def _put_up(self, engine: EngineName, opening: Callable[[SessionProtocol], None]) -> None:
        outbox = Outbox()
        session = self.make_session(engine, outbox.publish)
        self._show(session, outbox, lambda: opening(session))

    def _show(self, session: SessionProtocol, outbox: Outbox, opening: Callable[[], None]) -> None:
        from tutor.tui.screens.lesson import LessonScreen  # so is this

        outbox.screen = LessonScreen(session, opening, self._messages, self)
        self._opened.append((session, outbox.screen))
        self.push_screen(outbox.screen)

    def lesson_after(self, lesson_id: str) -> Lesson | None:
        """Return the lesson that follows in its course; None after the last one."""
        lessons = self._course.of(lesson_id).lessons
        ids = [lesson.id for lesson in lessons]
        after = ids.index(lesson_id) + 1 if lesson_id in ids else len(ids)
        return lessons[after] if after < len(ids) else None

    def go_back(self, notice: Notice | None = None) -> None:
        """Close the session in front and go back to the screen below; say why, where the learner did not ask for it."""
        if not self._opened:
            self._say(notice)
            return
        self._leave(lambda: self._say(notice))

    def go_on_to(self, lesson_id: str, engine: EngineName) -> None:
        """Close the session in front, and open another lesson."""
        self._leave(lambda: self.open_lesson(lesson_id, engine))

    def _leave(self, then: Callable[[], object]) -> None:
        session, screen = self._opened[-1]
        if not screen.bridge.leaving:
            screen.bridge.leaving = True
            self.run_worker(self._close(session, screen, then), group="closing")

    async def _close(
        self, session: SessionProtocol, screen: LessonScreen, then: Callable[[], object]
    ) -> None:
        await asyncio.to_thread(session.close)
        self._opened = [each for each in self._opened if each[0] is not session]
        self._take_away(screen)
        then()

    def _take_away(self, screen: LessonScreen) -> None:
        """Go back to the screen below; make the list of lessons, where there is none."""
        if screen not in self.screen_stack:
            return
        while self.screen is not screen:  # a dialog may have been opened on it meanwhile
            self.pop_screen()
        if any(isinstance(each, TutorScreen) for each in self.screen_stack[:-1]):
            self.pop_screen()
        else:
            self.switch_screen(self._home_screen())

    def _say(self, notice: Notice | None) -> None:
        if notice is not None:
            self.push_screen(Say(notice.title, notice.body, notice.next, self._messages("tui.say.close")))

    def close_session(self) -> None:
        """Close every session: remove the labs, keep the progress. A second call does nothing."""
        while self._opened:
            session, _ = self._opened.pop()
            if session in self._edits:
                session.interrupt()
                session.keep_edits(*self._edits.pop(session))
            session.close()

    # -- for the screens -------------------------------------------------------------------------------------------

    def ending_of(self, lesson_id: str) -> Ending:
        """Return what a finished lesson has shown of the specification."""
        return ending_of(self._course, Progress(self.home.records).all(), lesson_id)

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
        """Return what to tell the learner of an error; write an unexpected one to a file, and name its path."""
        if isinstance(error, TutorError):
            return Notice.of("error", error, self._messages)
        return Notice("error", *crash.report(error, self.home, self._messages))

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a text to the terminal's clipboard, keep it where it can be found else, and say so."""
        if not text:
            return
        super().copy_to_clipboard(text)
        self.run_worker(partial(self._keep_copy, text), thread=True, group="clipboard")

    def _keep_copy(self, text: str) -> None:
        self.call_from_thread(self._say_copied, len(text), clipboard.keep(text, self.home.state))

    def _say_copied(self, count: int, copies: clipboard.Copies) -> None:
        m = self._messages
        told = [m("tui.copied.file", path=shown(copies.path))] if copies.path is not None else []
        told += [m("tui.copied.tmux")] if copies.in_tmux else []
        notice = Notice("information", m("tui.copied.title", count=count), "\n".join(told))
        for screen in reversed(self.screen_stack):
            if isinstance(screen, TutorScreen):
                screen.query_one(NoticeBar).cover(notice)
                return

    def change_theme(self) -> None:
        """Change to the next theme: dark, light, and the terminal's own colours for a dark or a light background."""
        names = [theme.name for theme in THEMES]
        self.theme = names[(names.index(self.theme) + 1) % len(names)]

    def open_palette(self) -> None:
        """Open the command palette in the learner's language."""
        if not any(isinstance(screen, CommandPalette) for screen in self.screen_stack):
            placeholder = self._messages("tui.palette.placeholder")
            self.push_screen(CommandPalette(placeholder=placeholder, id="--command-palette"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tell whether a key of the app works now; in a terminal beside the text it is for the program there."""
        screen = self.screen_stack[-1] if self.screen_stack else None
        if action == "quit" and isinstance(screen, TutorScreen) and way_out(screen.focused) == "F9":
            return screen.too_small
        return super().check_action(action, parameters)

    def takes(self, event: Key | Paste) -> bool:
        """Take no key but the one that quits while the terminal is too small to show what a key does."""
        screen = self.screen
        if not isinstance(screen, TutorScreen) or not screen.too_small:
            return True
        if isinstance(event, Key) and event.key in QUITTING:
            screen.action_quit_anywhere()
        return False

    async def action_quit(self) -> None:
        """End the program (ctrl+q, on any screen); the screen asks first where something would be lost."""
        screen = self.screen
        if isinstance(screen, Ask):
            # A second time is yes; another question is answered as it is safe, and edits are asked about next.
            screen.dismiss("yes" if screen.quits else "no")
            if screen.quits:
                return
        while self.screen.is_modal:
            self.pop_screen()
        if isinstance(self.screen, TutorScreen):
            self.screen.action_quit_anywhere()

    def action_help_quit(self) -> None:
        """Say how to quit: ctrl+c does not end the program."""
        if isinstance(self.screen, TutorScreen):
            self.screen.query_one(NoticeBar).cover(Notice("information", self._messages("tui.quit_how")))

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # Textual leaves the cursor of the terminal where it puts this; it does so itself only where text is typed.
        if screen.is_current and (place := place_of_focus(screen.focused)) is not None:
            self.cursor_position = place
        super()._display(screen, renderable)

    def _handle_exception(self, error: Exception) -> None:
        # Textual would print a traceback with local variables at the end; the handler of the command line prints one
        # sentence instead, and writes the log.
        if self.crash is None:
            self.crash = error
            with suppress(Exception):  # it may be the screen that is broken
                self._note_edits(self._opened)
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()
