"""Between a screen and its session: blocking calls go into a thread, their events come back as messages, in order."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from tutor.session.events import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.screen import Screen

    from tutor.messages import Messages
    from tutor.session.events import Event
    from tutor.tui.widgets.notice_bar import NoticeBar


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


class SessionBridge:
    """Makes one series of calls into the session at a time; whatever goes wrong in them becomes a notice.

    Its methods are for the screen's thread. The screen hands every `SessionIdle` to `idle`.
    """

    def __init__(
        self,
        screen: Screen[None],
        notices: NoticeBar,
        messages: Messages,
        *,
        notice_of: Callable[[Exception], Notice],
        is_slow: Callable[[], bool],
    ) -> None:
        """Take what is needed to speak.

        Args:
            screen: gets the messages and runs the threads.
            notices: where to say that something waits, or can't be done now.
            messages: the catalogue.
            notice_of: returns what to tell the learner of an error.
            is_slow: tells whether the present calls make the learner wait; other waits are too short to be worth a word.
        """
        self._screen = screen
        self._notices = notices
        self._messages = messages
        self._notice_of = notice_of
        self._is_slow = is_slow
        self._waiting: deque[Callable[[], object]] = deque()
        self.busy = False
        self.leaving = False
        """The session is being closed: nothing more can be asked of it."""

    def when_idle(self, name: str, do: Callable[[], object]) -> None:
        """Do something now, or, while calls are being made, in its turn after them: no key typed ahead is lost.

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
            if self._is_slow():
                self._notices.say(Notice("information", self._messages("tui.waiting", name=name)))
        else:
            self.say_busy()

    def forget_waiting(self) -> None:
        """Drop what was typed ahead: an interrupt is meant for the rest, too."""
        self._waiting.clear()

    def call(self, *calls: Callable[[], None], done: Callable[[], None] | None = None) -> None:
        """Make blocking calls, one after the other, in a thread; then, and after their events, do `done` in this one."""
        if self.busy or self.leaving:
            self.say_busy()
            return
        self.busy = True
        self._screen.run_worker(
            partial(self._work, calls, done), thread=True, group="session", exit_on_error=False
        )

    def wait_for(self, work: Callable[[], Coroutine[object, object, None]], done: Callable[[], None]) -> None:
        """Let something else happen in place of calls (a shell has the terminal), then do `done`; what is typed ahead waits."""
        self.busy = True
        self._screen.run_worker(self._await(work, done), group="session")

    def say_busy(self) -> None:
        """Say that a command still runs, or that the lab is being taken down."""
        self._notices.say(
            Notice("information", self._messages("tui.leaving"))
            if self.leaving
            else Notice("warning", self._messages("tui.busy"))
        )

    def idle(self, message: SessionIdle) -> None:
        """Go on when calls have come back: with what follows them, then with what was typed ahead."""
        self.busy = False
        if message.done is not None:
            message.done()
        while self._waiting and not self.busy and self._screen.is_attached:
            self._waiting.popleft()()

    def _work(self, calls: tuple[Callable[[], None], ...], done: Callable[[], None] | None) -> None:
        try:
            for call in calls:
                call()
        except Exception as error:  # noqa: BLE001  (a learner gets a notice, never a traceback)
            self._screen.post_message(SessionEvent(self._notice_of(error)))
        finally:
            self._screen.post_message(SessionIdle(done))

    async def _await(
        self, work: Callable[[], Coroutine[object, object, None]], done: Callable[[], None]
    ) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  (a learner gets a notice, never a traceback)
            self._screen.post_message(SessionEvent(self._notice_of(error)))
            self._screen.post_message(SessionIdle(None))
        else:
            self._screen.post_message(SessionIdle(done))
