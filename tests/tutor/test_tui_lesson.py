"""The lesson screen, as a learner sees it: at 80, 120 and 200 columns, in Japanese and in English."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.tui import CONFIG, mount, opened, screen_text, scripted_app, settled, snapshot
from tutor.course.checks.verdict import Evidence, Verdict
from tutor.course.course import Course
from tutor.course.model import Hint
from tutor.session.events import HintGiven, HintOffered, LessonFinished, Output, StepPassed
from tutor.text import cell_width
from tutor.tui.screens.dialogs import Ask
from tutor.tui.widgets.editor import ConfigPane
from tutor.tui.widgets.guide import Guide
from tutor.tui.widgets.key_bar import KeyBar
from tutor.tui.widgets.mounts import MountsPanel
from tutor.tui.widgets.output import OutputPane
from tutor.tui.widgets.processes import ProcessesPanel
from tutor.view.lesson_view import MOST_LINES

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.messages import Language
    from tutor.tui.screens.lesson import LessonScreen

SMALL, MEDIUM, LARGE = (80, 24), (120, 40), (200, 60)
WORDS = {"ja": ("専用", "共有", "次にできる"), "en": ("own", "shared", "can do next")}


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_create_is_seen_everywhere(tmp_path: Path, language: Language) -> None:
    """The command, the marked state, the allowed operations, the namespaces and what the process waits for."""
    own, shared, can = WORDS[language]
    app = scripted_app(tmp_path, language)
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        await pilot.press("f5")
        for size in (SMALL, MEDIUM, LARGE):
            await pilot.resize_terminal(*size)
            screen.action_panel("guide")
            await settled(pilot, lambda: "● created" in screen_text(app))
            text = screen_text(app)
            assert "$ runt create alpine-test" in text
            assert f"{can}: start kill" in text
            assert all(cell_width(line) == size[0] for line in text.splitlines())
            await pilot.press("4")
            await settled(pilot, lambda: f"◆ {own}" in screen_text(app))
            text = screen_text(app)
            assert f"mnt    ◆ {own}" in text
            assert f"net    ○ {shared}" in text
            assert "4026532201" in text
            assert "● created" in text, "the lifecycle is always in sight"
            await pilot.press("6")
            await settled(pilot, lambda: 'openat("exec.fifo"' in screen_text(app))
            waits = "".join("".join(screen.query_one(ProcessesPanel).plain_lines).split())
            assert 'openat("exec.fifo",O_WRONLY)' in waits
        assert app.script.executed == ["create"]


async def test_code_wider_than_the_guide_can_be_read_to_its_end(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        await opened(pilot)
        lesson = app.script.lesson
        body = "```sh\nfind /sys/fs/cgroup -type d -name alpine-test -newer the-end-of-it\n```\n"
        assert lesson is not None
        first, second, *others = lesson.steps
        app.script.lesson = replace(lesson, steps=(first, replace(second, body=body), *others))
        app.script.enter(1)
        await settled(pilot, lambda: "-newer" in screen_text(app))
        assert "the-end-of-it" in screen_text(app)


async def test_at_80_columns_one_pane_at_a_time_and_at_200_all(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        panes = ("guide", "config", "output", "namespaces", "mounts", "processes")
        for key, pane in enumerate(panes, 1):
            await pilot.press(str(key))
            await settled(pilot, lambda pane=pane: _shown(screen, panes) == [pane])  # type: ignore[misc]  # a bound default
            await pilot.press("escape")
        await pilot.resize_terminal(*LARGE)
        await settled(pilot, lambda: _shown(screen, panes) == list(panes))


def _shown(screen: LessonScreen, panes: tuple[str, ...]) -> list[str]:
    return [
        pane
        for pane in panes
        if screen.query_one(f"#{pane}").region.area and screen.query_one(f"#{pane}").is_on_screen
    ]


async def test_resizing_keeps_the_typed_text_the_cursor_and_the_lines(tmp_path: Path) -> None:
    """And back in the first size, the editor has as many lines as before: none is left for what took two lines elsewhere."""
    app = scripted_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        await pilot.press("2", "down", "end", "x")
        area = screen.query_one(ConfigPane).area
        lines = area.size.height
        for size in (LARGE, MEDIUM, SMALL):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert screen.focused is area
            assert area.cursor_location == (1, 25)
            assert area.is_on_screen
            assert '"1.0.0",x' in screen.query_one(ConfigPane).text
        assert area.size.height == lines


async def test_an_error_is_marked_on_its_line_during_typing(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        pane = screen.query_one(ConfigPane)
        app.script.change_outside(CONFIG.replace('"cwd": "/"', '"cwd": "x"'))
        await settled(pilot, lambda: 6 in pane.area.faults)
        text = screen_text(app)
        marked = next(line for line in text.splitlines() if '"cwd": "x"' in line)
        assert " 7 ✗" in marked
        assert "7 行 12 桁" in text
        app.script.change_outside(CONFIG)
        await settled(pilot, lambda: not pane.area.faults)
        assert "✗" not in screen_text(app)


async def test_letters_are_text_in_the_editor_and_function_keys_still_work(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        await pilot.press("2")
        await pilot.press(*"nbhc16?:q")
        pane = screen.query_one(ConfigPane)
        assert pane.text.startswith("nbhc16?:q{")
        assert app.script.executed == []
        assert "● 未保存" in screen_text(app)
        bar = {name for name, _, _ in screen.query_one(KeyBar).shown}
        assert "next" not in bar
        assert {"create", "save", "leave"} <= bar
        await pilot.press("f6")
        await settled(pilot, lambda: app.script.executed == ["start"])
        assert app.script.written[0].startswith("nbhc16?:q{"), "saved before the operation"
        await pilot.press("escape")
        await settled(pilot, lambda: "next" in {name for name, _, _ in screen.query_one(KeyBar).shown})
        await pilot.press("h")
        await settled(pilot, lambda: app.script.executed == ["start", "hint"])


async def test_ctrl_s_saves_also_what_is_faulty(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        await pilot.press("2", "[", "ctrl+s")
        await settled(
            pilot, lambda: app.script.written == ["[" + CONFIG] and not screen.query_one(ConfigPane).unsaved
        )
        assert "✓ 保存済み" in screen_text(app)
        app.script.disk_full = True
        await pilot.press("{", "f5")
        await settled(pilot, lambda: "✗ no space" in screen_text(app) and not screen.bridge.busy)
        assert app.script.executed == [], "nothing runs on the file of before"
        assert screen.query_one(ConfigPane).unsaved, "and the edits are still there"


@pytest.mark.parametrize(("answer", "kept"), [("n", True), ("y", False)])
async def test_a_change_from_outside_never_loses_edits(tmp_path: Path, answer: str, kept: bool) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        pane = screen.query_one(ConfigPane)
        await pilot.press("2", "x")
        app.script.change_outside("{}")
        await settled(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press(answer)
        await settled(pilot, lambda: app.screen is screen)
        assert pane.text == ("x" + CONFIG if kept else "{}")
        assert pane.unsaved is kept


async def test_a_change_from_outside_shows_at_once_when_nothing_is_unsaved(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        app.script.change_outside("{}")
        await settled(pilot, lambda: screen.query_one(ConfigPane).text == "{}")


async def test_a_quiz_is_answered_by_keyboard(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        app.script.enter_kind("quiz")
        await settled(pilot, lambda: "▸ ( ) もう動いて" in screen_text(app))
        await pilot.press("down", "enter")
        await settled(pilot, lambda: "▸ (•) まだ動いていない" in screen_text(app))
        assert "▸ (•)" in screen_text(app).splitlines()[app.cursor_position.y], "the real cursor is there"
        await pilot.press("3")
        output = app.screen.query_one(OutputPane)
        await settled(pilot, lambda: app.cursor_position == output.content_region.offset)
        await pilot.press("1")
        assert app.script.executed == ["answer b"]
        await settled(pilot, lambda: "n 次へ進む" in screen_text(app))


async def test_a_quiz_is_answered_by_mouse(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        app.script.enter_kind("quiz")
        await settled(pilot, lambda: len(screen.query("ChoiceRow")) == 3)
        await pilot.click(screen.query("ChoiceRow")[2])
        await settled(pilot, lambda: app.script.executed == ["answer c"])


async def test_checks_show_what_was_found_and_how_to_see_it(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        await opened(pilot)
        step = app.script.enter_kind("run-op")
        await settled(pilot, lambda: f"· {step.checks[0].text}" in screen_text(app))
        found = Evidence("state.status", "created", "stopped", "runt state alpine-test")
        file = "/sys/fs/cgroup/pids/oci-tutor-79cde490eff2/keeper/alpine-test/pids.max"
        seen = (Evidence(file, "7", "7", f"cat {file}"), Evidence("b", "c", "it is c", ""))
        app.script.check(
            Verdict(step.checks[0].id, step.checks[0].text, False, (found,)),
            Verdict(step.checks[1].id, step.checks[1].text, True, seen),
        )
        await settled(pilot, lambda: f"✗ {step.checks[0].text}" in screen_text(app))
        text = screen_text(app)
        assert "state.status → stopped" in text
        assert "期待: created" in text
        assert "$ runt state alpine-test" in text
        assert f"✓ {step.checks[1].text}" in text
        assert "…/alpine-test/pids.max → 7 +1" in text, "what passes is one line"
        assert "it is c" not in text
        await pilot.press("enter")
        await settled(pilot, lambda: "it is c" in screen_text(app))
        assert "/sys/fs/cgroup/pids/oci-tutor" in screen_text(app), "the command has the whole path"
        await pilot.press("enter")
        await settled(pilot, lambda: "it is c" not in screen_text(app))


async def test_what_is_below_the_fold_is_said_and_n_asks_first(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        lesson = app.script.lesson
        assert lesson is not None
        long = replace(lesson.steps[0], id="long", body="\n\n".join(f"line {number}" for number in range(40)))
        app.script.lesson = replace(lesson, steps=(long, *lesson.steps[1:]))
        app.script.enter(0)
        await settled(pilot, lambda: "↓ PgDn 続き" in screen_text(app) and "line 3" in screen_text(app))
        await pilot.press("6", "n")
        await settled(pilot, lambda: "もう一度 n" in screen_text(app))
        assert app.script.executed == []
        assert screen.focused is screen.query_one(Guide), "PgDn scrolls it"
        app.script.publish(StepPassed(0, long, "learner"))
        await settled(pilot, lambda: "もう一度 n" not in screen_text(app))
        await pilot.press("n")
        await settled(pilot, lambda: app.script.executed == ["next"] and not screen.bridge.busy)
        app.script.enter(0)
        await settled(pilot, lambda: "line 3" in screen_text(app))
        await pilot.press("end")
        await settled(pilot, lambda: "line 39" in screen_text(app) and "PgDn" not in screen_text(app))
        await pilot.press("home", "n")  # it was seen to its end
        await settled(pilot, lambda: app.script.executed == ["next", "next"])


@pytest.mark.parametrize("size", [SMALL, MEDIUM])
async def test_hints_are_offered_and_shown_in_sight(tmp_path: Path, size: tuple[int, int]) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        app.script.enter_kind("edit-config")
        app.script.publish(HintOffered(2))
        await settled(pilot, lambda: size == SMALL or "h を押すとヒント" in screen_text(app))
        app.script.publish(HintGiven(Hint("`F5` を押します。"), 1, 2))
        await settled(pilot, lambda: "ヒント 1/2  F5 を押します。" in screen_text(app))


async def test_a_passed_step_shows_its_summary_and_the_way_on(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        app.script.enter_kind("edit-config")
        app.script.write_config(CONFIG)
        await pilot.press("2")
        app.script.pass_step()
        await settled(pilot, lambda: "✓ Esc n" in screen_text(app).splitlines()[1])
        await pilot.press("escape")
        await settled(pilot, lambda: "✓ できました。  n 次へ進む" in screen_text(app))
        assert app.screen.query_one(Guide).scroll_y > 0, "the end of a long step"
        assert app.script.lesson is not None
        long = [step.id for step in app.script.lesson.steps].index("lifecycle")
        app.script.enter(long)
        app.script.pass_step()
        await settled(pilot, lambda: app.screen.query_one(Guide).scroll_y > 0)
        await pilot.press("n")
        title = app.script.lesson.steps[long + 1].title
        await settled(pilot, lambda: title in screen_text(app))
        await pilot.pause()
        assert app.screen.query_one(Guide).scroll_y == 0, "the next one is read from its beginning"


async def test_the_end_of_the_lesson_is_celebrated(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, "en")
    app._course = Course.load("en")
    first = app._course.lesson("first-container")
    second = app._course.lessons[app._course.lessons.index(first) + 1]
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        script = app.script
        assert script.lesson == first
        script.enter(len(first.steps) - 1)
        script.pass_step()
        await settled(pilot, lambda: "✓ Done.  n go on" in screen_text(app))
        await pilot.press("4")
        script.publish(LessonFinished(first, 0))
        await settled(pilot, lambda: "★ You have finished this lesson." in screen_text(app))
        await settled(pilot, lambda: "you have seen 0 rules" in " ".join(screen_text(app).split()))
        following = f"Press n for the next lesson, «{second.title}»"
        await settled(pilot, lambda: following in " ".join(screen_text(app).split()))
        await pilot.press("n")
        await settled(pilot, lambda: app.script is not script and app.script.lesson == second)
        assert script.closed


async def test_a_clause_and_a_term_are_read_on_top_of_the_lesson(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, "en")
    async with app.run_test(size=MEDIUM) as pilot:
        lesson = await opened(pilot)
        await pilot.press("m")
        await settled(pilot, lambda: "the root filesystem are together in one directory" in screen_text(app))
        await pilot.press("escape", "g")
        await settled(pilot, lambda: "Terms of this step" in screen_text(app))
        assert "root filesystem" in screen_text(app).partition("Other terms")[0]
        await pilot.press(*"whi", "enter")
        await settled(pilot, lambda: "From image to bundle" in screen_text(app))
        await pilot.press("escape", "escape")
        await settled(pilot, lambda: app.screen is lesson)
        await pilot.press("colon", *"glossary nowhere", "enter")
        await settled(pilot, lambda: 'The glossary has no "nowhere"' in screen_text(app))
        assert app.script.executed == []


async def test_output_shows_command_directory_text_and_status(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        app.script.call("list", printed="ID   PID\x1b[1m\tSTATUS\n")
        # In the output and in the line of the last command.
        await settled(pilot, lambda: screen_text(app).count("ID   PID\\x1b[1m") == 2)
        text = screen_text(app)
        assert "\x1b" not in text
        assert "labs/first-container/alpine-bundle" in text
        assert "✓ 0.02 s" in text
        app.script.call("start", printed="runt: no such container\n", code=1)
        await settled(pilot, lambda: "✗ 終了ステータス 1" in screen_text(app))
        assert "runt: no such container" in screen_text(app)


async def test_a_program_that_prints_without_end_does_not_hold_the_screen_up(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        app.script.call("create")
        app.script.hold.clear()
        await pilot.press("f6")
        await settled(pilot, lambda: screen.view.running is not None)
        for _ in range(100):
            app.script.publish(Output(screen.view.runs[-1].call, "stdout", "y\n" * 8192))
        app.script.publish(Output(screen.view.runs[-1].call, "stdout", "the end\n"))
        app.script.hold.set()
        await settled(pilot, lambda: not screen.bridge.busy and "the end" in screen_text(app))
        output = screen.query_one(OutputPane)
        assert any("省略しています" in line for line in output.plain_lines)
        assert len(output.plain_lines) < 2 * MOST_LINES


async def test_what_a_container_prints_late_stands_under_the_command_that_made_it_print(
    tmp_path: Path,
) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=MEDIUM) as pilot:
        screen = await opened(pilot)
        app.script.call("create")
        app.script.call("start")
        await settled(pilot, lambda: len(screen.view.runs) == 2)
        app.script.publish(Output(screen.view.runs[0].call, "stdout", "alpine\n"))
        await settled(pilot, lambda: "alpine\n" in [text for _, text in screen.view.runs[1].chunks])
        await settled(pilot, lambda: " alpine " in screen_text(app))


async def test_mounts_are_marked_against_the_beginning_of_the_step(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        app.script.created()
        panel = screen.query_one(MountsPanel)
        await settled(pilot, lambda: any("/proc" in line for line in panel.plain_lines))
        assert all(line.startswith("+") for line in panel.plain_lines), "there was no container before"
        app.script.enter(1)
        await settled(pilot, lambda: all(line.startswith(" ") for line in panel.plain_lines))
        root = mount(700, 1, "/", "ext4", "/dev/vda1", "ro", "relatime")
        new = mount(709, 700, "/tmp", "tmpfs", "tmpfs")
        proc = mount(701, 700, "/proc", "proc", "proc", "rw", "nosuid", "nodev", "noexec")
        app.script.created(snapshot(mounts=(root, proc, new)))
        await settled(pilot, lambda: len(panel.plain_lines) == 5)
        marks = [(line[0], line[2:].split()[0]) for line in panel.plain_lines]
        assert marks == [("~", "/"), (" ", "/proc"), ("+", "/tmp"), ("-", "/dev"), ("-", "/dev/pts")]
        assert "+1 -2 ~1" in screen_text(app)


async def test_many_mounts_scroll(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        many = tuple(mount(700 + i, 700, f"/mnt/{i:03}" if i else "/", "tmpfs", "tmpfs") for i in range(300))
        app.script.created(snapshot(mounts=many))
        await pilot.press("5")
        await settled(pilot, lambda: "/mnt/003" in screen_text(app))
        await pilot.press("end")
        await settled(pilot, lambda: "/mnt/299" in screen_text(app))
        assert screen.query_one(MountsPanel).virtual_size.height == 300


async def test_text_is_found_in_the_output_and_in_the_guide(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        printed = "".join(f"line {number} {'needle' * (number % 30 == 7)}\n" for number in range(90))
        app.script.call("state", printed=printed)
        await pilot.press("3", "/", *"NEED")
        await settled(pilot, lambda: "1/3 件目" in screen_text(app) and "line 7 needle" in screen_text(app))
        assert screen.get_selected_text() == "needle"[:4], "it is marked"
        await pilot.press("enter", "down")
        await settled(pilot, lambda: "3/3 件目" in screen_text(app) and "line 67 needle" in screen_text(app))
        await pilot.press("enter", "up", "up")
        await settled(pilot, lambda: "2/3 件目" in screen_text(app) and "line 37 needle" in screen_text(app))
        await pilot.press("escape")
        await settled(pilot, lambda: screen.focused is screen.query_one(OutputPane))
        await pilot.press("1", "/", *"root.path")
        await settled(pilot, lambda: "件目" in screen_text(app) and "root.path" in screen_text(app))
        await pilot.press(*["backspace"] * 9, *"bundle", "escape", "g")
        await settled(pilot, lambda: "選んだ文字に出てくる用語" in screen_text(app))
        await pilot.press("escape", "/")
        await settled(pilot, lambda: screen.search.line.is_open)
        await pilot.press(*"qqq")
        await settled(pilot, lambda: "見つかりません" in screen_text(app))
        assert app.script.executed == []


async def test_what_is_to_be_observed_is_not_told_beforehand(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=LARGE) as pilot:
        await opened(pilot)
        step = app.script.enter_kind("observe")
        found = Evidence("config.json /root/path", "any", "folder7", "cat config.json")
        verdict = Verdict(step.checks[0].id, step.checks[0].text, passed=True, evidence=(found,))
        app.script.check(verdict, asked=False)
        await settled(pilot, lambda: step.title in screen_text(app))
        assert "folder7" not in screen_text(app)
        app.script.check(verdict)
        await settled(pilot, lambda: "folder7" in screen_text(app))


async def test_the_end_of_a_step_is_in_sight_when_its_checks_have_just_passed(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        step = app.script.enter_kind("edit-config")
        found = Evidence("config.json /process/args", "any", "any", "cat config.json")
        app.script.check(*(Verdict(check.id, check.text, True, (found,)) for check in step.checks))
        app.script.pass_step()
        await settled(pilot, lambda: "✓ できました。  n 次へ進む" in screen_text(app))
        await pilot.pause(0.3)
        assert "✓ できました。  n 次へ進む" in screen_text(app), (
            "the verdicts do not take it out of sight again"
        )


async def test_nothing_is_shown_beside_what_is_in_preparation(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        screen.preparing = True
        await settled(pilot, lambda: "ラボを準備しています" in screen_text(app))
        assert _shown(screen, ("guide", "config", "output", "namespaces", "mounts", "processes")) == []
