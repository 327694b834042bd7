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


_MOST_WAITING = 8  # enough for keys typed ahead, not for a key held down


class SessionEvent(Message):
    """An event of the session, for the thread of the screen."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event


class SessionIdle(Message):
    """The calls into the session have returned; `done` is to be called now."""

    def __init__(self, done: Callable[[], None] | None) -> None:
        super().__init__()
        self.done = done


class SessionBridge:
    """Makes one series of calls into the session at a time; turns each exception of a call into a notice.

    Its methods are for the thread of the screen, which passes every `SessionIdle` to `idle`.
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
        """Make no call yet.

        Args:
            screen: receives the messages and runs the threads.
            notices: shows that a command waits, or can't be run now.
            messages: the catalogue.
            notice_of: returns what to tell the learner of an error.
            is_slow: tells whether the present calls take long; only then a wait is shown.
        """
        self._screen = screen
        self._notices = notices
        self._messages = messages
        self._notice_of = notice_of
        self._is_slow = is_slow
        self._waiting: deque[Callable[[], object]] = deque()
        self.busy = False
        self.leaving = False
        """The session is being closed: no more calls can be made."""

    def when_idle(self, name: str, do: Callable[[], object]) -> None:
        """Call `do` now; while calls are being made, in its turn after them, so that no key typed ahead is lost.

        Args:
            name: the command, as the notice names it while it waits.
            do: runs in this thread; it may `call`.
        """
        if self.leaving:
            self.say_busy()
        elif not self.busy:
            do()
        elif len(self._waiting) < _MOST_WAITING:
            self._waiting.append(do)
            if self._is_slow():
                notice = Notice("information", self._messages("tui.waiting", name=name))
                self._notices.cover(notice, stays=True)
        else:
            self.say_busy()

    def forget_waiting(self) -> None:
        """Drop the commands that wait: an interrupt is meant for them, too."""
        self._waiting.clear()
        self._notices.uncover()

    def call(self, *calls: Callable[[], None], done: Callable[[], None] | None = None) -> None:
        """Make blocking calls, one after the other, in a thread; after them and their events, call `done` in this thread."""
        if self.busy or self.leaving:
            self.say_busy()
            return
        self.busy = True
        self._screen.run_worker(
            partial(self._work, calls, done), thread=True, group="session", exit_on_error=False
        )

    def wait_for(self, work: Callable[[], Coroutine[object, object, None]], done: Callable[[], None]) -> None:
        """Await `work` in place of calls (a shell that has the terminal), then call `done`; commands typed ahead wait."""
        self.busy = True
        self._screen.run_worker(self._await(work, done), group="session")

    def say_busy(self) -> None:
        """Say that a command still runs, or that the lab is being taken down."""
        self._notices.cover(
            Notice("information", self._messages("tui.leaving"))
            if self.leaving
            else Notice("warning", self._messages("tui.busy")),
            stays=True,
        )

    def idle(self, message: SessionIdle) -> None:
        """Go on when calls have returned: with `done`, then with the commands that wait."""
        self.busy = False
        if message.done is not None:
            message.done()
        while self._waiting and not self.busy and self._screen.is_attached:
            self._waiting.popleft()()
        if not self._waiting and not self.leaving:
            self._notices.uncover()

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
