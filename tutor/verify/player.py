"""Play a whole lesson: at first its checks must fail, each known wrong answer must get its hint, the solution must pass."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tutor.course.model import Answer, Observe, OwnStep, Quiz, Read, Shell, Task
from tutor.engines.lifecycle import status_of
from tutor.errors import TutorError
from tutor.patience import scaled
from tutor.session.session import Session
from tutor.verify.event_log import EventLog
from tutor.verify.model import LessonPlayed, Problem, StepPlayed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.course.checks.verdict import Verdict
    from tutor.course.course import Course
    from tutor.course.model import Action, Define, Step, WrongAnswer
    from tutor.engines.model import EngineName
    from tutor.home import Home
    from tutor.session.protocol import PlayerSession

PATIENCE = 15.0
"""Seconds to wait until the effects of a solution pass its checks, and until a wrong answer gets its hint."""

_JUDGED = 0.2
"""Seconds after which a session that looks all the time has seen that the time of a check is over."""


def play(
    course: Course,
    lesson_id: str,
    engine: EngineName,
    home: Home,
    *,
    go_on: Callable[[], bool] = lambda: True,
    opened: Callable[[PlayerSession], object] = lambda _session: None,
    patience: float = PATIENCE,
) -> LessonPlayed:
    """Play a lesson from its first step to its last; stop at one that can't be passed, and soon when `go_on` says no.

    `opened` gets the session first of all; to interrupt it makes the stop sooner.

    Nothing that goes wrong in the lesson is raised: it is a problem of what comes back.

    Raises:
        UnknownLesson: there is no such lesson.
    """
    lesson = course.lesson(lesson_id)
    began, events, steps = time.monotonic(), EventLog(), list[StepPlayed]()
    ending: list[Problem] = []
    only_read = frozenset[str]()
    with Session(course=course, engine=engine, publish=events.take, home=home) as session:
        opened(session)
        try:
            session.open(lesson_id)
        except TutorError as error:
            title, body, _ = error.render(session.messages)
            ending.append(Problem("unopened", {"title": title, "body": body}))
        else:
            only_read = session.only_read
            while len(steps) < len(lesson.steps) and go_on():
                played = _Player(session, events, patience, go_on).play()
                steps.append(played)
                if played.step.id not in session.passed:
                    break
                if session.index < len(steps):
                    session.execute("next")
        events.begin()
        session.leave()
    ending += [Problem("left", {"title": each.title, "body": each.body}) for each in events.notices()]
    read = tuple(each.id for each in lesson.steps if each.id in only_read)
    return LessonPlayed(lesson, tuple(steps), time.monotonic() - began, read, tuple(ending))


_BY_HAND = "runt"
"""The engine with which solutions are also done action by action: that takes time, and the hints are the same with each."""


class _Player:
    """Plays the present step of a session."""

    def __init__(
        self, session: PlayerSession, events: EventLog, patience: float, go_on: Callable[[], bool]
    ) -> None:
        assert session.step is not None  # noqa: S101  (a lesson is open)
        self._session, self._events, self._patience, self._go_on = session, events, patience, go_on
        self._step = session.step
        self._problems: list[Problem] = []

    def play(self) -> StepPlayed:
        self._events.begin()
        before = self._session.verdicts
        self._look_at_beginning(before)
        for each in self._step.wrong:
            if self._go_on():
                self._play_wrong(each)
        if isinstance(self._step.activity, OwnStep):
            for name, variant in self._step.activity.variants:
                if self._go_on():
                    self._play_variant(name, variant)
        if isinstance(self._step.activity, Quiz):
            self._choose_wrongly(self._step.activity)
        if isinstance(self._step.activity, Task) and self._session.engine == _BY_HAND:
            self._begin_to_solve(self._step.activity.solution[:-1])
        after = self._solve()
        return StepPlayed(self._step, before, after, len(self._step.wrong), tuple(self._problems))

    def _wait_for(self, seen: Callable[[], bool]) -> bool:
        return self._events.wait_for(lambda: seen() or not self._go_on(), scaled(self._patience))

    def _say(self, key: str, **values: object) -> None:
        self._problems.append(Problem(key, values))

    def _look_at_beginning(self, before: tuple[Verdict, ...]) -> None:
        """See that no check passes yet, but for a `guard`, which must pass from the beginning."""
        found = status_of(self._session.state)
        if found != self._step.requires:
            self._say("state", found=found, wanted=self._step.requires)
        for each in self._events.notices():
            self._say("notice", title=each.title, body=each.body)
        if _has_task(self._step):
            guards = {check.id for check in self._step.checks if check.guard}
            for verdict in before:
                if verdict.passed != (verdict.check_id in guards):
                    self._say("holds" if verdict.passed else "guard", check=verdict.check_id)

    def _play_wrong(self, wrong: WrongAnswer) -> None:
        """Do a known wrong answer, see that the step does not pass and that its hint is given, and undo it."""
        self._events.begin()
        self._session.do(wrong.actions)
        if any(hint.id == wrong.hint and hint.after_failures for hint in self._step.hints):
            # It waits for another try, as it may be on the way to the solution.
            self._session.execute("check")
        if wrong.hint:
            if not self._wait_for(lambda: wrong.hint in self._events.hints()):
                given = ", ".join(self._events.hints()) or "-"
                self._say("no_hint", wrong=wrong.id, hint=wrong.hint, given=given)
        elif any(isinstance(each, Answer) for each in wrong.actions) and not self._events.feedback():
            self._say("no_feedback", choice=wrong.id)
        if self._step.id in self._session.passed:
            self._say("wrong_passes", wrong=wrong.id)
        for title, body in self._events.errors():
            self._say("wrong_trouble", wrong=wrong.id, title=title, body=body)
        self._undo(wrong.id)

    def _undo(self, name: str) -> None:
        self._events.begin()
        self._session.execute("reset")
        if self._session.step is not self._step and self._session.step is not None:
            self._step = self._session.step
        for title, body in self._events.errors():
            self._say("reset_trouble", wrong=name, title=title, body=body)

    def _play_variant(self, name: str, variant: Define) -> None:
        """Do another right way, see that the step passes without a hint, and undo it."""
        self._events.begin()
        self._session.do((variant,))
        if not self._wait_for(lambda: self._step.id in self._session.passed):
            self._say("variant_fails", variant=name)
            for verdict in self._session.verdicts:
                if not verdict.passed:
                    self._say_failing(verdict)
        for hint in self._events.hints():
            self._say("variant_hint", variant=name, hint=hint)
        self._undo(name)

    def _choose_wrongly(self, quiz: Quiz) -> None:
        """Give every wrong answer: none may pass the step, each must get its feedback."""
        if quiz.prediction:
            return
        right = self._session.right_answer()
        for choice in quiz.choices or ():
            if choice.id != right:
                self._answer_wrongly(choice.id)
        if not quiz.choices:
            self._answer_wrongly("?")

    def _answer_wrongly(self, answer: str) -> None:
        self._events.begin()
        self._session.execute(f"answer {answer}")
        if self._step.id in self._session.passed:
            self._say("wrong_passes", wrong=answer)
        if not self._events.feedback():
            self._say("no_feedback", choice=answer)

    def _begin_to_solve(self, actions: tuple[Action, ...]) -> None:
        """Do all but the last of a solution, as a learner does, one after the other: none may be taken for a mistake."""
        if not actions:
            return
        self._events.begin()
        # A learner does not type the next command at once: until then a check that is given time fails.
        pause = max((check.within for check in self._step.checks), default=0.0)
        for number, action in enumerate(actions, 1):
            self._session.do((action,))
            if pause:
                self._events.wait_for(lambda: bool(self._events.hints()), scaled(pause) + _JUDGED)
            for hint in self._events.hints():
                self._say("hint_on_the_way", hint=hint, number=number)
            self._events.begin()
        self._session.execute("reset")
        if self._session.step is not None:
            self._step = self._session.step

    def _solve(self) -> tuple[Verdict, ...]:
        self._events.begin()
        session, step = self._session, self._step
        if isinstance(step.activity, Read | Observe) or (
            isinstance(step.activity, Shell) and not step.checks
        ):
            after = session.verdicts
            session.execute("next")
        else:
            session.execute("solve")
            self._wait_for(lambda: step.id in session.passed)
            after = session.verdicts
        if step.id not in session.passed:
            self._say("not_passed")
            for verdict in after:
                if not verdict.passed:
                    self._say_failing(verdict)
        for each in self._events.notices():
            self._say("notice", title=each.title, body=each.body)
        return after

    def _say_failing(self, verdict: Verdict) -> None:
        for each in verdict.evidence or ():
            self._say(
                "fails",
                check=verdict.check_id,
                looked_at=each.looked_at,
                expected=each.expected,
                found=each.found,
            )


def _has_task(step: Step) -> bool:
    return not isinstance(step.activity, Read | Observe | Quiz)
