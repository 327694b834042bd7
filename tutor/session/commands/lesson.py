"""The commands that are about the lesson: each a function on the `LessonRun`, by the name in the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.model import Quiz
from tutor.engines.engine import find
from tutor.engines.model import ENGINE_NAMES
from tutor.errors import TutorError
from tutor.session.doing import perform
from tutor.session.events import EngineChanged, HintGiven, QuizAnswered
from tutor.session.progression import check as run_checks
from tutor.session.progression import holds_now

if TYPE_CHECKING:
    from tutor.session.lesson_run import LessonRun

_TOLD_AT_ONCE = 3


def go_on(run: LessonRun) -> None:
    """`next`: pass what passes by going on, and stand at the next step; after the last one the lesson is done."""
    run.catch_up()
    run_checks(run)
    if run.step.id not in run.passed:
        if not run.grader.holds:
            _say_missing(run)
            return
        run.pass_step()
        if run.step.summary:
            return  # the summary is to be read first; the next `next` goes on
    if run.index + 1 < len(run.lesson.steps):
        run.enter(run.index + 1)
    elif run.finished:
        run.finish()
    else:
        left = [step.title for step in run.lesson.steps if step.id not in run.passed]
        run.notice("information", "session.notice.steps_left", steps=" / ".join(left[:_TOLD_AT_ONCE]))


def go_back(run: LessonRun) -> None:
    """`back`: stand at the step before."""
    if run.index == 0:
        run.notice("information", "session.notice.first_step")
        return
    run.enter(run.index - 1)


def check(run: LessonRun) -> None:
    """`check`: run the checks and show every verdict."""
    run.see_state()
    if not run.step.checks:
        key = "answer_first" if isinstance(run.step.action, Quiz) else "nothing_to_check"
        run.notice("information", f"session.notice.{key}")
        return
    run_checks(run, asked=True, tried=True)


def answer(run: LessonRun, *words: str) -> None:
    """`answer CHOICE`, or `answer` and what the question asks for: answer the quiz."""
    quiz = run.step.action
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
    run_checks(run, tried=True)


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


def hint(run: LessonRun) -> None:
    """`hint`: the next hint; when there is none left, what else helps."""
    given = run.grader.hint()
    if given is None:
        key = "no_more_hints" if run.grader.hints else "no_hints"
        run.notice("information", f"session.notice.{key}")
        return
    run.say(HintGiven(given[0], given[1], run.grader.hints))


def reset(run: LessonRun) -> None:
    """`reset`: the step as it begins: `config.json`, the container, and the lab itself where it has ended.

    From a dead end that has a recovery of its own, it is that and no more.
    """
    if run.grader.dead_end is not None and run.grader.dead_end.recovery and run.container.lab.alive:
        perform(run, run.grader.dead_end.recovery)
        run.grader.dead_end = None
        run.notice("information", "session.notice.recovered")
        run_checks(run)
        return
    if not run.container.lab.alive:
        run.lay_anew(run.engine)
    run.workspace.prepare(run.index)
    kept = run.workspace.replace(run.workspace.begins_with(run.index))
    try:
        with run.workspace.borrowed():
            run.container.bring_to(run.index)
    finally:
        run.see_state()
        run.read_config("reset")
    run.passed -= {run.step.id}
    run.solved -= {run.step.id}
    run.begin_step(config=False)
    run.enter(run.index)
    run.notice("information", "session.notice.reset")
    run.say_kept(kept)


def engine(run: LessonRun, name: str = "") -> None:
    """`engine [NAME]`: run the containers with another engine, in a lab laid anew."""
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
    find(wanted)  # a missing engine must cost neither the lab nor the container in it
    try:
        run.lay_anew(wanted)
    except TutorError:
        run.bring_back()
        raise
    run.say(EngineChanged(run.engine, run.container.engine.version))
    run.say_of_docker()
    run.bring_back()
    run.enter(run.index)


def _say_missing(run: LessonRun) -> None:
    if isinstance(run.step.action, Quiz):
        run.notice("information", "session.notice.answer_first")
        return
    missing = "\n".join(f"- {text}" for text in run.grader.missing())
    run.notice("information", "session.notice.not_yet", missing=missing)
