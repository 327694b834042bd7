"""Open a session in a thread of its own while the modules of a face are still being imported: the lab does not wait for them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from tutor import ending
from tutor.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tutor.course.course import Course
    from tutor.engines.model import EngineName
    from tutor.home import Home
    from tutor.session.events import Event


class SessionAhead:
    """A session that is being opened; a context manager that closes it, whether a face came to use it or not.

    Its events are kept until a face takes them (`hand_over`).
    """

    def __init__(
        self, opening: Callable[[Session], None], *, course: Course, engine: EngineName, home: Home
    ) -> None:
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._take: Callable[[Event], None] = self._events.append
        self._error: BaseException | None = None
        self.session = Session(course=course, engine=engine, publish=self._publish, home=home)
        self._opener = threading.Thread(target=self._open, args=(opening,), name="opening", daemon=True)
        self._opener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ending.unheeded():
            self.session.close()

    def hand_over(self, take: Callable[[Event], None]) -> None:
        """Give all events to `take` from now on, those so far first; return when the session is open.

        Raises:
            TutorError: it could not be opened.
        """
        with self._lock:
            for event in self._events:
                take(event)
            self._take = take
        self._opener.join()
        if self._error is not None:
            raise self._error

    def _publish(self, event: Event) -> None:
        with self._lock:
            self._take(event)

    def _open(self, opening: Callable[[Session], None]) -> None:
        try:
            opening(self.session)
        except BaseException as error:  # noqa: BLE001  (raised again in the thread that asks for it)
            self._error = error
