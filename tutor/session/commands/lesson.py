"""The commands that are about the lesson: each a function on the `Play`, by the name in the registry."""

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
    from tutor.session.lesson_run import Play

_TOLD_AT_ONCE = 3


def go_on(play: Play) -> None:
    """`next`: pass what passes by going on, and stand at the next step; after the last one the lesson is done."""
    play.catch_up()
    run_checks(play)
    if play.step.id not in play.passed:
        if not play.judge.holds:
            _say_missing(play)
            return
        play.pass_step()
        if play.step.summary:
            return  # the summary is to be read first; the next `next` goes on
    if play.index + 1 < len(play.lesson.steps):
        play.enter(play.index + 1)
    elif play.finished:
        play.finish()
    else:
        left = [step.title for step in play.lesson.steps if step.id not in play.passed]
        play.notice("information", "session.notice.steps_left", steps=" / ".join(left[:_TOLD_AT_ONCE]))


def go_back(play: Play) -> None:
    """`back`: stand at the step before."""
    if play.index == 0:
        play.notice("information", "session.notice.first_step")
        return
    play.enter(play.index - 1)


def check(play: Play) -> None:
    """`check`: run the checks and show every verdict."""
    play.see_state()
    if not play.step.checks:
        key = "answer_first" if isinstance(play.step.action, Quiz) else "nothing_to_check"
        play.notice("information", f"session.notice.{key}")
        return
    run_checks(play, asked=True, tried=True)


def answer(play: Play, *words: str) -> None:
    """`answer CHOICE`, or `answer` and what the question asks for: answer the quiz."""
    quiz = play.step.action
    if not isinstance(quiz, Quiz):
        play.notice("information", "session.notice.no_quiz")
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
    correct = play.judge.choose(given, right_answer(play, quiz))
    if correct and not quiz.choices:
        feedback = ""
    play.say(QuizAnswered(play.step, given, correct, feedback))
    run_checks(play, tried=True)


def right_answer(play: Play, quiz: Quiz) -> str | None:
    """Return the right answer at this moment, asking the kernel where the lesson says so; None where it can't be told.

    A prediction's is told where it can be, and needs none.
    """
    play.see_state()
    if quiz.command:
        output = play.bench.ask(quiz.command, play.state)
        printed = output.stdout.strip()
        if output.status != 0 or not printed:
            play.notice("warning", "session.notice.no_answer_now")
            return None
        return printed
    if quiz.when:
        right = next((name for name, condition in quiz.when if holds_now(play, condition)), None)
        if right is None and not quiz.prediction:
            play.notice("warning", "session.notice.no_answer_now")
        return right
    return quiz.answer


def hint(play: Play) -> None:
    """`hint`: the next hint; when there is none left, what else helps."""
    given = play.judge.hint()
    if given is None:
        key = "no_more_hints" if play.judge.hints else "no_hints"
        play.notice("information", f"session.notice.{key}")
        return
    play.say(HintGiven(given[0], given[1], play.judge.hints))


def reset(play: Play) -> None:
    """`reset`: the step as it begins: `config.json`, the container, and the lab itself where it has ended.

    From a dead end that has a recovery of its own, it is that and no more.
    """
    if play.judge.dead_end is not None and play.judge.dead_end.recovery and play.bench.lab.alive:
        perform(play, play.judge.dead_end.recovery)
        play.judge.dead_end = None
        play.notice("information", "session.notice.recovered")
        run_checks(play)
        return
    if not play.bench.lab.alive:
        play.lay_anew(play.engine)
    play.workspace.prepare(play.index)
    kept = play.workspace.replace(play.workspace.begins_with(play.index))
    try:
        with play.workspace.borrowed():
            play.bench.bring_to(play.index)
    finally:
        play.see_state()
        play.read_config("reset")
    play.passed -= {play.step.id}
    play.solved -= {play.step.id}
    play.begin_step(config=False)
    play.enter(play.index)
    play.notice("information", "session.notice.reset")
    play.say_kept(kept)


def engine(play: Play, name: str = "") -> None:
    """`engine [NAME]`: run the containers with another engine, in a lab laid anew."""
    wanted = next((each for each in ENGINE_NAMES if each == name.casefold()), None)
    if not name:
        play.notice(
            "information", "session.notice.engine", engine=play.engine, known=", ".join(play.lesson.engines)
        )
        return
    if wanted is None or wanted not in play.lesson.engines:
        raise TutorError("session.error.unknown_engine", engine=name, known=", ".join(play.lesson.engines))
    if wanted == play.engine and play.bench.lab.alive:
        play.notice("information", "session.notice.same_engine", engine=wanted)
        return
    find(wanted)  # a missing engine must cost neither the lab nor the container in it
    try:
        play.lay_anew(wanted)
    except TutorError:
        play.bring_back()
        raise
    play.say(EngineChanged(play.engine, play.bench.engine.version))
    play.say_of_docker()
    play.bring_back()
    play.enter(play.index)


def _say_missing(play: Play) -> None:
    if isinstance(play.step.action, Quiz):
        play.notice("information", "session.notice.answer_first")
        return
    missing = "\n".join(f"- {text}" for text in play.judge.missing())
    play.notice("information", "session.notice.not_yet", missing=missing)
