"""Nothing of a line is lost where room gets scarce: a scroll bar, a narrow panel, a text that grows below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.tui import CONFIG, OWN, opened, screen_text, scripted_app, settled
from tutor.session.events import Notice
from tutor.text import cell_width
from tutor.tui.widgets.editor import ConfigPane
from tutor.tui.widgets.guide import Guide
from tutor.tui.widgets.namespaces import NamespacesPanel
from tutor.tui.widgets.output import OutputPane

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.messages import Language


async def test_no_character_is_covered_by_a_scroll_bar_that_appears(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, "en")
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        output = screen.query_one(OutputPane)
        await pilot.press("3")
        await settled(pilot, lambda: output.size.width > 0)
        line = "x" * (output.scrollable_content_region.width - 2) + "Z"
        app.script.call("state", printed=f"{line}\n")
        await settled(pilot, lambda: f"{line}" in screen_text(app))
        app.script.call("list", printed=f"{line}\n" * 100)
        await settled(pilot, lambda: output.show_vertical_scrollbar)
        await settled(pilot, lambda: screen_text(app).count(f"{line}") > 5)
        assert not output.show_horizontal_scrollbar


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_the_numbers_of_namespaces_are_whole(tmp_path: Path, language: Language) -> None:
    app = scripted_app(tmp_path, language)
    async with app.run_test(size=(110, 24)) as pilot:
        screen = await opened(pilot)
        app.script.created()
        panel = screen.query_one(NamespacesPanel)
        await settled(pilot, lambda: panel.show_vertical_scrollbar)
        await settled(pilot, lambda: str(OWN["mnt"]) in screen_text(app))
        width = panel.scrollable_content_region.width
        assert max(map(cell_width, panel.plain_lines[:8])) <= width


async def test_the_line_of_the_cursor_stays_in_sight_when_the_text_of_a_problem_grows(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press("2")
        area = screen.query_one(ConfigPane).area
        area.text = CONFIG.replace('"linux": {}', '"linux": {\n' + "\n" * 30 + "}")
        visible = area.size.height
        area.move_cursor((visible - 1, 0))
        await settled(pilot, lambda: area.cursor_screen_offset.y == area.region.bottom - 1)
        await pilot.press(*"LAST" * 6)
        await settled(pilot, lambda: area.size.height < visible)
        await settled(
            pilot, lambda: "LASTLAST" in screen_text(app).split("config.json")[-1].rpartition("✗")[0]
        )


async def test_the_scroll_bar_stands_where_the_text_does(tmp_path: Path) -> None:
    """Also after a long step that was read to its end, where a short one needs no bar until something is said below it."""
    app = scripted_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        guide = app.screen.query_one(Guide)
        app.script.enter_kind("edit-config")
        await settled(pilot, lambda: guide.show_vertical_scrollbar)
        await pilot.press("end")
        await settled(pilot, lambda: guide.scroll_y > 0)
        assert app.script.lesson is not None
        app.script.enter([step.id for step in app.script.lesson.steps].index("delete"))
        await settled(pilot, lambda: not guide.show_vertical_scrollbar)
        app.script.publish(Notice("warning", "a dead end", "why\nwhy\nwhy", "what now"))
        await settled(pilot, lambda: guide.show_vertical_scrollbar)
        assert guide.scroll_y == 0
        assert guide.vertical_scrollbar.position == 0
        await settled(pilot, lambda: "PgDn" in screen_text(app))


async def test_lines_take_the_room_of_a_scroll_bar_that_went(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=(200, 60)) as pilot:
        screen = await opened(pilot)
        output = screen.query_one(OutputPane)
        app.script.call("state", printed="x\n" * 80)
        await settled(pilot, lambda: output.show_vertical_scrollbar)
        app.script.open("first-container")
        await settled(pilot, lambda: not output.show_vertical_scrollbar)
        width = output.scrollable_content_region.width
        await settled(pilot, lambda: output.plain_lines == [line.plain for line in output.build(width)])
