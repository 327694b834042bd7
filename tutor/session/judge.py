"""Whether the present step is passed, and how often it was tried: answers, checks, hints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.checks import CheckContext, evaluate
from tutor.course.model import Choice, EditConfig, Hint, Observe, Quiz, Read, RunOperation, Shell, Step, Task

if TYPE_CHECKING:
    from tutor.session.events import Verdict


class Judge:
    """What is known about the learner's work on one step; a new one for each step entered."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.verdicts: tuple[Verdict, ...] = ()
        self.answer: str | None = None
        self._failures = 0
        self._hints_given = 0
        self._offered = 0

    def look(self, context: CheckContext) -> tuple[Verdict, ...]:
        """Run the step's checks on this moment."""
        self.verdicts = tuple(evaluate(check, context) for check in self.step.checks)
        return self.verdicts

    @property
    def holds(self) -> bool:
        """Whether every check passed when last looked, and the quiz, if it is one, is answered well enough."""
        return all(verdict.passed for verdict in self.verdicts) and self._answered

    @property
    def passes_by_itself(self) -> bool:
        """Whether the step is passed as soon as it `holds`; the others pass when the learner goes on."""
        match self.step.action:
            case Read() | Observe():
                return False
            case Shell():
                return bool(self.step.checks)
            case Quiz() | EditConfig() | RunOperation() | Task():
                return True

    @property
    def _answered(self) -> bool:
        match self.step.action:
            case Quiz(answer=right, prediction=prediction):
                return self.answer is not None and (prediction or self.answer == right)
            case _:
                return True

    def missing(self) -> tuple[str, ...]:
        """Return the texts of the checks that don't pass."""
        return tuple(verdict.text for verdict in self.verdicts if not verdict.passed)

    def choose(self, quiz: Quiz, choice: Choice) -> bool:
        """Record an answer; tell whether it is right. A right answer stays, whatever is tried after it."""
        if self.answer != quiz.answer:
            self.answer = choice.id
        return choice.id == quiz.answer

    def failed(self) -> bool:
        """Count a try that did not do it; tell whether this is the moment to offer a hint."""
        self._failures += 1
        due = sum(1 for hint in self.step.hints if hint.after_failures <= self._failures)
        offer = due > max(self._hints_given, self._offered)
        self._offered = max(self._offered, due)
        return offer

    def hint(self) -> tuple[Hint, int] | None:
        """Return the next hint and its number from 1; None when all have been given."""
        if self._hints_given >= len(self.step.hints):
            return None
        self._hints_given += 1
        return self.step.hints[self._hints_given - 1], self._hints_given
