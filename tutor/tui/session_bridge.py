"""A screen that works with a session: its blocking calls go into a thread, its events come back as messages, in order."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.message import Message
from textual.reactive import reactive

from tutor.session.events import Notice
from tutor.tui.screens.base import TutorScreen
from tutor.tui.widgets.notice_bar import NoticeBar

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.messages import Messages
    from tutor.session.events import Event
    from tutor.session.protocol import SessionProtocol


_MOST_WAITING = 8  # a burst of keys, not a forgotten finger


class SessionEvent(Message):
    """An event of the session, on its way into the screen's own thread."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event


class SessionIdle(Message):
    """The calls into the session have come back; `done` is what is to happen now."""

    def __init__(self, done: Callable[[], None] | None) -> None:
        super().__init__()
        self.done = done


class WorkingScreen(TutorScreen):
    """Makes one series of calls into the session at a time; whatever goes wrong in them becomes a notice."""

    busy: reactive[bool] = reactive(False, init=False)

    def __init__(self, session: SessionProtocol, messages: Messages) -> None:
        super().__init__(messages)
        self.session = session
        self._waiting: deque[Callable[[], object]] = deque()
        self.leaving = False
        """The session is being closed: nothing more can be asked of it."""

    def when_idle(self, name: str, do: Callable[[], object]) -> None:
        """Do something now, or, while calls are being made, in its turn after them: nobody loses a key typed ahead.

        Args:
            name: what the learner asked for, to say that it waits.
            do: calls into the session, or not; it runs in this thread.
        """
        if self.leaving:
            self.say_busy()
        elif not self.busy:
            do()
        elif len(self._waiting) < _MOST_WAITING:
            self._waiting.append(do)
            self.say_waiting(name)
        else:
            self.say_busy()

    def forget_waiting(self) -> None:
        """Drop what was typed ahead: who interrupts does not want the rest either."""
        self._waiting.clear()

    def say_waiting(self, name: str) -> None:
        """Say that something waits for its turn; most waits are too short to be worth a word."""

    def call_session(self, *calls: Callable[[], None], done: Callable[[], None] | None = None) -> None:
        """Make blocking calls, one after the other, in a thread; then, and after their events, do `done` in this one."""
        if self.busy or self.leaving:
            self.say_busy()
            return
        self.busy = True
        self.run_worker(partial(self._work, calls, done), thread=True, group="session", exit_on_error=False)

    def say_busy(self) -> None:
        """Say that a command still runs, or that the lab is being taken down."""
        notice = (
            Notice("information", self.messages("tui.leaving"))
            if self.leaving
            else Notice("warning", self.messages("tui.busy"))
        )
        self.query_one(NoticeBar).say(notice)

    def _work(self, calls: tuple[Callable[[], None], ...], done: Callable[[], None] | None) -> None:
        try:
            for call in calls:
                call()
        except Exception as error:  # noqa: BLE001  (a learner gets a notice, never a traceback)
            self.post_message(SessionEvent(self.tutor.notice_of(error)))
        finally:
            self.post_message(SessionIdle(done))

    @on(SessionIdle)
    def _idle(self, message: SessionIdle) -> None:
        self.busy = False
        if message.done is not None:
            message.done()
        while self._waiting and not self.busy and self.is_attached:
            self._waiting.popleft()()
