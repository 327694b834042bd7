"""The course of a lesson: how a step begins, when it is passed, which hint is due, and which step comes next.

These are functions on a `LessonRun`, which holds the state. The learner's commands call them; they call no command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.checks import CheckContext, find
from tutor.course.model import OwnStep, Quiz, RunOperation, Task
from tutor.engines.lifecycle import status_of
from tutor.errors import TutorError
from tutor.session.actions import ActionRunner
from tutor.session.events import (
    Checked,
    HintEnded,
    HintGiven,
    HintOffered,
    LessonFinished,
    NoticeEnded,
    QuizAnswered,
    StepEntered,
    StepPassed,
)
from tutor.session.explanation import Circumstances, explain_call
from tutor.session.grader import Grader
from tutor.session.recording import Recording
from tutor.session.replay import bring_to, set_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.course.model import Action, Condition, Define, Operation
    from tutor.engines.model import CallResult, ContainerState
    from tutor.session.lesson_run import LessonRun


# The beginning and the end of a lesson and its steps


def begin(run: LessonRun) -> None:
    """Publish everything that is known when a lesson was opened, and begin the present step."""
    run.publish_opened()
    run.read_config("opened")
    run.watch()
    bring_back(run)
    if run.resumed and run.step.id not in run.passed:
        # Its config.json is the learner's by now; what the step's setup made in the lab before is gone.
        begin_step(run, config=False)
    enter(run, run.index)


def bring_back(run: LessonRun) -> None:
    """Bring the container to the state in which the present step begins; keep the learner's `config.json`.

    Report a failure and go on: the learner may read, and `reset`.
    """
    to_replay = any(step.replay for step in run.lesson.steps[: run.index])
    if run.step.requires != "none" or run.state is not None or to_replay:
        try:
            replay(run)
        except TutorError as error:
            run.report(error)
        run.mark_config_read()
    run.update_state()


def replay(run: LessonRun) -> None:
    """Bring the container to the state in which the present step begins; keep the learner's `config.json`.

    Raises:
        TutorError: the state was not reached.
    """
    actions = _action_runner(run, run.workspace.write)
    with run.workspace.restoring_config():
        bring_to(run.index, run.to_execute.steps, run.container, run.workspace, actions.run)


def begin_step(run: LessonRun, *, config: bool = True) -> None:
    """Set up the present step: write the `config.json` that it begins with (`config`), and run its setup lines.

    Report a failure and go on: the learner may read, and `reset`.
    """
    run.begun.add(run.step.id)
    try:
        if config and run.step.begins is not None:
            kept = run.workspace.replace(run.step.begins)
            run.read_config("reset")
            run.report_kept(kept)
        match run.step.activity:
            case OwnStep(exercise=exercise) if run.own is not None and run.own.begin_exercise(exercise):
                run.read_config("reset")
        if run.step.setup:
            set_up(run.step, run.container)
            run.update_state()
    except TutorError as error:
        run.report(error)


def enter(run: LessonRun, index: int) -> None:
    """Make a step the present one."""
    run.index = index
    run.grader = Grader(run.step)
    run.calls.begin_step()
    run.publish(StepEntered(index, run.step, run.step.id in run.passed))
    if run.step.id not in run.passed and run.step.id not in run.begun:
        begin_step(run)
    if run.read_only is not None:
        _show_recording(run)
    run.save()  # after StepEntered, at which faces put away earlier notices
    run.catch_up()
    check(run)
    if run.step.id not in run.passed and status_of(run.state) != run.step.requires:
        _report_unfit(run)


def _show_recording(run: LessonRun) -> None:
    recording = Recording(run.to_execute, run.engine)
    if recording.has(run.step.id):
        run.notice("information", "session.read_only.recorded")
        recording.play(run.step.id, run.publish)


def pass_step(run: LessonRun) -> None:
    """Record that the present step is passed; do nothing when it was before."""
    if run.step.id in run.passed:
        return
    run.passed |= {run.step.id}
    if run.step.id in run.only_read:
        run.read |= {run.step.id}
    run.save()
    run.publish(StepPassed(run.index, run.step, "solution" if run.step.id in run.solved else "learner"))


def finish(run: LessonRun) -> None:
    """Publish that the lesson is finished."""
    run.save()
    run.publish(LessonFinished(run.lesson, len(run.solved)))
    if run.read:
        key = "finished" if run.read_only is not None else "some"
        run.notice("information", f"session.read_only.{key}", count=len(run.read))


# Checks


def refresh(run: LessonRun) -> None:
    """Look whether anything has changed without a command: the container, `config.json`, output."""
    if not run.container.lab.alive:
        if run.state is not None:
            run.update_state()
            run.report(TutorError("session.error.lab_ended"))
        return
    before = run.state
    run.catch_up()
    run.reread_config("outside")
    check(run)
    warn_if_state_unfit(run, before)


def check(run: LessonRun, *, asked: bool = False, tried: bool = False) -> None:
    """Run the present step's checks; `asked`: the learner asked for it; `tried`: the learner did something that may pass them."""
    grader, before = run.grader, run.grader.verdicts
    if tried:
        grader.tried(asked=asked)
        if run.own is not None:
            run.own.forget_failures()
    asks = bool(run.step.checks or run.step.hints or run.step.dead_ends)
    context = run.context() if asks else None
    verdicts = grader.look(context) if context else ()
    holds = grader.holds
    if context is not None:
        _take_back(run, context)
    if asked or verdicts != before:
        run.publish(Checked(run.step, verdicts, holds, asked))
    if holds:
        if grader.passes_by_itself:
            pass_step(run)
        return
    failed = grader.try_has_failed()
    if context is not None and (failed or (before and verdicts != before)):
        _help(run, context, failed=failed)
    if failed and grader.failed():
        run.publish(HintOffered(grader.hints))


