"""The result of playing a lesson."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.lazy_dataclass import dataclass, field

if TYPE_CHECKING:
    from tutor.course.checks.verdict import Verdict
    from tutor.course.model import Lesson, Step


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem in a lesson; its text is the catalogue's `verify.problem.KEY`."""

    key: str
    values: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepPlayed:
    """The result of one step, played by its known wrong answers, each of which was undone, and then by its solution.

    `before` and `after` are the checks' verdicts at the beginning and after the solution; `problems` is empty when all is well.
    """

    step: Step
    before: tuple[Verdict, ...] = ()
    after: tuple[Verdict, ...] = ()
    wrong: int = 0
    problems: tuple[Problem, ...] = ()

    @property
    def good(self) -> bool:
        """Whether no problem was found."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class LessonPlayed:
    """The result of a lesson. `only_read` are the ids of steps that can't be done by hand on this machine. `ending` are problems of the lesson as a whole: it can't be opened, it leaves something behind."""

    lesson: Lesson
    steps: tuple[StepPlayed, ...]
    seconds: float
    only_read: tuple[str, ...] = ()
    ending: tuple[Problem, ...] = ()

    @property
    def good(self) -> bool:
        """Whether every step was played and no problem was found."""
        return (
            not self.ending and len(self.steps) == len(self.lesson.steps) and all(s.good for s in self.steps)
        )
