"""Grade the learner's work on one step: checks, answers, tries, and the hints that are due."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tutor import patience
from tutor.course.checks import CheckContext, evaluate, find
from tutor.course.checks.verdict import Evidence, Verdict
from tutor.course.model import (
    DeadEnd,
    EditConfig,
    Hint,
    Observe,
    OwnStep,
    Quiz,
    Read,
    RunOperation,
    Shell,
    Step,
    Task,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tutor.course.model import Check


class Grader:
    """The learner's work on one step; a new one for each step entered."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.verdicts: tuple[Verdict, ...] = ()
        self.answer: str | None = None
        self.right = False
        self.dead_end: DeadEnd | None = None
        self._dealt = tuple(hint for hint in step.hints if hint.when is None)
        self._made_for_mistakes = tuple(hint for hint in step.hints if hint.when is not None)
        self._given: set[str] = set()
        self._tries_with: dict[str, int] = {}
        self._asked = False
        self._failures = 0
        self._hints_given = 0
        self._offered = 0
        self._tried_at: float | None = None
        self._held_since: dict[str, float] = {}

    # Checks

    def look(self, context: CheckContext) -> tuple[Verdict, ...]:
        """Run the step's checks on one moment."""
        self.verdicts = _told_once(
            self._stable(check, evaluate(check, context), context) for check in self.step.checks
        )
        return self.verdicts

    def _stable(self, check: Check, verdict: Verdict, context: CheckContext) -> Verdict:
        """Let a check pass only when it has held for `stable_for` seconds."""
        if not check.stable_for:
            return verdict
        if not verdict.passed:
            self._held_since.pop(check.id, None)
            return verdict
        held = time.monotonic() - self._held_since.setdefault(check.id, time.monotonic())
        words = context.messages
        evidence = Evidence(
            words("course.check.stable.looked_at"),
            words("course.check.stable.seconds", seconds=f"{check.stable_for:g}"),
            words("course.check.stable.seconds", seconds=f"{min(held, check.stable_for):.0f}"),
            "",
        )
        return Verdict(check.id, check.text, held >= check.stable_for, (*verdict.evidence, evidence))

    @property
    def holds(self) -> bool:
        """Whether every check passed at the last look, and a quiz has an answer that passes."""
        return all(verdict.passed for verdict in self.verdicts) and self._answered

    @property
    def waiting(self) -> bool:
        """Whether the checks may still pass without another try: one has time after a try, or must hold for a while."""
        if any(check.id in self._held_since for check, verdict in self._pairs() if not verdict.passed):
            return True
        within = max((check.within for check, verdict in self._pairs() if not verdict.passed), default=0.0)
        return self._tried_at is not None and time.monotonic() < self._tried_at + patience.scaled(within)

    def _pairs(self) -> list[tuple[Check, Verdict]]:
        return list(zip(self.step.checks, self.verdicts, strict=False))

    @property
    def passes_by_itself(self) -> bool:
        """Whether the step is passed as soon as it `holds`; other steps pass when the learner goes on."""
        match self.step.activity:
            case Read() | Observe():
                return False
            case Shell():
                return bool(self.step.checks)
            case Quiz() | EditConfig() | RunOperation() | Task() | OwnStep():
                return True

    @property
    def _answered(self) -> bool:
        match self.step.activity:
            case Quiz(prediction=prediction):
                return self.answer is not None and (prediction or self.right)
            case _:
                return True

    def missing(self) -> tuple[str, ...]:
        """Return the texts of the checks that do not pass."""
        return tuple(verdict.text for verdict in self.verdicts if not verdict.passed)

    def choose(self, answer: str, right: str | None) -> bool:
        """Record an answer, and return whether it equals `right`. A right answer stays recorded, whatever is tried after it."""
        correct = right is not None and answer == right
        if not self.right:
            self.answer, self.right = answer, correct
        return correct

    # Tries

    def tried(self, *, asked: bool = False) -> None:
        """Record a try: the learner did something that may make the checks pass, or `asked` for the checks."""
        self._tried_at = time.monotonic()
        self._asked = self._asked or asked

    def try_has_failed(self) -> bool:
        """Return, once for each try, whether it has failed and waiting does not help."""
        if self._tried_at is None or self.holds or self.waiting:
            return False
        self._tried_at = None
        return True

    def failed(self) -> bool:
        """Count a failed try; return whether to offer a hint now."""
        self._failures += 1
        due = sum(1 for hint in self._dealt if hint.after_failures <= self._failures)
        offer = due > max(self._hints_given, self._offered)
        self._offered = max(self._offered, due)
        return offer

    @property
    def hints(self) -> int:
        """The number of hints to ask for."""
        return len(self._dealt)

    def hint(self) -> tuple[Hint, int] | None:
        """Return the next hint and its number from 1; None when all have been given."""
        if self._hints_given >= len(self._dealt):
            return None
        self._hints_given += 1
        return self._dealt[self._hints_given - 1], self._hints_given

    def mistake(self, context: CheckContext, *, failed: bool) -> Hint | None:
        """Return the hint for a known mistake that is there at this moment and has not been given yet; None: there is none.

        What may also be the middle of a right sequence of commands counts as a mistake when more tries fail and it is still
        there (`after` of the hint), or when the learner has asked for a check. `failed`: a try has just failed.
        """
        asked = self._asked and failed
        self._asked = self._asked and not failed
        for hint in self._made_for_mistakes:
            if hint.id in self._given or hint.when is None:
                continue
            if not find(hint.when, context).passed:
                self._tries_with.pop(hint.id, None)
                continue
            tries = self._tries_with[hint.id] = self._tries_with.get(hint.id, 0) + failed
            if asked or tries > hint.after_failures or not hint.after_failures:
                self._given.add(hint.id)
                return hint
        return None

    def mended(self, context: CheckContext) -> tuple[Hint, ...]:
        """Return the hints for mistakes that were given and are there no more; each is given again if its mistake is made again."""
        shown = [hint for hint in self._made_for_mistakes if hint.id in self._given]
        gone = tuple(hint for hint in shown if hint.when is None or not find(hint.when, context).passed)
        self._given -= {hint.id for hint in gone}
        return gone

    def leaves_dead_end(self, context: CheckContext) -> bool:
        """Return, once, whether the dead end is behind the learner."""
        if self.dead_end is None or find(self.dead_end.when, context).passed:
            return False
        self.dead_end = None
        return True

    def comes_to_dead_end(self, context: CheckContext) -> DeadEnd | None:
        """Return the dead end that the learner has just reached; None when there is none, or it is the same as before."""
        before, self.dead_end = (
            self.dead_end,
            next((each for each in self.step.dead_ends if find(each.when, context).passed), None),
        )
        return self.dead_end if self.dead_end != before else None


def _told_once(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Return verdicts without the evidence that one before has already: a broken `config.json` fails many checks alike."""
    told: set[Evidence] = set()
    found = []
    for verdict in verdicts:
        new = tuple(each for each in verdict.evidence if verdict.passed or each not in told)
        if not verdict.passed:
            told.update(verdict.evidence)
        found.append(replace(verdict, evidence=new))
    return tuple(found)
