"""A session with a log of its events, and the first lesson as a learner types it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from tutor import patience
from tutor.course.course import Course
from tutor.engines.model import ENGINE_NAMES
from tutor.home import Home
from tutor.session.events import Checked, ConfigChanged, Event, Notice, Output, StepEntered, StepPassed
from tutor.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.engines.model import EngineName
    from tutor.messages import Language

E = TypeVar("E")

LESSON = "first-container"

every_engine = pytest.mark.parametrize(
    "engine",
    [pytest.param(name, marks=[] if name == "runt" else pytest.mark.peer(name)) for name in ENGINE_NAMES],
)
# The mini image takes longer to build than everything else here; it is checked before each use.
_CACHE = Path("/tmp/oci-tutor-test-cache")


def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "labs", tmp_path / "state", _CACHE)


class Diary:
    """The events of a session, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = threading.Condition()

    def publish(self, event: Event) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def until(self, seen: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        """Wait until an event has been published; fail with the published ones if it never is."""
        deadline = time.monotonic() + patience.scaled(seconds)
        with self._news:
            while not seen():
                if not self._news.wait(deadline - time.monotonic()) and not seen():
                    raise AssertionError(f"never said: {what}; last: {self.events[-3:]}")

    def clear(self) -> None:
        with self._news:
            self.events.clear()

    def printed(self) -> str:
        return "".join(event.text for event in self.of(Output))

    def notices(self) -> list[str]:
        return [f"{event.severity}: {event.title} {event.body} {event.next}" for event in self.of(Notice)]

    def last_notice(self) -> Notice:
        return self.of(Notice)[-1]

    def entered(self) -> list[str]:
        return [event.step.id for event in self.of(StepEntered)]

    def passed(self) -> list[str]:
        return [event.step.id for event in self.of(StepPassed)]

    def origins(self) -> list[str]:
        return [event.origin for event in self.of(ConfigChanged)]

    def last_check(self) -> Checked:
        return self.of(Checked)[-1]


def session(
    tmp_path: Path,
    diary: Diary,
    engine: EngineName = "runc",
    language: Language = "en",
    publish: Callable[[Event], None] | None = None,
) -> Session:
    publish = publish or diary.publish
    return Session(course=Course.load(language), engine=engine, publish=publish, home=home(tmp_path))


def stand_at(session: Session, step_id: str) -> None:
    """Go to a step by solving the ones before it."""
    for _ in range(100):
        assert session.step is not None
        if session.step.id == step_id:
            return
        before = session.index
        if session.step.id not in session.passed and session.step.kind not in ("read", "observe", "shell"):
            session.execute("solve")
        while session.index == before:
            assert session.step.kind in ("read", "observe", "shell") or session.step.id in session.passed
            session.execute("next")
    raise AssertionError(f"never came to {step_id}")