def _help(run: LessonRun, context: CheckContext, *, failed: bool) -> None:
    """Give the hint for a known mistake, and warn where the step can't be done any more."""
    hint = run.grader.mistake(context, failed=failed)
    if hint is not None:
        run.publish(HintGiven(hint, 0, run.grader.hints, for_mistake=True))
    dead_end = run.grader.comes_to_dead_end(context)
    if dead_end is not None:
        run.notice("warning", "session.notice.dead_end", text=dead_end.text)


def _take_back(run: LessonRun, context: CheckContext) -> None:
    """End what was said of a mistake that is mended, and of a dead end that was left."""
    for hint in run.grader.mended(context):
        run.publish(HintEnded(hint))
    if run.grader.leaves_dead_end(context):
        run.publish(NoticeEnded("session.notice.dead_end"))


def holds_now(run: LessonRun, condition: Condition) -> bool:
    """Return whether a condition holds now; ask the engine for the container's state first."""
    run.update_state()
    return find(condition, run.context()).passed


def warn_if_state_unfit(run: LessonRun, before: ContainerState | None) -> None:
    """Warn when the container has just left the state that the step begins with, and the step cannot go on as it describes.

    A task leads through several states by itself, so there only its dead ends warn. And a known dead end has its own warning.
    """
    if isinstance(run.step.activity, Task) or run.grader.dead_end is not None:
        return
    moved = status_of(run.state) not in (status_of(before), run.step.requires)
    if moved and run.step.id not in run.passed and not run.grader.holds:
        _report_unfit(run)


def _report_unfit(run: LessonRun) -> None:
    word = run.messages(f"session.status.{status_of(run.state)}")
    wanted = run.messages(f"session.status.{run.step.requires}")
    run.notice("warning", "session.notice.unfit", found=word, wanted=wanted)


# Commands in the lab


def operate(run: LessonRun, operation: Operation, *arguments: str) -> CallResult:
    """Run one operation, look at the state and the kernel afterwards, and explain a failure."""
    # Where the step asks for the error, no process is to take the terminal.
    asks_for_error = isinstance(run.step.activity, RunOperation) and run.step.activity.fails
    take = None if asks_for_error else run.take_terminal
    result = run.container.run(operation, *arguments, take_terminal=take)
    run.look_again()
    created = [record.stderr for record in run.calls.records() if record.operation == "create"]
    there = Circumstances(run.engine, run.state, "".join(created[-1:]), run.step, run.workspace.bundle)
    explained = explain_call(operation, result, there, run.messages)
    if explained is not None:
        run.publish(explained)
    return result


def perform(run: LessonRun, actions: tuple[Action, ...]) -> None:
    """Run the actions of a solution, a known wrong answer or a recovery; keep a copy of the learner's `config.json`.

    Raises:
        TutorError: see `ActionRunner.run`.
    """

    def write(text: str) -> None:
        kept = run.workspace.replace(text)
        run.read_config("solution")
        run.notice("information", "session.notice.solution_written", path=run.workspace.config)
        run.report_kept(kept)

    _action_runner(run, write).run(actions)
    run.reread_config("solution")  # a shell line may have written it
    run.look_again()


def _action_runner(run: LessonRun, write_config: Callable[[str], None]) -> ActionRunner:
    return ActionRunner(
        run.container,
        run.workspace,
        holds=lambda condition: holds_now(run, condition),
        answer=lambda word: answer(run, word),
        write_config=write_config,
        define=lambda action: define(run, action),
    )


def define(run: LessonRun, action: Define) -> None:
    """Put functions into the learner's own runtime; keep a copy of those that were there.

    Raises:
        SourceError: their file is not Python.
        TutorError: `own.error.*`.
    """
    if run.own is not None:
        kept = run.own.take(action)
        run.read_config("solution")
        run.notice("information", "session.notice.defined", path=run.own.edited_path)
        run.report_kept(kept)


# Questions


def answer(run: LessonRun, *words: str) -> None:
    """Answer the quiz: with the id of a choice, or with the text that the question asks for.

    Raises:
        TutorError: `session.error.unknown_choice`.
    """
    quiz = run.step.activity
    if not isinstance(quiz, Quiz):
        run.notice("information", "session.notice.no_quiz")
        return
    given = " ".join(words).strip()
    if quiz.choices:
        choice = next((each for each in quiz.choices if each.id == given.casefold()), None)
        if choice is None:
            known = ", ".join(each.id for each in quiz.choices)
            raise TutorError("session.error.unknown_choice", choice=given, known=known)
        given, feedback = choice.id, choice.feedback
    else:
        feedback = quiz.feedback
    correct = run.grader.choose(given, right_answer(run, quiz))
    if correct and not quiz.choices:
        feedback = ""
    run.publish(QuizAnswered(run.step, given, correct, feedback))
    check(run, tried=True)


def right_answer(run: LessonRun, quiz: Quiz) -> str | None:
    """Return the right answer at this moment, looking at the kernel where the lesson says so; None where that fails.

    A prediction needs none.
    """
    run.update_state()
    if quiz.command:
        output = run.container.ask(quiz.command, run.state)
        printed = output.stdout.strip()
        if output.status != 0 or not printed:
            run.notice("warning", "session.notice.no_answer_now")
            return None
        return printed
    if quiz.when:
        right = next((name for name, condition in quiz.when if holds_now(run, condition)), None)
        if right is None and not quiz.prediction:
            run.notice("warning", "session.notice.no_answer_now")
        return right
    return quiz.answer
