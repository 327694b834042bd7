"""The checks of a step with their evidence; that of a check that passes is one line until it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.text.glyphs import FAILED, NOT_YET, PASSED
from tutor.text.long_paths import shortener
from tutor.tui.inline_markdown import inline
from tutor.tui.widgets.rows import folded_row, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.course.checks.verdict import Evidence, Verdict
    from tutor.course.model import Check, Step
    from tutor.messages import Messages
    from tutor.tui.widgets.rows import Row
    from tutor.view.lesson_view import LessonView


class Verdicts:
    """Makes the rows of the checks.

    Attributes:
        is_open: whether the evidence of what passes is shown whole.
        can_fold: whether there is any such evidence now.
        commands: the commands that show evidence again, those of folded evidence, too.
    """

    def __init__(self, view: LessonView, messages: Messages) -> None:
        self._view = view
        self._messages = messages
        self.is_open = self.can_fold = False
        self.commands: tuple[str, ...] = ()

    def rows(self, step: Step) -> list[Row]:
        """Return the rows of all checks of a step."""
        verdicts = {verdict.check_id: verdict for verdict in self._view.verdicts}
        evidence = [each for verdict in self._view.verdicts for each in verdict.evidence]
        shorten = shortener(text for each in evidence for text in (each.looked_at, each.found, each.command))
        self.can_fold, self.commands = False, ()
        return [line for check in step.checks for line in self._check(check, verdicts.get(check.id), shorten)]

    def _check(self, check: Check, verdict: Verdict | None, shorten: Callable[[str], str]) -> list[Row]:
        """Return one check; one that the learner has not tried yet is shown as open, not as failed."""
        if self._view.step_passed and (verdict is None or not (verdict.passed or self._view.tried)):
            return [row((f"{PASSED} ", "bold $text-success"), inline(check.text))]
        if verdict is None or not (verdict.passed or self._view.tried):
            return [row((f"{NOT_YET} ", "$text-muted"), inline(check.text))]
        if verdict.passed:
            lines = [row((f"{PASSED} ", "bold $text-success"), inline(verdict.text))]
        else:
            lines = [row((f"{FAILED} ", "bold $text-error"), inline(verdict.text, "bold"))]
        if verdict.passed and verdict.evidence:
            self.can_fold = True
            if not self.is_open:
                return [*lines, self._folded(verdict.evidence, shorten)]
        for evidence in verdict.evidence:
            lines += self._evidence(evidence, shorten, passed=verdict.passed)
        return lines

    def _folded(self, evidence: tuple[Evidence, ...], shorten: Callable[[str], str]) -> Row:
        for each in evidence:
            self._note(each.command)
        first, more = evidence[0], len(evidence) - 1
        said = f"{shorten(first.looked_at)} → {shorten(first.found)}"
        return folded_row("    ", (said, "$text-muted"), tail=f" +{more}" if more else "")

    def _evidence(self, evidence: Evidence, shorten: Callable[[str], str], *, passed: bool) -> list[Row]:
        m = self._messages
        # The command below has the paths as they are.
        looked_at = shorten(evidence.looked_at) if evidence.command else evidence.looked_at
        lines = [row("    ", (f"{looked_at} → {evidence.found}", "$text-muted"))]
        if not passed:
            lines.append(row("    ", (m("tui.guide.expected", expected=evidence.expected), "$text-error")))
        if self._note(evidence.command):
            lines.append(row(("    $ ", "$text-muted"), (evidence.command, "$text-primary")))
        return lines

    def _note(self, command: str) -> bool:
        """Keep a command; return False where it was shown already: checks of the same thing show their command once."""
        new = bool(command) and command not in self.commands
        if new:
            self.commands = (*self.commands, command)
        return new
