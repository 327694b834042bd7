"""What playing a lesson has shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.course.checks.verdict import Verdict
    from tutor.course.model import Lesson, Step


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it must be; its words are the catalogue's `verify.problem.KEY`."""

    key: str
    values: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepPlayed:
    """One step as it was played: by its known wrong answers, each of which was undone, then by its solution.

    `before` and `after` are the checks' verdicts at the beginning and after the solution; `problems` is empty when all is well.
    """

    step: Step
    before: tuple[Verdict, ...] = ()
    after: tuple[Verdict, ...] = ()
    wrong: int = 0
    problems: tuple[Problem, ...] = ()

    @property
    def good(self) -> bool:
        """Whether nothing was wrong with it."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class LessonPlayed:
    """A lesson as it was played. `ending` are problems of the lesson as a whole: it can't be opened, it leaves something behind."""

    lesson: Lesson
    steps: tuple[StepPlayed, ...]
    seconds: float
    ending: tuple[Problem, ...] = ()

    @property
    def good(self) -> bool:
        """Whether every step was played and nothing was wrong."""
        return (
            not self.ending and len(self.steps) == len(self.lesson.steps) and all(s.good for s in self.steps)
        )
