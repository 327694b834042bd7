"""`solve`: show the solution, apply it, and record in the progress that it was applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor import patience
from tutor.course.model import Define, EditConfig, Observe, OwnStep, Quiz, Read, RunOperation, Shell, Task
from tutor.engines.lifecycle import status_of
from tutor.own_steps.exercises import exercise as functions_of
from tutor.session.commands.lesson import reset
from tutor.session.progression import answer, bring_back, check, define, operate, perform, right_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.session.lesson_run import LessonRun

_LAST_WORDS_SECONDS = 1.0


def solve(run: LessonRun) -> None:
    """`solve`: show the solution, apply it, and record in the progress that it was applied."""
    activity = run.step.activity
    if isinstance(activity, Read | Observe) or (isinstance(activity, Shell) and not activity.solution):
        run.notice("information", "session.notice.nothing_to_solve")
        return
    if run.step.id not in run.passed:
        run.solved |= {run.step.id}
    _apply(run)
    check(run, tried=True)
    run.save()


def _apply(run: LessonRun) -> None:
    match run.step.activity:
        case EditConfig(file="config.json", solution=solution):
            _bring_if_unfit(run)
            kept = run.workspace.replace(solution)
            run.read_config("solution")
            run.notice("information", "session.notice.solution_written", path=run.workspace.config)
            run.report_kept(kept)
        case EditConfig(file=file, solution=solution):
            run.workspace.write_file(file, solution)
            run.notice("information", "session.notice.solution_written", path=run.workspace.bundle / file)
        case RunOperation(operation=operation, arguments=arguments):
            _try_and_reset(run, lambda: operate(run, operation, *arguments))
        case Task(solution=actions):
            _try_and_reset(run, lambda: perform(run, actions))
        case OwnStep(exercise=exercise):
            define(run, Define(reference=functions_of(exercise).functions))
        case Shell(solution=lines):
            for line in lines:
                run.container.script(line)
            run.reread_config("solution")
            run.update_state()
        case Quiz(choices=choices) as quiz:
            right = right_answer(run, quiz) or (choices[0].id if quiz.prediction else None)
            if right is not None:
                answer(run, right)
        case _:
            return


def _try_and_reset(run: LessonRun, do: Callable[[], object]) -> None:
    """Apply a solution; if it does not pass, the learner's own changes may be the reason: reset, and apply it again."""
    _bring_if_unfit(run)
    do()
    _settle(run)
    if not run.grader.holds and not run.grader.waiting and run.step.id not in run.passed:
        reset(run)
        run.solved |= {run.step.id}
        do()
        _settle(run)


def _settle(run: LessonRun) -> None:
    """Wait for the effects of a solution that the next step requires (an `echo` that prints and exits)."""
    following = run.lesson.steps[min(run.index + 1, len(run.lesson.steps) - 1)].requires
    # A container is never deleted by itself: there is none at once, or the next step sees to it.
    state = run.container.query() if following == "none" else run.container.await_status(following)
    if state is not None and state.status == "stopped":
        run.container.drain(patience.scaled(_LAST_WORDS_SECONDS))
    run.update_state()
    check(run)


def _bring_if_unfit(run: LessonRun) -> None:
    if status_of(run.state) != run.step.requires:
        bring_back(run)
        run.calls.begin_step()
