"""What follows from what: how a step begins, what its checks lead to, when it is passed, and what helps where it is not.

Functions on a `LessonRun`, which holds the state. The commands of the learner call them; they call no command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.checks import CheckContext, find
from tutor.course.model import Quiz, Task
from tutor.engines.lifecycle import status_of
from tutor.errors import TutorError
from tutor.session.actions import ActionRunner
from tutor.session.events import (
    Checked,
    HintGiven,
    HintOffered,
    LessonFinished,
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

    from tutor.course.model import Action, Condition, Operation
    from tutor.engines.model import CallResult, ContainerState
    from tutor.session.lesson_run import LessonRun


# Where a lesson and its steps begin and end


def begin(run: LessonRun) -> None:
    """Tell everything that there is when a lesson has been opened, and bring about how the present step begins."""
    run.tell_opened()
    run.read_config("opened")
    run.watch()
    bring_back(run)
    if run.resumed and run.step.id not in run.passed:
        # Its config.json is the learner's by now; what a step lays into the lab is gone with the lab before.
        begin_step(run, config=False)
    enter(run, run.index)


def bring_back(run: LessonRun) -> None:
    """Bring the container to the state in which the present step begins; `config.json` stays the learner's.

    A failure is told and is not the end: the learner reads, and may `reset`.
    """
    to_replay = any(step.replay for step in run.lesson.steps[: run.index])
    if run.step.requires != "none" or run.state is not None or to_replay:
        try:
            replay(run)
        except TutorError as error:
            run.tell(error)
        run.skip_config()
    run.see_state()


def replay(run: LessonRun) -> None:
    """Bring the container to the state in which the present step begins; `config.json` stays the learner's.

    Raises:
        TutorError: it can't be brought there.
    """
    actions = _action_runner(run, run.workspace.write)
    with run.workspace.borrowed():
        bring_to(run.index, run.written.steps, run.container, run.workspace, actions.run)


def begin_step(run: LessonRun, *, config: bool = True) -> None:
    """Bring about how the present step begins: its own `config.json` (`config`) and what it lays into the lab.

    A failure is told and is not the end: the learner reads, and may `reset`.
    """
    run.begun.add(run.step.id)
    try:
        if config and run.step.begins is not None:
            kept = run.workspace.replace(run.step.begins)
            run.read_config("reset")
            run.tell_kept(kept)
        if run.step.setup:
            set_up(run.step, run.container)
            run.see_state()
    except TutorError as error:
        run.tell(error)


def enter(run: LessonRun, index: int) -> None:
    """Stand at a step from now on."""
    run.index = index
    run.grader = Grader(run.step)
    run.calls.begin_step()
    run.say(StepEntered(index, run.step, run.step.id in run.passed))
    if run.step.id not in run.passed and run.step.id not in run.begun:
        begin_step(run)
    if run.read_only is not None:
        _show_recording(run)
    run.save()  # after the step is told: faces put away what was said before
    run.catch_up()
    check(run)
    if run.step.id not in run.passed and status_of(run.state) != run.step.requires:
        _tell_unfit(run)


def _show_recording(run: LessonRun) -> None:
    recording = Recording(run.written, run.engine)
    if recording.has(run.step.id):
        run.notice("information", "session.read_only.recorded")
        recording.play(run.step.id, run.say)


def pass_step(run: LessonRun) -> None:
    """Record that the present step is passed; nothing happens when it was before."""
    if run.step.id in run.passed:
        return
    run.passed |= {run.step.id}
    if run.read_only is not None and run.step.id in run.by_hand:
        run.read |= {run.step.id}
    run.save()
    run.say(StepPassed(run.index, run.step, "solution" if run.step.id in run.solved else "learner"))


def finish(run: LessonRun) -> None:
    """Tell that the lesson is done."""
    run.save()
    run.say(LessonFinished(run.lesson, len(run.solved)))
    if run.read:
        run.notice("information", "session.read_only.finished", count=len(run.read))


# Checks


def refresh(run: LessonRun) -> None:
    """Look whether anything has changed without a command: the container, `config.json`, what was printed."""
    if not run.container.lab.alive:
        if run.state is not None:
            run.see_state()
            run.tell(TutorError("session.error.lab_ended"))
        return
    before = run.state
    run.catch_up()
    run.see_config("outside")
    check(run)
    warn_if_led_away(run, before)


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
            pass_step(run)
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
    """Tell whether a condition holds; the engine is asked for the container's state first."""
    run.see_state()
    return find(condition, run.context()).passed


def warn_if_led_away(run: LessonRun, before: ContainerState | None) -> None:
    """Say so when the container has just come into a state from which the step can't go on as it describes.

    A task leads through several states by itself: there it is for its dead ends to say. And where the lesson knows a dead
    end, that has been said in its own words.
    """
    if isinstance(run.step.activity, Task) or run.grader.dead_end is not None:
        return
    moved = status_of(run.state) not in (status_of(before), run.step.requires)
    if moved and run.step.id not in run.passed and not run.grader.holds:
        _tell_unfit(run)


def _tell_unfit(run: LessonRun) -> None:
    word = run.messages(f"session.status.{status_of(run.state)}")
    wanted = run.messages(f"session.status.{run.step.requires}")
    run.notice("warning", "session.notice.unfit", found=word, wanted=wanted)


# What is done in the lab


def operate(run: LessonRun, operation: Operation, *arguments: str) -> CallResult:
    """Run one operation, look at everything afterwards, and explain it where it has failed."""
    result = run.container.run(operation, *arguments)
    run.look_again()
    created = [record.stderr for record in run.calls.records() if record.operation == "create"]
    there = Circumstances(run.engine, run.state, "".join(created[-1:]), run.step, run.workspace.bundle)
    explained = explain_call(operation, result, there, run.messages)
    if explained is not None:
        run.say(explained)
    return result


def perform(run: LessonRun, actions: tuple[Action, ...]) -> None:
    """Run the actions of a solution, a known wrong answer or a recovery; what of `config.json` was the learner's is kept.

    Raises:
        TutorError: see `ActionRunner.run`.
    """

    def write(text: str) -> None:
        kept = run.workspace.replace(text)
        run.read_config("solution")
        run.notice("information", "session.notice.solution_written", path=run.workspace.config)
        run.tell_kept(kept)

    _action_runner(run, write).run(actions)
    run.see_config("solution")  # a shell line may have written it
    run.look_again()


def _action_runner(run: LessonRun, write_config: Callable[[str], None]) -> ActionRunner:
    return ActionRunner(
        run.container,
        run.workspace,
        holds=lambda condition: holds_now(run, condition),
        answer=lambda word: answer(run, word),
        write_config=write_config,
    )


# Questions


def answer(run: LessonRun, *words: str) -> None:
    """Answer the quiz: with a choice's id, or with what the question asks for.

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
    run.say(QuizAnswered(run.step, given, correct, feedback))
    check(run, tried=True)


def right_answer(run: LessonRun, quiz: Quiz) -> str | None:
    """Return the right answer at this moment, asking the kernel where the lesson says so; None where it can't be told.

    A prediction's is told where it can be, and needs none.
    """
    run.see_state()
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
