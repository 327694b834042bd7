"""The app around the lesson: the list of lessons, themes, and every way to quit."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.color import ColorType
from textual.color import Color
from textual.widgets import OptionList

from tests.support.tui import CONFIG, opened, screen_text, scripted_app, settled, snapshot
from tutor import patience
from tutor.course.checks.verdict import Evidence, Verdict
from tutor.course.course import Course
from tutor.course.model import Quiz
from tutor.course.progress import LessonProgress, Progress
from tutor.engines.model import Call, CallResult
from tutor.errors import TutorError
from tutor.home import Home
from tutor.messages import Messages
from tutor.session.events import Explained, Notice, StepEntered
from tutor.text import cell_width
from tutor.tui.app import TutorApp
from tutor.tui.screens.dialogs import Ask, AskText, Help, Pick, Say
from tutor.tui.screens.home import HomeScreen
from tutor.tui.themes import DARK, LIGHT, THEMES
from tutor.tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from rich.style import Style

    from tutor.messages import Language


def text_below_contrast(app: Any, least: float = 4.5) -> list[str]:
    """Return the text on the screen (in the dialog, if one is open) whose contrast is below a ratio (WCAG 2)."""
    found: list[str] = []
    strips = app.screen._compositor.render_strips()
    if app.screen.is_modal:
        x, y, width, height = app.screen.query_one(".dialog").region
        strips = [strip.crop(x, x + width) for strip in strips[y : y + height]]
    for strip in strips:
        for segment in strip:
            words = re.sub(r"[\s─━│╭╮╰╯▁-▟▌▐▎▊┃━┏┓┗┛]+", "", segment.text)
            if words and segment.style is not None:
                ratio = _contrast(segment.style)
                if ratio < least:
                    found.append(f"{words!r}: {ratio:.2f} ({segment.style})")
    return found


def _contrast(style: Style) -> float:
    colours = [style.bgcolor, style.color] if style.reverse else [style.color, style.bgcolor]
    front, ground = (Color.from_rich_color(colour) if colour else Color(0, 0, 0) for colour in colours)
    if style.dim:
        front = ground.blend(front, 0.5)
    light, dark = sorted((_luminance(front), _luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("theme", [DARK.name, LIGHT.name])
async def test_every_text_can_be_read_from_the_back_row(tmp_path: Path, theme: str) -> None:
    """Every screen with everything that it can show: each piece of text at 4.5:1 or more."""
    app = scripted_app(tmp_path, lesson_id=None)
    async with app.run_test(size=(200, 50)) as pilot:
        app.theme = theme
        await settled(pilot, lambda: "はじめてのコンテナ" in screen_text(app))
        assert text_below_contrast(app) == []
        before = [lesson.id for lesson in app._course.lessons].index("first-container")
        await pilot.press(*["down"] * before, "enter")
        screen = await opened(pilot)
        lesson = app.script.lesson
        assert lesson is not None
        step = app.script.enter_kind("run-op")
        app.script.call("create", printed='{"status": true}\n')
        app.script.call("delete", printed="no\n", code=1)
        call = Call(2, (), "runt delete alpine-test", "/")
        app.script.publish(Explained(call, "x", "a", "b", "c", "~/config.json:1:1", "/a", clause="d"))
        app.script.change_outside(CONFIG.replace('"cwd": "/"', '"cwd": 1'))
        evidence = Evidence("a", "b", "c", "d")
        app.script.check(
            Verdict(step.checks[0].id, "x", False, (evidence,)),
            Verdict(step.checks[1].id, "y", True, (evidence,)),
        )
        app.script.publish(Notice("warning", "a", "b", "c"))
        app.script.created(snapshot())
        await settled(pilot, lambda: "✗ x" in screen_text(app) and "▸ c" in screen_text(app))
        assert text_below_contrast(app) == []
        app.script.enter_kind("quiz")
        await settled(pilot, lambda: "▸ ( )" in screen_text(app))
        assert text_below_contrast(app) == []
        app.script.enter(next(at for at, each in enumerate(lesson.steps) if each.id == "review"))
        await settled(
            pilot, lambda: "▸ ( ) create" in screen_text(app)
        )  # code in the answer under the cursor
        assert text_below_contrast(app) == []
        typed = replace(
            step, id="typed", kind="quiz", activity=Quiz("q", (), command="x", feedback="f"), checks=()
        )
        app.script.publish(StepEntered(0, typed, passed=False))
        await settled(pilot, lambda: "ここに答えを入力" in screen_text(app))
        assert text_below_contrast(app) == []
        await pilot.press("2", "shift+end")
        await pilot.pause()
        assert text_below_contrast(app) == []
        await pilot.press("escape", "colon", "k")
        await settled(pilot, lambda: screen.typing)
        assert text_below_contrast(app) == []
        await pilot.press("escape")
        for dialog in (
            Ask("a", "b", "c", "d"),
            Say("a", "b", "c", "d"),
            Pick("a", (("b", "c"),), "b"),
            AskText("a", "b", "c"),
        ):
            app.push_screen(dialog)
            await settled(pilot, lambda dialog=dialog: app.screen is dialog)  # type: ignore[misc]  # a bound default
            await settled(pilot, lambda dialog=dialog: dialog.query_one(".dialog").region.area > 0)  # type: ignore[misc]  # a bound default
            assert text_below_contrast(app) == []
            app.pop_screen()
        await pilot.press("question_mark")
        await settled(pilot, lambda: isinstance(app.screen, Help) and "F5" in screen_text(app))
        assert text_below_contrast(app) == []


async def test_no_color_is_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = scripted_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        assert app.no_color
        assert "● created" not in screen_text(app)
        app.script.created()
        await settled(pilot, lambda: "● created" in screen_text(app))
        assert "◆ 専用" in screen_text(app), "glyph and word say it without colour"


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_home_shows_lessons_progress_and_engine(tmp_path: Path, language: Language) -> None:
    Progress(tmp_path / "state").save(
        "first-container", LessonProgress("lifecycle", ("bundle", "generated-config"))
    )
    app = scripted_app(tmp_path, language, lesson_id=None)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(
            pilot,
            lambda: isinstance(app.screen, HomeScreen) and app.screen.query_one(OptionList).option_count > 0,
        )
        lesson = app._course.lesson("first-container")
        await settled(pilot, lambda: lesson.title in screen_text(app))
        text = screen_text(app)
        assert f"2/{len(lesson.steps)}" in text
        lines = app.screen.query_one(OptionList).virtual_size.height
        assert lines == len(app._course.lessons), "a lesson takes one line"
        assert "runt" in text
        assert {name for name, _, _ in app.screen.query_one(KeyBar).shown} >= {
            "open",
            "engine",
            "help",
            "quit",
        }
        assert "PgDn" in text, "the steps are below the fold"
        assert lesson.steps[-1].title not in text
        await pilot.press(*["pagedown"] * 9)
        await settled(
            pilot, lambda: lesson.steps[-1].title in screen_text(app) and "PgDn" not in screen_text(app)
        )
        await pilot.press("enter")
        await opened(pilot)


_OPENED: list[str] = []


@lru_cache(maxsize=1)
def _watch_opens() -> None:
    """Record which files this process opens from now on: an audit hook can't be removed (PEP 578)."""
    sys.addaudithook(lambda event, values: _OPENED.append(str(values[0])) if event == "open" else None)


