"""Playing a whole lesson by its own solutions: the proof that it can be done, and that its checks tell done from not done."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tutor.course.model import Observe, Read, Shell
from tutor.session.bench import status_of
from tutor.session.events import Notice, StepPassed
from tutor.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.course.course import Course
    from tutor.course.model import Step
    from tutor.engines.model import EngineName
    from tutor.home import Home
    from tutor.session.events import Event, Verdict

_PASS_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class StepPlayed:
    """One step as it was played.

    `begins_right`: the container was in the state that the step requires, and its checks did not all pass already where the
    learner has something to do. `before` and `after` are the checks' verdicts then and after the solution. `notices` are the
    warnings and errors that were told meanwhile.
    """

    step: Step
    begins_right: bool
    before: tuple[Verdict, ...]
    after: tuple[Verdict, ...]
    passed: bool
    notices: tuple[Notice, ...]

    @property
    def good(self) -> bool:
        """Whether the step began right, was passed by its solution, and nothing went wrong."""
        return self.begins_right and self.passed and not self.notices


def play(course: Course, lesson_id: str, engine: EngineName, home: Home) -> Iterator[StepPlayed]:
    """Play a lesson from its first step to its last, and yield each step once it has been played; stop at one that fails.

    Raises:
        TutorError: the lesson can't be opened.
    """
    heard = _Heard()
    with Session(course=course, engine=engine, publish=heard.hear, home=home) as session:
        session.open(lesson_id)
        assert session.lesson is not None  # noqa: S101  (it has just been opened)
        for number in range(len(session.lesson.steps)):
            played = _play_step(session, heard)
            yield played
            if not played.passed:
                return
            if session.index == number:
                session.execute("next")


def _play_step(session: Session, heard: _Heard) -> StepPlayed:
    step = session.step
    assert step is not None  # noqa: S101  (a lesson is open)
    heard.begin(step.id)
    before = session.verdicts
    fits = status_of(session.state) == step.requires
    has_task = bool(step.checks) and not isinstance(step.action, Read | Observe)
    done_already = has_task and all(verdict.passed for verdict in before)
    if isinstance(step.action, Read | Observe) or (isinstance(step.action, Shell) and not step.checks):
        after = session.verdicts
        session.execute("next")
    else:
        session.execute("solve")
        heard.passed.wait(_PASS_SECONDS)
        after = session.verdicts
    return StepPlayed(
        step=step,
        begins_right=fits and not done_already,
        before=before,
        after=after,
        passed=step.id in session.passed,
        notices=heard.notices(),
    )


class _Heard:
    """The few events that the player waits for."""

    def __init__(self) -> None:
        self.passed = threading.Event()
        self._step_id = ""
        self._notices: list[Notice] = []

    def begin(self, step_id: str) -> None:
        self._step_id = step_id
        self._notices = []
        self.passed.clear()

    def notices(self) -> tuple[Notice, ...]:
        return tuple(self._notices)

    def hear(self, event: Event) -> None:
        if isinstance(event, StepPassed) and event.step.id == self._step_id:
            self.passed.set()
        elif isinstance(event, Notice) and event.severity != "information":
            self._notices.append(event)
