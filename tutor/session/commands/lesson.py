"""The commands about the lesson, each a function on a `LessonRun`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.model import OwnStep, Quiz
from tutor.engines.engine import find
from tutor.engines.model import ENGINE_NAMES
from tutor.errors import TutorError
from tutor.session import progression
from tutor.session.events import EngineChanged, HintGiven

if TYPE_CHECKING:
    from tutor.session.lesson_run import LessonRun

_TOLD_AT_ONCE = 3


def go_on(run: LessonRun) -> None:
    """`next`: pass a step that passes by going on, and enter the next step; after the last one finish the lesson.

    Where steps are left, as those of a new version of the lesson may be, enter the first of them.
    """
    run.catch_up()
    progression.check(run)
    if run.step.id not in run.passed:
        if not run.grader.holds:
            _report_missing(run)
            return
        progression.pass_step(run)
        if run.step.summary:
            return  # the learner reads the summary first; another `next` goes on
    if run.index + 1 < len(run.lesson.steps):
        progression.enter(run, run.index + 1)
    elif run.finished:
        progression.finish(run)
    else:
        steps = run.lesson.steps
        left = [index for index, step in enumerate(steps) if step.id not in run.passed]
        progression.enter(run, left[0])
        titles = " / ".join(steps[index].title for index in left[:_TOLD_AT_ONCE])
        run.notice("information", "session.notice.steps_left", steps=titles)


def go_back(run: LessonRun) -> None:
    """`back`: enter the step before."""
    if run.index == 0:
        run.notice("information", "session.notice.first_step")
        return
    progression.enter(run, run.index - 1)


def check(run: LessonRun) -> None:
    """`check`: run the checks and show every verdict."""
    run.update_state()
    if not run.step.checks:
        key = "answer_first" if isinstance(run.step.activity, Quiz) else "nothing_to_check"
        run.notice("information", f"session.notice.{key}")
        return
    progression.check(run, asked=True, tried=True)


def hint(run: LessonRun) -> None:
    """`hint`: give the next hint; when there is none left, say what else helps."""
    given = run.grader.hint()
    if given is None:
        key = "no_more_hints" if run.grader.hints else "no_hints"
        run.notice("information", f"session.notice.{key}")
        return
    run.publish(HintGiven(given[0], given[1], run.grader.hints))


def reset(run: LessonRun) -> None:
    """`reset`: begin the step again, with its `config.json` and its container; start the lab again where it has ended.

    In a dead end that has a recovery, run that and no more.
    """
    if run.grader.dead_end is not None and run.grader.dead_end.recovery and run.container.lab.alive:
        progression.perform(run, run.grader.dead_end.recovery)
        run.grader.dead_end = None
        run.notice("information", "session.notice.recovered")
        progression.check(run)
        return
    if not run.container.lab.alive:
        run.replace_lab(run.engine)
    run.workspace.prepare(run.index)
    kept = run.workspace.replace(run.workspace.begins_with(run.index))
    if isinstance(run.step.activity, OwnStep) and run.own is not None:
        kept = run.own.reset_exercise(run.step.activity.exercise) or kept
    try:
        progression.replay(run)
    finally:
        run.update_state()
        run.read_config("reset")
    run.passed -= {run.step.id}
    run.solved -= {run.step.id}
    progression.begin_step(run, config=False)
    progression.enter(run, run.index)
    run.notice("information", "session.notice.reset")
    run.report_kept(kept)


def engine(run: LessonRun, name: str = "") -> None:
    """`engine [NAME]`: run the containers with another engine, in a new lab."""
    wanted = next((each for each in ENGINE_NAMES if each == name.casefold()), None)
    if not name:
        run.notice(
            "information", "session.notice.engine", engine=run.engine, known=", ".join(run.lesson.engines)
        )
        return
    if wanted is None or wanted not in run.lesson.engines:
        raise TutorError("session.error.unknown_engine", engine=name, known=", ".join(run.lesson.engines))
    if wanted == run.engine and run.container.lab.alive:
        run.notice("information", "session.notice.same_engine", engine=wanted)
        return
    find(wanted)  # raises for a missing engine before the lab is closed
    try:
        run.replace_lab(wanted)
    except TutorError:
        progression.bring_back(run)
        raise
    run.publish(EngineChanged(run.engine, run.container.engine.version))
    run.report_docker()
    progression.bring_back(run)
    progression.enter(run, run.index)


def _report_missing(run: LessonRun) -> None:
    if isinstance(run.step.activity, Quiz):
        run.notice("information", "session.notice.answer_first")
        return
    missing = "\n".join(f"- {text}" for text in run.grader.missing())
    run.notice("information", "session.notice.not_yet", missing=missing)