async def test_the_list_reads_the_progress_once_and_not_to_draw_itself_again(tmp_path: Path) -> None:
    _watch_opens()
    app = TutorApp(Course.load("en"), "runt", Messages.load("en"), home=Home(tmp_path, tmp_path, tmp_path))
    lesson = app._course.lessons[0]
    Progress(tmp_path).save(
        lesson.id, LessonProgress(step_id=lesson.steps[1].id, passed=(lesson.steps[0].id,))
    )

    def reads() -> int:
        return sum(path == str(tmp_path / "progress.json") for path in _OPENED)

    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot, lambda: f"1/{len(lesson.steps)}" in screen_text(app))
        before = reads()
        await pilot.resize_terminal(90, 30)
        await settled(pilot, lambda: "─" * 5 + " " in screen_text(app) and app.screen.size.width == 90)
        await pilot.press("down", "up")
        await pilot.pause()
        assert reads() == before
        app.push_screen(Say("a", "b", "c", "d"))
        await settled(pilot, lambda: isinstance(app.screen, Say))
        Progress(tmp_path).save(lesson.id, LessonProgress(passed=(), finished=True))
        before = reads()
        await pilot.press("enter")
        await settled(pilot, lambda: "✓" in screen_text(app))
        assert reads() == before + 1, "once, to show what has been done meanwhile"


