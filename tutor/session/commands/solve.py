"""`solve`: show the solution and apply it; the progress says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.model import EditConfig, Observe, Quiz, Read, RunOperation, Shell, Task
from tutor.engines.lifecycle import status_of
from tutor.session.commands.lesson import answer, reset, right_answer
from tutor.session.doing import perform
from tutor.session.progression import check as run_checks

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.session.lesson_run import Play

_LAST_WORDS_SECONDS = 1.0


def solve(play: Play) -> None:
    """`solve`: show the solution and apply it; the progress says so."""
    action = play.step.action
    if isinstance(action, Read | Observe) or (isinstance(action, Shell) and not action.solution):
        play.notice("information", "session.notice.nothing_to_solve")
        return
    if play.step.id not in play.passed:
        play.solved |= {play.step.id}
    _apply(play)
    run_checks(play, tried=True)
    play.save()


def _apply(play: Play) -> None:
    match play.step.action:
        case EditConfig(file="config.json", solution=solution):
            _bring_if_unfit(play)
            kept = play.workspace.replace(solution)
            play.read_config("solution")
            play.notice("information", "session.notice.solution_written", path=play.workspace.config)
            play.say_kept(kept)
        case EditConfig(file=file, solution=solution):
            play.workspace.write_file(file, solution)
            play.notice("information", "session.notice.solution_written", path=play.workspace.bundle / file)
        case RunOperation(operation=operation, arguments=arguments):
            _do_or_begin_anew(play, lambda: play.operate(operation, *arguments))
        case Task(solution=deeds):
            _do_or_begin_anew(play, lambda: perform(play, deeds))
        case Shell(solution=lines):
            for line in lines:
                play.bench.script(line)
            play.see_config("solution")
            play.see_state()
        case Quiz(choices=choices) as quiz:
            right = right_answer(play, quiz) or (choices[0].id if quiz.prediction else None)
            if right is not None:
                answer(play, right)
        case _:
            return


def _do_or_begin_anew(play: Play, do: Callable[[], object]) -> None:
    """Do it; where that does not lead there, the learner's own work may be what stands in the way: reset, and do it again."""
    _bring_if_unfit(play)
    do()
    _settle(play)
    if not play.judge.holds and not play.judge.waiting and play.step.id not in play.passed:
        reset(play)
        play.solved |= {play.step.id}
        do()
        _settle(play)


def _settle(play: Play) -> None:
    """Let what an operation sets going come to its end, where the step waits for that (an `echo` that prints and exits)."""
    following = play.lesson.steps[min(play.index + 1, len(play.lesson.steps) - 1)].requires
    # A container never goes away by itself: that state is there at once, or the next step brings it about.
    state = play.bench.query() if following == "none" else play.bench.await_status(following)
    if state is not None and state.status == "stopped":
        play.bench.drain(_LAST_WORDS_SECONDS)
    play.see_state()
    run_checks(play)


def _bring_if_unfit(play: Play) -> None:
    if status_of(play.state) != play.step.requires:
        play.bring_back()
        play.calls.begin_step()
