"""What has the focus is in sight, and the keys that the screen names are those that work there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.tui import CONFIG, opened, screen_text, scripted_app, settled
from tutor.session.events import StepEntered
from tutor.tui.widgets.editor import ConfigPane
from tutor.tui.widgets.guide import Guide
from tutor.tui.widgets.quiz import QuizBox

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.tui.screens.lesson import LessonScreen

SIZES = [(80, 24), (120, 40), (200, 60)]
KEYS = (
    "2",
    "x",
    "f5",
    "2",
    "y",
    "f2",
    "3",
    "escape",
    "e",
    "f3",
    "f6",
    "escape",
    "5",
    "f8",
    "2",
    "z",
    "escape",
    "end",
    "n",
)


def hidden_focus(screen: LessonScreen) -> str:
    """Return what has the focus and can't be seen; empty if there is nothing."""
    focused = screen.focused
    if focused is None or focused in screen._compositor.visible_widgets:
        return ""
    return str(focused)


@pytest.mark.parametrize("size", SIZES)
async def test_what_has_the_focus_is_in_sight(tmp_path: Path, size: tuple[int, int]) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        for number, key in enumerate(KEYS):
            await pilot.press(key)
            executed = len([each for each in KEYS[: number + 1] if each.startswith("f") or each == "n"])
            await settled(pilot, lambda executed=executed: len(app.script.executed) == executed)  # type: ignore[misc]  # a bound default
            await settled(pilot, lambda: not screen.bridge.busy)
            await pilot.pause()
            assert hidden_focus(screen) == "", f"after {KEYS[: number + 1]}"
        for other in SIZES:
            await pilot.press("2")
            await pilot.resize_terminal(*other)
            await pilot.pause()
            assert hidden_focus(screen) == "", f"in {other}"
            await pilot.press("escape")


async def test_typing_behind_the_output_is_not_possible(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        await pilot.press("2", "f5")
        await settled(pilot, lambda: "$ runt create" in screen_text(app) and not screen.bridge.busy)
        await pilot.pause()
        await pilot.press("X", "Y")
        assert screen.query_one(ConfigPane).text == CONFIG
        await pilot.press("2", "Z")
        await settled(pilot, lambda: "Z{" in screen_text(app))


async def test_enter_answers_only_what_is_in_sight(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        lesson = app.script.lesson
        assert lesson is not None
        step = next(each for each in lesson.steps if each.kind == "quiz")
        body = "\n\n".join(f"paragraph {number}" for number in range(30))
        app.script.publish(StepEntered(0, replace(step, id="long", body=body), passed=False))
        guide = screen.query_one(Guide)
        await settled(pilot, lambda: "paragraph 1" in screen_text(app) and guide.max_scroll_y > 40)
        await settled(pilot, lambda: list(screen.query(QuizBox)) == [screen.focused])
        await pilot.pause()
        await pilot.press("enter")
        await settled(pilot, lambda: "▸ ( )" in screen_text(app))
        assert app.script.executed == []
        guide.scroll_home(animate=False)
        await settled(pilot, lambda: "paragraph 0" in screen_text(app))
        await pilot.press(*["down"] * 4)
        await settled(pilot, lambda: "paragraph 0" not in screen_text(app))
        assert "paragraph 2" in screen_text(app), "it scrolls the text line by line"


async def test_the_way_on_is_named_by_the_keys_that_work(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, "en")
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        app.script.enter_kind("edit-config")
        await settled(pilot, lambda: "Press 2 to edit config.json" in screen_text(app))
        await pilot.press("2")
        await settled(pilot, lambda: "Edit config.json, save it with Ctrl-S" in screen_text(app))
        app.script.pass_step()
        await settled(pilot, lambda: "Esc n go on" in screen_text(app))
        await pilot.press("escape")
        await settled(pilot, lambda: "Done.  n go on" in screen_text(app))
        await pilot.press("n")
        await settled(pilot, lambda: app.script.executed == ["next"])


async def test_at_80_columns_the_line_of_tabs_names_them_too(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, "en")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        app.script.pass_step()
        await settled(pilot, lambda: "F9 shell  ✓ n" in screen_text(app))
        await pilot.press("2")
        await settled(pilot, lambda: "F9    ✓ Esc n" in screen_text(app))
        for width in range(81, 86):
            await pilot.resize_terminal(width, 24)
            await settled(pilot, lambda: " ✓ Esc n" in screen_text(app).splitlines()[1])


async def test_while_the_terminal_is_too_small_only_quitting_works(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, "en")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press("2")
        await pilot.resize_terminal(79, 20)
        await settled(pilot, lambda: "79 columns by 20 rows" in screen_text(app))
        await pilot.press("x", "f5", "escape", "n", "colon", "question_mark", "ctrl+p")
        assert app.script.executed == []
        assert app.screen is screen
        assert screen.query_one(ConfigPane).text == CONFIG
        await pilot.resize_terminal(60, 10)
        await settled(pilot, lambda: "60 columns by 10 rows" in screen_text(app))
        screen.query_one(ConfigPane).area.insert(" ")
        await pilot.resize_terminal(40, 10)
        await pilot.press("q")
        await settled(pilot, lambda: "Save (y)" in screen_text(app))
        assert "Don't save (d)" in screen_text(app)
        assert "Keep editing (n)" in screen_text(app)
        await pilot.press("d")
        await settled(pilot, lambda: app.return_code == 0)
