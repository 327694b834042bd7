"""The editor of config.json, with the keys typed: pairs, completion, help, format, find, problems, undo, differences, snippets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from textual.events import Key, Paste
from textual.widgets import Static

from tests.support.tui import CONFIG, opened, screen_text, scripted_app, settled
from tutor.course.model import EditConfig
from tutor.session.events import ConfigChanged
from tutor.tui.key_order import Typed
from tutor.tui.keyboard import Keyboard
from tutor.tui.screens.dialogs import Help
from tutor.tui.screens.diff import DiffScreen
from tutor.tui.screens.member_help import MemberHelp
from tutor.tui.widgets.completion_list import CompletionList
from tutor.tui.widgets.editor import ConfigPane
from tutor.tui.widgets.guide import Guide

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.tui import ScriptedApp
    from tutor.messages import Language
    from tutor.tui.screens.lesson import LessonScreen

SMALL, MEDIUM, LARGE = (80, 24), (120, 40), (200, 60)
HOME, END, DOWN, ESCAPE, BSPACE, F1 = "\x1b[1;5H", "\x1b[F", "\x1b[B", "\x1b", "\x7f", "\x1bOP"
FORMAT, FIND, PROBLEM, DIFF, UNDO, REDO, COMPLETE, SAVE = (
    "\x0f",
    "\x06",
    "\x0e",
    "\x12",
    "\x1a",
    "\x19",
    "\x00",
    "\x13",
)


def typed(app: ScriptedApp, sent: str) -> None:
    """Send keys as a terminal does, all at once."""
    keys = [each for each in Keyboard().feed(sent) if isinstance(each, Key | Paste)]
    if sent.endswith(ESCAPE):  # behind which more could come
        keys.append(Key("escape", ESCAPE))
    app.post_message(Typed(keys))


def pane_of(screen: LessonScreen) -> ConfigPane:
    return screen.query_one(ConfigPane)


def labels(screen: LessonScreen) -> list[str]:
    return screen.query_one(CompletionList).labels


async def test_pairs_and_indentation_in_a_burst(tmp_path: Path) -> None:
    """Keys at once make what they make one by one; Backspace takes back, undo and redo go step by step, a paste stays as it is."""
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        pane = pane_of(screen)
        line = f'2{HOME}{DOWN}{END}\r"mounts": [{{"destination": "/名前"}},{BSPACE}],'
        typed(app, line)
        await settled(pilot, lambda: '\n  "mounts": [{"destination": "/名前"}],\n  "process"' in pane.text)
        assert json.loads(pane.text)["mounts"] == [{"destination": "/名前"}]
        before = pane.text
        typed(app, f'\r"x{BSPACE}{BSPACE}{{[{BSPACE}{BSPACE}')
        await settled(pilot, lambda: pane.text == before.replace("}],\n", "}],\n  \n"))
        app.post_message(Paste('{"a": [\n"b"'))
        await settled(pilot, lambda: '  {"a": [\n"b"\n' in pane.text)
        typed(app, UNDO)
        await settled(pilot, lambda: '{"a"' not in pane.text)
        typed(app, REDO)
        await settled(pilot, lambda: '  {"a": [\n"b"\n' in pane.text)
        typed(app, UNDO * 80)
        await settled(pilot, lambda: pane.text == CONFIG)
        typed(app, f"{ESCAPE}n")
        await settled(pilot, lambda: app.script.executed == ["next"])


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_completion_beside_the_line_that_is_typed(tmp_path: Path, size: tuple[int, int]) -> None:
    app = scripted_app(tmp_path, "en" if size == LARGE else "ja")
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        pane, popup = pane_of(screen), screen.query_one(CompletionList)
        typed(app, f'2{HOME}{DOWN * 3}{END}\r"cap')
        await settled(
            pilot,
            lambda: labels(screen) == ["capabilities"] and "config.md#linux-process" in screen_text(app),
        )
        await settled(pilot, lambda: '"cap"' in screen_text(app))  # the line that is typed is in sight
        assert ("capability" if size == SMALL else "powers of root") in screen_text(app)
        typed(app, '\t"b\t"chown')
        await settled(pilot, lambda: labels(screen) == ["CAP_CHOWN"])
        typed(app, f"\t{END}")
        await settled(pilot, lambda: '"capabilities": {"bounding": ["CAP_CHOWN"]},\n    "user"' in pane.text)
        json.loads(pane.text)
        # What is offered while typing takes no key but Tab: Enter is a line end, Esc leaves the editor.
        typed(app, '\r"no')
        await settled(pilot, lambda: labels(screen)[:1] == ["noNewPrivileges"])
        typed(app, "\r")
        await settled(pilot, lambda: not popup.is_open and '"no\n' in pane.text)
        typed(app, UNDO)
        await settled(pilot, lambda: '"no"' in pane.text)
        # What was asked for, or gone down in, takes Enter, and Esc only closes it.
        typed(app, f"{BSPACE * 3}{COMPLETE}{DOWN}")
        await settled(pilot, lambda: popup.is_open and popup.chosen and len(labels(screen)) > 10)
        assert "capabilities" not in labels(screen)
        assert popup.region.bottom <= size[1]
        assert not popup.region.contains(*pane.area.cursor_screen_offset)
        typed(app, ESCAPE)
        await settled(pilot, lambda: not popup.is_open and screen.focused is pane.area)
        typed(app, f'"term{DOWN}\rf\t,')
        await settled(
            pilot, lambda: '"noNewPrivileges"' not in pane.text and '"terminal": false,' in pane.text
        )
        # In the last line of the pane there is no room below.
        app.script.change_outside("{\n" + '  "hostname": "x",\n' * 70 + "  \n}\n")
        await settled(pilot, lambda: type(app.screen).__name__ == "Ask")
        await pilot.press("y")
        await settled(pilot, lambda: pane.text.startswith('{\n  "hostname"'))
        area = pane.area
        area.move_cursor((area.scroll_offset.y + area.size.height - 1, 2))
        typed(app, '"l')
        await settled(pilot, lambda: "linux" in labels(screen) and popup.region.height > 0)
        cursor = area.cursor_screen_offset
        assert popup.region.bottom <= size[1]
        assert not popup.region.y <= cursor.y < popup.region.bottom
        typed(app, "\x1b[D")
        await settled(pilot, lambda: not popup.is_open)


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_help_find_format_and_problems(tmp_path: Path, language: Language) -> None:
    app = scripted_app(tmp_path, language)
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        pane = pane_of(screen)
        typed(app, f"2{FIND}ALPINE")
        await settled(pilot, lambda: pane.area.selected_text == "alpine")
        assert "1" in str(screen.query_one("#find-line .find-count", Static).render())
        typed(app, f"{ESCAPE}{F1}")
        await settled(pilot, lambda: isinstance(app.screen, MemberHelp))
        await settled(pilot, lambda: "process.args[1]" in screen_text(app))
        typed(app, "\x1b[D")
        await settled(
            pilot, lambda: ("シェルは通らない" if language == "ja" else "No shell") in screen_text(app)
        )
        text = screen_text(app)
        assert "config.md#process" in text
        assert ("必須" if language == "ja" else "required") in text
        typed(app, "\x1b[Dg")
        heading = "この項目に出てくる用語" if language == "ja" else "Terms of this member"
        await settled(pilot, lambda: heading in screen_text(app))
        typed(app, ESCAPE)
        await settled(pilot, lambda: isinstance(app.screen, MemberHelp))
        typed(app, F1)
        await settled(pilot, lambda: isinstance(app.screen, Help))
        assert "Ctrl" in screen_text(app) or "^" in screen_text(app)
        typed(app, ESCAPE)
        await settled(pilot, lambda: app.screen is screen and screen.focused is pane.area)
        typed(app, f"{HOME}x{PROBLEM}")
        await settled(pilot, lambda: 0 in pane.area.faults and pane.area.cursor_location == (0, 0))
        typed(app, f"{HOME}{END}{FORMAT}")
        said = "整形できません" if language == "ja" else "can't be formatted"
        await settled(pilot, lambda: said in screen_text(app))
        typed(app, f"\x1b[3~{HOME}{DOWN}{END}\r\r\r{FORMAT}")
        await settled(pilot, lambda: pane.text == CONFIG)
        typed(app, UNDO)
        await settled(pilot, lambda: pane.text == CONFIG.replace('1.0.0",\n', '1.0.0",\n  \n  \n  \n'))


async def test_a_text_that_was_replaced_can_be_had_again(tmp_path: Path) -> None:
    """By loading what changed outside, by a solution, by a reset; but not what was there before the lesson was opened."""
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        pane = pane_of(screen)
        typed(app, f"2{UNDO}{HOME} ")
        await settled(pilot, lambda: pane.text == " " + CONFIG)
        for origin in ("solution", "reset"):
            app.script.publish(ConfigChanged("config.json", '{"ociVersion": "9"}\n', origin))
            await settled(pilot, lambda: pane.text == '{"ociVersion": "9"}\n' and not pane.unsaved)
            typed(app, UNDO)
            await settled(pilot, lambda: pane.text == " " + CONFIG)
            assert pane.unsaved
        typed(app, UNDO * 5)
        await settled(pilot, lambda: pane.text == CONFIG)


async def test_differences_are_shown_before_anything_is_taken(tmp_path: Path) -> None:
    """Since the step began, since the last create; of a snippet, of a solution: `n` leaves the text, `y` takes the new one."""
    app = scripted_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        pane = pane_of(screen)
        step = app.script.enter_kind("edit-config")
        assert isinstance(step.activity, EditConfig)
        await settled(pilot, lambda: screen.view.step is step)
        typed(app, f'2{HOME}{DOWN * 3}{END}\r"noNewPrivileges": true,{DIFF}')
        await settled(pilot, lambda: isinstance(app.screen, DiffScreen))
        await settled(pilot, lambda: '+     "noNewPrivileges": true,' in screen_text(app))
        assert "この手順の始めとの差: +1 行、-0 行" in screen_text(app)
        typed(app, f"{ESCAPE}\x1b[15~")
        await settled(pilot, lambda: app.script.executed == ["create"] and not screen.bridge.busy)
        typed(app, f"{DIFF}\t")
        await settled(pilot, lambda: "最後の createとの差: +0 行" in screen_text(app))
        assert "違いはありません" in screen_text(app)
        typed(app, f"{ESCAPE}{ESCAPE}i")
        await settled(pilot, lambda: '+   "mounts": [' in screen_text(app))
        assert isinstance(app.screen, DiffScreen)
        assert pane.text == app.script.written[-1], "nothing is put in before the learner says so"
        typed(app, "\r")
        await pilot.pause()
        assert isinstance(app.screen, DiffScreen), "Enter pressed ahead takes nothing"
        typed(app, "y")
        await settled(pilot, lambda: '"destination": "/proc"' in pane.text and pane.unsaved)
        assert screen.focused is pane.area
        json.loads(pane.text)
        typed(app, UNDO)
        await settled(pilot, lambda: "mounts" not in pane.text)
        typed(app, f"{ESCAPE}:solve\r")
        await settled(
            pilot, lambda: isinstance(app.screen, DiffScreen) and "解答を適用しますか" in screen_text(app)
        )
        typed(app, "n")
        await settled(pilot, lambda: app.screen is screen)
        assert app.script.executed == ["create"]
        typed(app, ":solve\ry")
        await settled(pilot, lambda: app.script.executed == ["create", "solve"])
        assert app.script.lesson is not None
        bare = replace(step, body="no JSON here")
        steps = tuple(bare if each is step else each for each in app.script.lesson.steps)
        app.script.lesson = replace(app.script.lesson, steps=steps)
        app.script.enter(steps.index(bare))
        await settled(pilot, lambda: screen.view.step is bare)
        screen.set_focus(screen.query_one(Guide))
        typed(app, "i")
        await settled(pilot, lambda: "JSON がありません" in screen_text(app))