async def test_the_list_lines_up_and_a_long_title_gives_way(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, "ja", lesson_id=None)
    lesson = app._course.lesson("first-container")
    short, long = (
        replace(lesson, minutes=5),
        replace(lesson, id="long", title="とても長い題名" * 9, minutes=120),
    )
    app._course = replace(app._course, lessons=(short, long))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, lambda: "とても長い" in screen_text(app))
        first, second = screen_text(app).splitlines()[2:4]
    assert re.search("… {2,3}約 120 分  ─────  未着手", second), second
    assert "    約 5 分  ─────  はじめての方はここから" in first
    assert cell_width(first.partition("分")[0]) == cell_width(second.partition("分")[0])


async def test_going_home_closes_the_session(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("0")
        await settled(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert app.script.closed == 1
        assert app.session is None
        await pilot.press("e")
        await settled(pilot, lambda: isinstance(app.screen, Pick))
        await pilot.press("down", "enter")
        await settled(pilot, lambda: isinstance(app.screen, HomeScreen) and app.screen.engine == "runc")
        assert "runc" in screen_text(app)


async def test_the_app_lives_while_the_lab_is_taken_down(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, "en")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        closing, end, close = threading.Event(), threading.Event(), app.script.close

        def slow() -> None:
            closing.set()
            end.wait(20)
            close()

        app.script.close = slow  # type: ignore[method-assign]  # a lab that takes its time
        await pilot.press("0")
        await settled(pilot, lambda: closing.is_set() and "Taking the lab down" in screen_text(app))
        theme = app.theme
        await pilot.press("ctrl+t")
        assert app.theme != theme
        before = list(app.script.executed)
        await pilot.press("n", "F5", "0")
        assert app.script.executed == before, "nothing more is asked of a session that ends"
        await pilot.press("question_mark")
        await settled(pilot, lambda: isinstance(app.screen, Help))
        end.set()
        await settled(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert screen not in app.screen_stack
        assert app.script.closed == 1


async def test_the_app_lives_while_config_json_is_saved_for_the_shell(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, "en")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        saving, end, write = threading.Event(), threading.Event(), app.script.write_config

        def slow(text: str, seen: str | None = None) -> bool:
            saving.set()
            end.wait(20)
            return write(text, seen)

        app.script.write_config = slow  # type: ignore[method-assign]  # a check that takes its time
        await pilot.press("2", "x", "escape", "exclamation_mark", "n")
        await settled(pilot, saving.is_set)
        theme = app.theme
        await pilot.press("ctrl+t")
        assert app.theme != theme
        assert app.script.executed == []
        end.set()
        await settled(pilot, lambda: app.script.executed == ["next"])  # what was typed ahead
        assert app.script.written[0].startswith("x")


async def test_a_lesson_that_cannot_be_opened_says_why_and_leads_home(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, lesson_id=None)

    app.unopened = TutorError("tui.shell.no_terminal")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("enter")
        await settled(pilot, lambda: isinstance(app.screen, Say))
        assert "この端末ではシェルを開けません" in screen_text(app)
        await pilot.press("enter")
        await settled(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert app.script.closed == 1


def _colours_of(app: Any, text: str) -> tuple[str, str] | None:
    """Return the foreground and the background colours of a text on the screen."""
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            if text in segment.text and segment.style and segment.style.color and segment.style.bgcolor:
                return segment.style.color.get_truecolor().hex, segment.style.bgcolor.get_truecolor().hex
    return None


def _colours_of_no_palette(app: TutorApp) -> set[str]:
    """Return the colours on the screen that a person can't set in the terminal."""
    strips = app.screen._compositor.render_strips()
    styles = [each.style for strip in strips for each in strip if each.style is not None]
    colours = {colour for style in styles for colour in (style.color, style.bgcolor)}
    return {each.name for each in colours if each is not None and each.type == ColorType.TRUECOLOR}


async def test_the_theme_changes_by_key_and_the_editor_follows(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    seen = []
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        for theme in (*THEMES, DARK):
            await settled(pilot, lambda theme=theme: app.theme == theme.name)  # type: ignore[misc]  # a bound default
            if theme.ansi:
                await settled(pilot, lambda: not _colours_of_no_palette(app))
                await pilot.press("ctrl+t")
                continue
            label, ground = (
                Color.parse(app.theme_variables[name]).rgb for name in ("text-primary", "surface")
            )
            wanted = tuple("#{:02x}{:02x}{:02x}".format(*colour) for colour in (label, ground))
            await settled(pilot, lambda wanted=wanted: _colours_of(app, "ociVersion") == wanted)  # type: ignore[misc]  # the same
            seen.append(wanted)
            await pilot.press("ctrl+t")
    assert seen[0] == seen[2] != seen[1]


def test_the_list_of_lessons_is_painted_before_a_lesson_is_loaded() -> None:
    code = "import sys, tutor.tui.app, tutor.tui.screens.home; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines())
    assert not loaded & {"tutor.tui.screens.lesson", "tutor.session.session"}


def test_the_view_keeps_calls_apart() -> None:
    from tutor.session.events import CommandFinished, CommandStarted, Output
    from tutor.view.lesson_view import LessonView

    view = LessonView("runt")
    call = Call(1, ("runt", "list"), "runt list", "/")
    assert view.fold(CommandStarted(call)) >= {"output", "status"}
    view.fold(Output(call, "stdout", "ID\n\n"))
    assert view.running is not None
    assert view.running.gist == "ID"
    view.fold(CommandFinished(CallResult(call, 0, 0.1, "ID\n", "")))
    assert view.running is None


def test_the_gist_of_json_is_more_than_its_last_brace() -> None:
    from tutor.session.events import CommandStarted, Output
    from tutor.view.lesson_view import LessonView

    view = LessonView("runt")
    call = Call(1, ("runt", "state", "x"), "runt state x", "/")
    view.fold(CommandStarted(call))
    view.fold(Output(call, "stdout", '{\n  "status": "created",\n  "pid": 7\n}'))
    assert view.running is not None
    assert view.running.gist == '{ "status": "created", "pid": 7 }'


@pytest.mark.root
@pytest.mark.peer("tmux")
@pytest.mark.parametrize("end", ["q", "TERM"])
def test_the_real_thing_in_a_real_terminal_with_a_long_ime_commit(tmp_path: Path, end: str) -> None:
    """Twenty kanji that are committed at once arrive as twenty kanji; at the end the terminal is restored and nothing is left."""
    kanji = "名前空間設定確認用文字列変換入力試験一二"
    socket = f"oci-tutor-{os.getpid()}-{end}"

    def tmux(*arguments: str) -> str:
        return subprocess.run(
            ["tmux", "-L", socket, *arguments], capture_output=True, text=True, check=True
        ).stdout

    def until(wanted: str) -> str:
        deadline = time.monotonic() + patience.scaled(20)
        while wanted not in (text := tmux("capture-pane", "-p")):
            assert time.monotonic() < deadline, text
            time.sleep(0.05)
        return text

    command = f"{sys.executable} -m tutor --lang ja start first-container; echo ended $?; exec sleep 60"
    environment = os.environ | {
        "OCI_TUTOR_HOME": str(tmp_path),
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
    }
    subprocess.run(
        ["tmux", "-L", socket, "-u", "new-session", "-d", "-x", "120", "-y", "40", command],
        env=environment,
        check=True,
    )
    try:
        until("1. Filesystem bundle")
        tmux("send-keys", "2")
        until("^s 保存")
        tmux("send-keys", "-l", kanji)
        until(kanji)
        tmux("send-keys", "C-z")
        tmux("send-keys", "Escape")
        until("q 終了")
        until("✓ 保存済み")
        if end == "q":
            tmux("send-keys", "q")
            until("ended 0")
        else:
            shell = int(tmux("display-message", "-p", "#{pane_pid}"))
            children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
            os.kill(int(children[0]), signal.SIGTERM)
            until("ended 143")
        assert "Traceback" not in tmux("capture-pane", "-p")
    finally:
        tmux("kill-server")
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    assert str(tmp_path) not in mounts
