"""Running the present step's checks, and what follows from them: the step is passed, or help is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.checks import CheckContext, find
from tutor.session.events import Checked, HintGiven, HintOffered

if TYPE_CHECKING:
    from tutor.course.model import Condition
    from tutor.session.lesson_run import LessonRun


def check(run: LessonRun, *, asked: bool = False, tried: bool = False) -> None:
    """Run the present step's checks; `tried`: the learner has just done something that might have done it."""
    grader, before = run.grader, run.grader.verdicts
    if tried:
        grader.tried()
    asks = bool(run.step.checks or run.step.hints or run.step.dead_ends)
    context = run.context() if asks else None
    verdicts = grader.look(context) if context else ()
    holds = grader.holds
    if asked or verdicts != before:
        run.say(Checked(run.step, verdicts, holds, asked))
    if holds:
        if grader.passes_by_itself:
            run.pass_step()
        return
    failed = grader.try_has_failed()
    if context is not None and (failed or (before and verdicts != before)):
        _help(run, context)
    if failed and grader.failed():
        run.say(HintOffered(grader.hints))


def _help(run: LessonRun, context: CheckContext) -> None:
    """Give the hint made for what went wrong, and say so where the step can't be done any more."""
    hint = run.grader.mistake(context)
    if hint is not None:
        run.say(HintGiven(hint, 0, run.grader.hints, for_mistake=True))
    dead_end = run.grader.comes_to_dead_end(context)
    if dead_end is not None:
        run.notice("warning", "session.notice.dead_end", text=dead_end.text)


def holds_now(run: LessonRun, condition: Condition) -> bool:
    """Tell whether a condition holds; the container's state is asked for anew."""
    run.see_state()
    return find(condition, run.context()).passed
