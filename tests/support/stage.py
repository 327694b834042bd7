"""Runs the TUI for the pictures of its screens (tests/pictures), with nothing that depends on this machine.

Whatever the pictures know about the inside of the app is here and in `tests.support.staged_session`.
"""

from __future__ import annotations

import asyncio
import gc
import os
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from textual.strip import Strip
from textual.widgets import Input, TextArea

from tests.support.staged_session import StagedSession, notice_of
from tests.support.staged_values import GENERATED
from tests.support.svg import svg_of
from tests.support.tui import ScriptedApp, screen_text, settled
from tutor.course.course import Course
from tutor.course.progress import LessonProgress, Progress
from tutor.home import Home
from tutor.messages import Messages
from tutor.tui.screens.home import HomeScreen
from tutor.tui.screens.lesson import LessonScreen
from tutor.tui.themes import DARK, LIGHT
from tutor.tui.widgets.command_line import CommandLine
from tutor.tui.widgets.editor import ConfigPane

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from textual.pilot import Pilot

    from tutor.messages import Language

Size = tuple[int, int]

FIRST = "first-container"


class StagedApp(ScriptedApp):
    """The app, with a session that a scene controls."""

    script: StagedSession
    held = False
    """Whether what is opened next stays in preparation."""

    def make_session(self, engine: Any, publish: Any) -> Any:  # noqa: ARG002  (the scene is what answers)
        self.script = StagedSession(self._course, publish, self.home, self._messages)
        if self.held:
            self.script.opening.clear()
        return self.script


class Stage:
    """The app in a terminal of a given size, and the methods that bring it into the state of a scene."""

    def __init__(self, app: StagedApp, pilot: Pilot[Any], messages: Messages) -> None:
        self._app = app
        self._pilot = pilot
        self.m = messages

    @property
    def session(self) -> StagedSession:
        """The session of the lesson, or of free play, that is in front."""
        return self._app.script

    # -- what the learner does -------------------------------------------------------------------------------------

    async def press(self, *keys: str) -> None:
        """Press keys, after every earlier event has reached the screen."""
        await self._drain()
        for key in keys:
            await self._pilot.press(key)
            await self._drain()

    async def _drain(self) -> None:
        """Wait until messages, and those that result from them, have been handled and the screen is laid out."""
        for _ in range(2):
            await self._pilot.pause()

    async def until(self, *texts: str) -> None:
        """Wait until texts are on the screen."""
        await settled(self._pilot, lambda: all(text in screen_text(self._app) for text in texts))

    async def go_home(self) -> None:
        """Go to the list of lessons."""
        await self._put_away()
        while isinstance(screen := self._app.screen, LessonScreen):
            await settled(self._pilot, self._is_open)
            self._app.go_back()
            await settled(self._pilot, lambda screen=screen: screen not in self._app.screen_stack)  # type: ignore[misc]  # a bound default
        await settled(self._pilot, lambda: isinstance(self._app.screen, HomeScreen))

    async def stand_at(self, step_id: str, lesson_id: str = FIRST, *, recorded: bool = False) -> None:
        """Open a lesson, as if for the first time, at one of its steps; the steps before it are done."""
        await self._put_away()
        if not isinstance(self._app.screen, LessonScreen):
            self._app.open_lesson(FIRST, "runt")
            await settled(self._pilot, self._is_open)
        screen, session = self._screen, self.session
        area = screen.query_one(ConfigPane).area
        area.move_cursor((0, 0))
        screen.panes.set_work("config")
        session.stand_at(lesson_id, step_id, recorded=recorded)
        await settled(self._pilot, lambda: screen.view.step is session.step and area.text == GENERATED)

    async def refused(self, key: str, **values: object) -> None:
        """Say in the list why the lesson could not be opened."""
        title = self._app._course.lesson(FIRST).title
        self._app.go_back(notice_of(self.m, "error", key, lesson=title, **values))

    async def hold_opening(self) -> None:
        """Open the highlighted lesson, and leave it in preparation."""
        self._app.held = True
        await self.press("enter")
        self._app.held = False
        await self.until(self.m("tui.lesson.preparing"))

    async def play(self) -> None:
        """Open a bundle for free play, over the list."""
        await self.go_home()
        self._app.play(None, "runt")
        await self.until(self.m("session.play.title"))

    def _is_open(self) -> bool:
        screen = self._app.screen
        return isinstance(screen, LessonScreen) and screen.view.step is not None and not screen.bridge.busy

    async def _put_away(self) -> None:
        """Remove what the scene before has left on the screen."""
        if self._app._opened:
            self.session.opening.set()
        while self._app.screen.is_modal:
            self._app.pop_screen()
        if isinstance(self._app.screen, LessonScreen):
            self.session.interrupt()
            await settled(self._pilot, lambda: not self._screen.bridge.busy)
            self._screen.query_one(CommandLine).close()
            self._screen.set_focus(self._screen.query_one("#guide"))
            self._screen.remove_class("-cgroup")

    @property
    def _screen(self) -> LessonScreen:
        screen = self._app.screen
        assert isinstance(screen, LessonScreen)
        return screen

    # -- what is seen ----------------------------------------------------------------------------------------------

    def draw(self) -> str:
        """Return the screen as it is now, as SVG."""
        app: Any = self._app
        for widget in [*app.screen.query(Input), *app.screen.query(TextArea)]:
            widget.cursor_blink = False
        update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
        colours = app.theme_variables
        return svg_of(
            [Strip.join(list(line)) for line in update.strips],
            ink=colours["foreground"],
            ground=colours["background"],
        )

    async def pause(self, seconds: float) -> None:
        """Let the app run until it has nothing to do, and that many seconds longer."""
        await self._pilot.pause(seconds)


