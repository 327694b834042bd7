"""The ways out of a lesson: back, on to the next one, and out of the program; each asks only if something would be lost."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.course.model import Lesson
    from tutor.session.protocol import SessionProtocol
    from tutor.tui.navigation import Navigation
    from tutor.tui.screens.base import TutorScreen
    from tutor.tui.screens.config_file import ConfigFile
    from tutor.tui.session_bridge import SessionBridge
    from tutor.view.lesson_view import LessonView


class Leaving:
    """Leaves a lesson: its lab is removed, its progress is kept."""

    def __init__(
        self,
        screen: TutorScreen,
        session: SessionProtocol,
        bridge: SessionBridge,
        *,
        navigation: Navigation,
        config: ConfigFile,
        view: LessonView,
        interrupt: Callable[[], None],
    ) -> None:
        """`interrupt` ends the command that runs, and drops those that wait."""
        self._screen, self._session, self._bridge = screen, session, bridge
        self._navigation, self._config, self._view = navigation, config, view
        self._interrupt = interrupt

    @property
    def uncovers(self) -> bool:
        """Whether this is free play on top of another screen, to which it returns."""
        return self._view.plays_freely and not self._navigation.only_plays

    def go_back(self) -> None:
        """Leave for the screen below."""
        self._ask_if_lost(partial(self._leave, self._navigation.go_back))

    def go_on_to(self, lesson: Lesson) -> None:
        """Leave for another lesson, with the same engine."""
        go_on = partial(self._navigation.go_on_to, lesson.id, self._session.engine)
        self._ask_if_lost(partial(self._leave, go_on))

    def quit(self) -> None:
        """End the program."""
        self._ask_if_lost(lambda: self._screen.app.exit(0), quits=True)

    def _leave(self, go: Callable[[], None]) -> None:
        self._bridge.forget_waiting()
        go()
        self._bridge.say_busy()

    def _ask_if_lost(self, proceed: Callable[[], object], *, quits: bool = False) -> None:
        unsaved = self._config.unsaved_text() is not None
        if not unsaved and self._view.running is None:
            proceed()
            return

        def go() -> None:
            self._interrupt()
            proceed()

        def save() -> None:
            self._interrupt()
            self._config.save(then=proceed)

        if unsaved:
            self._screen.ask("unsaved", save, instead=go, quits=quits)
        else:
            self._screen.ask("running", go, quits=quits)
