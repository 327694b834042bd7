"""The lesson screen: tasks, typed answers, hints for mistakes, explained errors; and free play on top of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input

from tests.support.tui import ScriptedApp, opened, screen_text, scripted_app, settled
from tutor.course.course import Course
from tutor.course.model import Condition, Hint, Quiz, Task
from tutor.engines.model import Call, CallResult, ContainerState
from tutor.messages import LANGUAGES, Messages
from tutor.repl.render import Renderer
from tutor.session.events import (
    CommandFinished,
    CommandStarted,
    Explained,
    HintGiven,
    HintOffered,
    Notice,
    Output,
    QuizAnswered,
    StateChanged,
)
from tutor.tui.screens.dialogs import AskText
from tutor.tui.screens.home import HomeScreen
from tutor.tui.screens.lesson import LessonScreen
from tutor.tui.widgets.guide import Guide
from tutor.tui.widgets.quiz import TypedAnswer

if TYPE_CHECKING:
    from tutor.course.model import Activity
    from tutor.messages import Language

SIZE = (80, 24)


def _app(tmp_path: Path, activity: Activity, kind: Any, *hints: Hint) -> ScriptedApp:
    """The app on a lesson of one step, in which `action` is to be done."""
    app = scripted_app(tmp_path)
    lesson = app._course.lessons[0]
    step = replace(lesson.steps[0], kind=kind, activity=activity, checks=(), hints=hints)
    app._course = replace(app._course, lessons=(replace(lesson, steps=(step,)),))
    return app


async def test_an_answer_is_typed_and_the_keys_work_until_then(tmp_path: Path) -> None:
    quiz = Quiz("いくつありますか", (), command="echo 3", feedback="数え直してください")
    app = _app(tmp_path, quiz, "quiz")
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(pilot)
        await settled(pilot, lambda: "a 答える" in screen_text(app))
        await pilot.press("4")  # a key still, not an answer
        await settled(pilot, lambda: screen.panes.panel == "namespaces")
        await pilot.press("a")
        await settled(pilot, lambda: isinstance(app.focused, Input) and screen.panes.panel == "guide")
        assert "^s" not in screen_text(app)  # there is nothing to save here
        await pilot.press(*"it's 4", "enter")
        await settled(pilot, lambda: app.script.executed != [])
        assert app.script.executed == ["""answer 'it'"'"'s 4'"""]
        assert screen.view.step is not None
        app.script.publish(QuizAnswered(screen.view.step, "it's 4", correct=False, feedback=quiz.feedback))
        await settled(pilot, lambda: "数え直してください" in screen_text(app))
        app.script.publish(QuizAnswered(screen.view.step, "3", correct=True, feedback=""))
        await settled(pilot, lambda: not isinstance(app.focused, Input))  # `n` goes on
        assert screen.query_one(TypedAnswer).input.value == "3"


async def test_a_task_says_what_to_do_and_a_mistake_brings_its_hint(tmp_path: Path) -> None:
    hints = (
        Hint("順に試します", id="asked"),
        Hint("コンマが足りません", id="comma", when=Condition("state", {"is": ("none",)})),
        Hint("綴りが違います", id="name", when=Condition("state", {"is": ("none",)})),
    )
    app = _app(tmp_path, Task((), ("runt list",), panel="mounts"), "task", *hints)
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(pilot)
        await settled(pilot, lambda: "やり方は自由" in screen_text(app))
        assert "$ runt list" in screen_text(app)
        assert screen.query_one("#mounts").has_class("-wanted")
        await pilot.press("3")
        for hint in hints[1:]:
            app.script.publish(HintGiven(hint, 0, 1, for_mistake=True))
        await settled(pilot, lambda: "端末      ! 1" in screen_text(app))  # in every pane
        await pilot.press("1")
        await settled(pilot, lambda: "コンマが足りません" in screen_text(app))
        assert "綴りが違います" in screen_text(app)
        app.script.publish(HintOffered(1))
        await settled(
            pilot, lambda: "h を押すと" in screen_text(app)
        )  # they are not counted among the hints to ask for
        app.script.publish(HintGiven(hints[0], 1, 1))
        await settled(pilot, lambda: "ヒント 1/1  順に試します" in screen_text(app))
        assert "h を押すと" not in screen_text(app)


@pytest.mark.parametrize("size", [SIZE, (200, 60)])
async def test_an_error_is_explained_below_its_command(tmp_path: Path, size: tuple[int, int]) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        app.script.call("create", printed="boom", code=1)
        call = Call(1, ("runt", "create"), "runt create alpine-test", "/")
        told = Explained(
            call, "x", "綴りの誤りです", "keyが違うからです", "直します", "~/config.json:3:5", "/process/args"
        )
        app.script.publish(told)
        await settled(pilot, lambda: "▲ 綴りの誤りです" in screen_text(app))
        shown = screen_text(app)
        assert shown.count("綴りの誤りです") == 2  # in the line that is always in sight, too
        assert "~/config.json:3:5  /process/args" in shown
        assert "▸ 直します" in shown
        assert ("keyが違うからです" in shown) == (size != SIZE)


async def test_late_output_stands_under_its_own_command(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(pilot)
        calls = [Call(number, (), f"runt state {number}", "/") for number in (1, 2)]
        for call in calls:
            app.script.publish(CommandStarted(call))
            app.script.publish(CommandFinished(CallResult(call, 1, 0.1, "", "")))
        for call in calls:
            app.script.publish(Output(call, "stderr", f"said by {call.id}\n"))
        await settled(pilot, lambda: len(screen.view.runs) == 2 and bool(screen.view.runs[1].chunks))
        assert [run.chunks for run in screen.view.runs] == [
            [("stderr", "said by 1\n")],
            [("stderr", "said by 2\n")],
        ]


async def test_the_output_stays_at_its_end_when_something_is_said_below(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("3")
        app.script.call("state", printed="".join(f"line {number}\n" for number in range(40)))
        await settled(pilot, lambda: "line 39" in screen_text(app))
        app.script.publish(Notice("warning", "a dead end", "why", "what now"))
        await settled(pilot, lambda: "what now" in screen_text(app) and "line 39" in screen_text(app))
        app.script.call("list", printed="the newest\n")
        await settled(pilot, lambda: screen_text(app).count("the newest") == 2)
        await pilot.press("pageup")
        await settled(pilot, lambda: "line 20" in screen_text(app))
        app.script.publish(Notice("warning", "a dead end", "why", "what now"))
        await settled(pilot, lambda: "what now" in screen_text(app))
        assert "line 20" in screen_text(app)  # the learner is reading


async def test_a_long_command_takes_one_line_where_it_is_always_in_sight(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        for number, typed in enumerate(("echo " + "long " * 30, "for each in a b; do\n  echo $each\ndone\n")):
            call = Call(number, (), typed, "/")
            app.script.publish(CommandStarted(call))
            app.script.publish(Output(call, "stdout", f"printed {number}\n"))
            app.script.publish(CommandFinished(CallResult(call, 0, 0.02, "", "")))
            await settled(pilot, lambda number=number: f"printed {number}" in screen_text(app))  # type: ignore[misc]  # mypy knows no defaults of lambdas
            command, printed = screen_text(app).splitlines()[-5:-3]
            assert command.startswith(f" $ {typed[:8]}")
            assert "…" in command
            assert command.rstrip().endswith("0.02 s")
            assert printed.strip() == f"printed {number}"


async def test_a_paused_container_has_its_place_in_the_life(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        app.script.publish(StateChanged(ContainerState("x", "paused", 1, "/"), ("kill", "resume")))
        await settled(pilot, lambda: "○ running ⇄  ● paused" in screen_text(app))
        assert "kill resume" in screen_text(app)


async def test_free_play_covers_the_lesson_and_leaves_it_as_it_was(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        lesson = await opened(pilot)
        app.script.enter(3)
        await settled(pilot, lambda: lesson.view.index == 3)
        await pilot.press("colon", *"play /tmp/x y", "enter")
        await settled(pilot, lambda: "引数が多すぎます" in screen_text(app))
        await pilot.press("colon", *"play '/tmp/x y'", "enter")
        await settled(pilot, lambda: app.screen is not lesson and isinstance(app.screen, LessonScreen))
        await opened(pilot)
        assert app.scripts[1].played == [Path("/tmp/x y")]
        shown = screen_text(app)
        assert "自由に試す" in shown
        assert "手順" not in shown
        assert "0 戻る" in shown
        assert "q 終了" not in shown
        assert "n 次へ" not in shown
        await pilot.press("n")
        assert app.scripts[1].executed == []
        app.scripts[0].pass_step()  # the screen below takes the events of its own lesson
        await pilot.press("q")
        await settled(pilot, lambda: app.screen is lesson)
        await settled(pilot, lambda: lesson.view.step_passed)
        assert lesson.view.index == 3
        assert app.scripts[1].closed == 1
        assert app.scripts[0].closed == 0


async def test_free_play_from_the_list_asks_which_bundle(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, lesson_id=None)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("p")
        await settled(pilot, lambda: isinstance(app.screen, AskText))
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("p", "enter")
        await opened(pilot)
        assert app.script.played == [None]  # a new one
        await pilot.press("0")
        await settled(pilot, lambda: isinstance(app.screen, HomeScreen))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_step_of_the_course_is_laid_out(tmp_path: Path, language: Language) -> None:
    """For each kind, and each operation, in each face."""
    app = scripted_app(tmp_path, language)
    renderer = Renderer(Messages(language), 80)
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(pilot)
        guide = screen.query_one(Guide)
        for lesson in Course.load(language).lessons:
            for step in lesson.steps:
                screen.view.lesson, screen.view.step = lesson, step
                assert list(guide._parts(step))
                assert renderer.step(0, step)
