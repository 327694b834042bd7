"""The commands that are about the lesson: each a function on the `Play`, by the name in the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.model import EditConfig, Observe, Quiz, Read, RunOperation, Shell
from tutor.engines.engine import find
from tutor.engines.model import ENGINE_NAMES
from tutor.errors import TutorError
from tutor.session.bench import status_of
from tutor.session.events import EngineChanged, HintGiven, QuizAnswered

if TYPE_CHECKING:
    from tutor.session.play import Play

_LAST_WORDS_SECONDS = 1.0
_TOLD_AT_ONCE = 3


def go_on(play: Play) -> None:
    """`next`: pass what passes by going on, and stand at the next step; after the last one the lesson is done."""
    play.catch_up()
    play.check()
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
    play.check(asked=True, tried=True)


def answer(play: Play, word: str) -> None:
    """`answer CHOICE`: answer the quiz."""
    quiz = play.step.action
    if not isinstance(quiz, Quiz):
        play.notice("information", "session.notice.no_quiz")
        return
    choice = next((each for each in quiz.choices if each.id == word.casefold()), None)
    if choice is None:
        known = ", ".join(each.id for each in quiz.choices)
        raise TutorError("session.error.unknown_choice", choice=word, known=known)
    correct = play.judge.choose(quiz, choice)
    play.say(QuizAnswered(play.step, choice.id, correct, choice.feedback))
    play.check(tried=True)


def hint(play: Play) -> None:
    """`hint`: the next hint; when there is none left, what else helps."""
    given = play.judge.hint()
    if given is None:
        key = "no_more_hints" if play.step.hints else "no_hints"
        play.notice("information", f"session.notice.{key}")
        return
    play.say(HintGiven(given[0], given[1], len(play.step.hints)))


def solve(play: Play) -> None:
    """`solve`: show the solution and apply it; the progress says so."""
    action = play.step.action
    if isinstance(action, Read | Observe) or (isinstance(action, Shell) and not action.solution):
        play.notice("information", "session.notice.nothing_to_solve")
        return
    if play.step.id not in play.passed:
        play.solved |= {play.step.id}
    match action:
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
            _bring_if_unfit(play)
            play.operate(operation, *arguments)
            _settle(play)
            if not play.judge.holds and play.step.id not in play.passed:
                # The learner's own config.json may be what stands in the way.
                reset(play)
                play.solved |= {play.step.id}
                play.operate(operation, *arguments)
                _settle(play)
        case Quiz(answer=right):
            answer(play, right)
        case Shell(solution=lines):
            for line in lines:
                play.bench.script(line)
            play.see_state()
    play.check()
    play.save()


def reset(play: Play) -> None:
    """`reset`: the step as it begins: `config.json`, the container, and the lab itself where it has ended."""
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
    play.bring_back()
    play.enter(play.index)


def _settle(play: Play) -> None:
    """Let what an operation sets going come to its end, where the step waits for that (an `echo` that prints and exits)."""
    following = play.lesson.steps[min(play.index + 1, len(play.lesson.steps) - 1)].requires
    state = play.bench.await_status(following)
    if state is not None and state.status == "stopped":
        play.bench.drain(_LAST_WORDS_SECONDS)
    play.see_state()
    play.check()


def _bring_if_unfit(play: Play) -> None:
    if status_of(play.state) != play.step.requires:
        play.bring_back()
        play.calls.begin_step()


def _say_missing(play: Play) -> None:
    if isinstance(play.step.action, Quiz):
        play.notice("information", "session.notice.answer_first")
        return
    missing = "\n".join(f"- {text}" for text in play.judge.missing())
    play.notice("information", "session.notice.not_yet", missing=missing)