async def _go_on(*_: float) -> None:
    await asyncio.sleep(0)


@contextmanager
def _neutral(*, no_color: bool) -> Iterator[None]:
    """Hide what differs between machines: the home directory, the user, the installed programs, the program's name."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "OCI_TUTOR_COMMAND")
    }
    environment |= {"HOME": "/root"} | ({"NO_COLOR": "1"} if no_color else {})
    there = {"runt": "/usr/bin/runt", "runc": "/usr/sbin/runc"}
    with (
        patch.dict(os.environ, environment, clear=True),
        patch("os.geteuid", return_value=0),
        patch("textual.screen.UPDATE_PERIOD", 0.25),
        patch("textual.app.wait_for_idle", _go_on),
        patch("textual.pilot.wait_for_idle", _go_on),
        patch("shutil.which", side_effect=lambda name, *_, **__: there.get(name)),
    ):
        yield


@contextmanager
def _without_collection() -> Iterator[None]:
    """Switch garbage collection off: it takes a third of the time in which an app is started and drawn."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@asynccontextmanager
async def staged(
    folder: Path, language: Language, size: Size, *, light: bool = False, no_color: bool = False
) -> AsyncIterator[Stage]:
    """Start the app at the list of lessons; the learner's progress is in `folder`."""
    with _neutral(no_color=no_color), _without_collection():
        home = Home(folder / "labs", folder / "state", folder / "cache")
        course, messages = _course(language), Messages.load(language)
        _begin(course, Progress(home.records))
        app = StagedApp(course, "runt", messages, None, home)
        app.animation_level = "none"
        app.theme = (LIGHT if light else DARK).name
        async with app.run_test(size=size) as pilot:
            await settled(pilot, lambda: isinstance(app.screen, HomeScreen))
            stage = Stage(app, pilot, messages)
            try:
                yield stage
                await stage.go_home()
            finally:
                if app._opened:  # a thread of its must not wait on
                    app.script.opening.set()
                    app.script.interrupt()


@cache
def _course(language: Language) -> Course:
    return Course.load(language)


def _begin(course: Course, progress: Progress) -> None:
    """Record that some lessons are done, one was read along with a recording, and one is begun."""
    done = {lesson.id: tuple(step.id for step in lesson.steps) for lesson in course.lessons}
    for lesson in course.lessons[:3]:
        progress.save(lesson.id, LessonProgress(None, done[lesson.id], finished=True))
    progress.save(FIRST, LessonProgress("list", done[FIRST][: done[FIRST].index("list")]))
    recorded = next(lesson.id for lesson in course.lessons if lesson.id == "docker-runtime")
    read = done[recorded]
    progress.save(recorded, LessonProgress(None, read, read=read[3:], finished=True))
