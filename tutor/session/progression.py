"""Running the present step's checks, and what follows from them: the step is passed, or help is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.checks import CheckContext, find
from tutor.session.events import Checked, HintGiven, HintOffered

if TYPE_CHECKING:
    from tutor.course.model import Condition
    from tutor.session.lesson_run import Play


def check(play: Play, *, asked: bool = False, tried: bool = False) -> None:
    """Run the present step's checks; `tried`: the learner has just done something that might have done it."""
    judge, before = play.judge, play.judge.verdicts
    if tried:
        judge.tried()
    asks = bool(play.step.checks or play.step.hints or play.step.dead_ends)
    context = play.context() if asks else None
    verdicts = judge.look(context) if context else ()
    holds = judge.holds
    if asked or verdicts != before:
        play.say(Checked(play.step, verdicts, holds, asked))
    if holds:
        if judge.passes_by_itself:
            play.pass_step()
        return
    failed = judge.try_has_failed()
    if context is not None and (failed or (before and verdicts != before)):
        _help(play, context)
    if failed and judge.failed():
        play.say(HintOffered(judge.hints))


def _help(play: Play, context: CheckContext) -> None:
    """Give the hint made for what went wrong, and say so where the step can't be done any more."""
    hint = play.judge.mistake(context)
    if hint is not None:
        play.say(HintGiven(hint, 0, play.judge.hints, for_mistake=True))
    dead_end = play.judge.comes_to_dead_end(context)
    if dead_end is not None:
        play.notice("warning", "session.notice.dead_end", text=dead_end.text)


def holds_now(play: Play, condition: Condition) -> bool:
    """Tell whether a condition holds; the container's state is asked for anew."""
    play.see_state()
    return find(condition, play.context()).passed
