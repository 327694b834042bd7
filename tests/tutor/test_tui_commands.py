"""Commands on the lesson screen: by keys, by the line that `:` opens, by the palette; their dialogs, and commands while one runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input

from tests.support.tui import CONFIG, opened, screen_text, scripted_app, settled
from tutor.session.events import Notice
from tutor.tui.screens.dialogs import Ask, Help, Pick
from tutor.tui.widgets.editor import ConfigPane
from tutor.tui.widgets.key_bar import KeyBar
from tutor.tui.widgets.notice_bar import NoticeBar

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.messages import Language

SMALL, MEDIUM = (80, 24), (120, 40)


async def test_keys_typed_ahead_are_done_in_their_turn_and_ctrl_c_takes_them_back(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        app.script.hold.clear()
        await pilot.press("f5")
        await settled(pilot, lambda: "… 実行中" in screen_text(app))
        await settled(pilot, lambda: {name for name, _, _ in screen.query_one(KeyBar).shown} >= {"interrupt"})
        await pilot.press("n", "n", "n")
        await settled(pilot, lambda: "「next」は、実行中のコマンドが終わってから" in screen_text(app))
        assert app.script.executed == ["create"], "one command at a time"
        app.script.hold.set()
        await settled(pilot, lambda: app.script.executed == ["create", "next", "next", "next"])
        await settled(pilot, lambda: not screen.bridge.busy and app.script.index == 3)
        await settled(pilot, lambda: "終わってから行います" not in screen_text(app))
        app.script.hold.clear()
        await pilot.press("f6")
        await settled(pilot, lambda: app.script.executed[-1] == "start")
        await pilot.press("n", "ctrl+c")
        await settled(pilot, lambda: app.script.interrupted.is_set() and not screen.bridge.busy)
        assert app.script.executed[-1] == "start", "an interrupt must also cancel the commands that wait"
        assert "interrupt" not in {name for name, _, _ in screen.query_one(KeyBar).shown}
        app.script.hold.clear()
        await pilot.press("f6", *"n" * 9)
        await settled(pilot, lambda: "前のコマンドを実行しています" in screen_text(app))
        before = app.script.index
        app.script.hold.set()
        await settled(pilot, lambda: not screen.bridge.busy)
        assert app.script.index == before + 8, "a forgotten finger does not run through the lesson"
        await settled(pilot, lambda: "前のコマンドを実行しています" not in screen_text(app))


async def test_the_command_line_completes_and_runs(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        await pilot.press("colon", "k", "i", "tab")
        assert screen.query_one("#command-line Input", Input).value == "kill "
        await settled(pilot, lambda: "TERM" in screen_text(app))
        await pilot.press("tab", "tab", "shift+tab", "tab")
        assert screen.query_one("#command-line Input", Input).value == "kill KILL", "one after the other"
        assert "TERM" in screen_text(app), "and the choices stay"
        await pilot.press("enter")
        await settled(pilot, lambda: app.script.executed == ["kill KILL"])
        await pilot.press("colon")
        await settled(pilot, lambda: screen.typing)
        await pilot.press(*"ns", "enter")
        await settled(pilot, lambda: screen.panes.panel == "namespaces")
        assert app.script.executed == ["kill KILL"], "a view is the face's own"


async def test_what_throws_work_away_asks_first_and_keeps_what_was_typed(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        for number, command in enumerate(("reset", "solve", "engine runc")):
            screen.query_one(ConfigPane).area.text = f"{{{number}"
            done = app.script.executed[:]
            screen.commands.dispatch(command)
            await settled(pilot, lambda: isinstance(app.screen, Ask))
            await pilot.press("enter")  # the answer that loses nothing has the focus
            await settled(pilot, lambda: app.screen is screen)
            assert app.script.executed == done
            if command[0] in "rs":
                await pilot.press(command[0].upper())  # they have keys, too
            else:
                screen.commands.dispatch(command)
            await settled(pilot, lambda: isinstance(app.screen, Ask))
            await pilot.press("y")
            await settled(pilot, lambda done=done, command=command: app.script.executed == [*done, command])  # type: ignore[misc]  # bound defaults
        assert app.script.written == ["{0", "{1"], (
            "saved before they are replaced, so that the backup holds them"
        )
        assert screen.query_one(ConfigPane).text == "{2", "another engine leaves the text alone"


async def test_the_engine_is_picked_from_those_there_are(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        screen.commands.dispatch("engine")
        await settled(pilot, lambda: isinstance(app.screen, Pick))
        await pilot.press("down", "enter")
        await settled(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("y")
        await settled(pilot, lambda: app.script.executed == ["engine runc"])


async def test_the_palette_offers_the_registry(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+p")
        await pilot.press(*"delete")
        await settled(pilot, lambda: "コンテナを片付けます" in screen_text(app))
        await pilot.press("down", "enter")
        await settled(pilot, lambda: app.script.executed == ["delete"])


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_help_lists_every_key_in_the_language(tmp_path: Path, language: Language) -> None:
    app = scripted_app(tmp_path, language)
    async with app.run_test(size=(120, 90)) as pilot:
        screen = await opened(pilot)
        await pilot.press("question_mark")
        await settled(pilot, lambda: isinstance(app.screen, Help))
        text = " ".join(screen_text(app).split())
        m = screen.messages
        for key in screen.KEYS:
            assert m(f"tui.key.{key.id}.long")[:12] in text, key.id
        await pilot.press("escape")
        await settled(pilot, lambda: app.screen is screen)


async def test_keys_can_be_given_other_keys_by_their_ids(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        app.set_keymap({"lesson.create": "f9"})
        await pilot.press("f9")
        await settled(pilot, lambda: app.script.executed == ["create"])
        await settled(pilot, lambda: ("create", "f9", "create") in screen.query_one(KeyBar).shown)


async def test_an_unexpected_failure_is_a_notice_with_a_log(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        app.script.failure = RuntimeError("boom")
        await pilot.press("f5")
        await settled(pilot, lambda: "RuntimeError" in screen_text(app))
        logs = list((tmp_path / "state").glob("crash-*.log"))
        assert len(logs) == 1
        assert "RuntimeError: boom" in logs[0].read_text(encoding="utf-8")
        assert logs[0].name in "".join(screen.query_one(NoticeBar).plain.split())
        app.script.failure = None
        await pilot.press("f5")
        await settled(pilot, lambda: "● created" in screen_text(app))


async def test_a_notice_says_what_to_do_and_goes_away(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        app.script.publish(Notice("error", "だめです", "理由です", "こうします"))
        await settled(pilot, lambda: "▸ こうします" in screen_text(app))
        await pilot.press("escape")
        await settled(pilot, lambda: "▸ こうします" not in screen_text(app))


async def test_quitting_asks_only_when_something_would_be_lost(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        await pilot.press("2", "x", "ctrl+q")
        await settled(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("n")
        await settled(pilot, lambda: app.screen is screen)
        assert app.is_running
        await pilot.press("ctrl+z", "escape")
        await settled(pilot, lambda: not screen.query_one(ConfigPane).unsaved)
        await pilot.press("q")
        await settled(pilot, lambda: not app.is_running)
        assert app.return_value == 0


@pytest.mark.parametrize(
    ("answer", "written", "ends"),
    [("y", ["x" + CONFIG], True), ("d", [], True), ("ctrl+q", ["x" + CONFIG], True), ("escape", [], False)],
)
async def test_unsaved_edits_are_saved_or_dropped_as_the_learner_says(
    tmp_path: Path, answer: str, written: list[str], ends: bool
) -> None:
    app = scripted_app(tmp_path, "en")
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        await pilot.press("2", "x", "ctrl+q")
        await settled(pilot, lambda: isinstance(app.screen, Ask))
        assert all(key in screen_text(app) for key in ("(y)", "(d)", "(n)")), "the buttons fit"
        await pilot.press(answer)
        await settled(pilot, lambda: app.is_running != ends and (ends or app.screen is screen))
    assert app.script.written == written


async def test_quitting_in_the_dialog_about_another_change_loses_no_edits(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        await pilot.press("2", "x")
        app.script.change_outside("{}\n")
        await settled(pilot, lambda: isinstance(app.screen, Ask) and not app.screen.quits)
        await pilot.press("ctrl+q")
        await settled(pilot, lambda: isinstance(app.screen, Ask) and app.screen.quits)
        await pilot.press("n")
        await settled(pilot, lambda: app.screen is screen)
        assert screen.query_one(ConfigPane).text == "x" + CONFIG
        app.script.change_outside('{"a": 1}\n')
        await settled(pilot, lambda: isinstance(app.screen, Ask))  # it still asks
        await pilot.press("ctrl+q")
        await settled(pilot, lambda: isinstance(app.screen, Ask) and app.screen.quits)
        await pilot.press("y")
        await settled(pilot, lambda: not app.is_running)
    assert app.script.written == ["x" + CONFIG]
    assert app.script.seen == [CONFIG], "the session keeps a copy of any other text"


async def test_edits_that_could_not_be_saved_keep_the_program_open(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        app.script.disk_full = True
        await pilot.press("2", "x", "ctrl+q")
        await settled(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("y")
        await settled(pilot, lambda: "no space" in screen_text(app))
        assert app.is_running
        assert screen.query_one(ConfigPane).unsaved


async def test_edits_of_the_lesson_below_free_play_are_kept(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        below = await opened(pilot)
        lesson = app.script
        await pilot.press("2", "x", "escape", *["colon", "p", "l", "a", "y", "enter"])
        await settled(pilot, lambda: app.screen is not below and app.script is not lesson)
        await opened(pilot)
        await pilot.press("ctrl+q")  # quits, though `q` would go back to the lesson
        await settled(pilot, lambda: not app.is_running)
    app.close_session()
    assert lesson.kept == [("x" + CONFIG, CONFIG)]


@pytest.mark.parametrize("size", [(79, 30), (100, 20), (20, 5)])
async def test_a_terminal_that_is_too_small_is_told_so(tmp_path: Path, size: tuple[int, int]) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        await settled(pilot, lambda: "80" in screen_text(app))
        assert "runt" not in screen_text(app)
        await pilot.resize_terminal(*SMALL)
        await settled(pilot, lambda: "Filesystem bundle" in screen_text(app))


async def test_nothing_of_textual_speaks_english_to_a_japanese_learner(tmp_path: Path) -> None:
    app: Any = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+c")
        await settled(pilot, lambda: "Ctrl-Q" in screen_text(app))
        assert "Press" not in screen_text(app)
