"""The events of a session that the player needs, while it plays a lesson."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tutor.session.events import HintGiven, Notice, QuizAnswered, StepPassed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.session.events import Event

_LOOK_EVERY = 0.2  # seconds


class EventLog:
    """The events since `begin`; they may arrive from any thread."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._notices: list[Notice] = []
        self._hints: list[str] = []
        self._feedback = ""

    def begin(self) -> None:
        """Forget the events so far; from now on they are about another step."""
        with self._news:
            self._notices, self._hints, self._feedback = [], [], ""

    def take(self, event: Event) -> None:
        """Take an event from the session."""
        with self._news:
            match event:
                case HintGiven(hint=hint, for_mistake=True):
                    self._hints.append(hint.id)
                case QuizAnswered(feedback=feedback):
                    self._feedback = feedback
                case Notice(severity="warning" | "error"):
                    self._notices.append(event)
                case StepPassed():
                    pass
                case _:
                    return
            self._news.notify_all()

    def wait_for(self, seen: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition holds, testing it after every event and now and then, at most `seconds`; return whether it does."""
        deadline = time.monotonic() + seconds
        with self._news:
            while not seen():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._news.wait(min(left, _LOOK_EVERY))
        return True

    def notices(self) -> tuple[Notice, ...]:
        """Return the warnings and errors."""
        return tuple(self._notices)

    def errors(self) -> tuple[tuple[str, str], ...]:
        """Return title and body of the errors."""
        return tuple((each.title, each.body) for each in self._notices if each.severity == "error")

    def hints(self) -> tuple[str, ...]:
        """Return the ids of the hints given for known mistakes."""
        return tuple(self._hints)

    def feedback(self) -> str:
        """Return the feedback to the last answer."""
        return self._feedback
