"""Japanese on Textual's screen; these tests fail if a new Textual divides its lines in another way."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

from textual import content
from textual._cells import cell_len
from textual._compositor import Compositor
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Markdown, Static

from tests.support.tui import opened, screen_text, scripted_app, settled
from tutor.text import NO_LINE_BEGINS_WITH, NO_LINE_ENDS_WITH
from tutor.tui import japanese, screens
from tutor.tui.widgets.guide import Guide
from tutor.tui.widgets.output import OutputPane

STYLES = Path(screens.__file__).parent / "base.tcss"
PROSE = "name はコンテナの名前です。この時点で echo は動いているでしょうか（予想）。コンテナランタイムを「確かめ」ましょう！"


class Prose(App[None]):
    def compose(self) -> ComposeResult:
        yield Static(PROSE)
        yield Markdown(PROSE, parser_factory=japanese.markdown_parser)


def test_textual_still_divides_lines_in_the_function_that_is_replaced() -> None:
    assert "divide_line" in vars(content)
    assert "divide_line(" in inspect.getsource(Content._wrap_and_format)


async def test_no_line_on_the_screen_begins_or_ends_as_japanese_forbids() -> None:
    japanese.install()
    for width in (17, 20, 23, 31):
        async with Prose().run_test(size=(width, 40)) as pilot:
            lines = [line.strip() for line in screen_text(pilot.app).splitlines() if line.strip()]
            assert "".join(lines).replace(" ", "") == (PROSE * 2).replace(" ", "")
            assert not [line for line in lines if line[0] in NO_LINE_BEGINS_WITH]
            assert not [line for line in lines if line[-1] in NO_LINE_ENDS_WITH]


async def test_a_line_is_filled_where_japanese_follows_latin() -> None:
    japanese.install()
    async with Prose().run_test(size=(20, 40)) as pilot:
        assert screen_text(pilot.app).splitlines()[0].rstrip() == "name はコンテナの名"


TABLE = (
    "| 仕組み | `config.json` |\n| --- | --- |\n| ケーパビリティ（capabilities） | `process.capabilities` |"
)


class Table(App[None]):
    CSS_PATH = STYLES

    def compose(self) -> ComposeResult:
        yield Markdown(TABLE, parser_factory=japanese.markdown_parser)


async def test_a_table_in_a_narrow_pane_shows_every_word() -> None:
    japanese.install()
    async with Table().run_test(size=(30, 20)) as pilot:
        rows = [line.split("│")[1:-1] for line in screen_text(pilot.app).splitlines() if "│" in line]
    columns = ["".join(cell.strip() for cell in column) for column in zip(*rows, strict=True)]
    assert columns == ["仕組みケーパビリティ（capabilities）", "config.jsonprocess.capabilities"]


async def test_what_the_mouse_selects_is_copied_with_every_character_under_it(tmp_path: Path) -> None:
    """Pressed on either half of a character and let go on either half of another; in text, and in a panel of lines."""
    app = scripted_app(tmp_path, "ja")
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        app.script.call("state", printed="あいうえお\n")
        await settled(
            pilot,
            lambda: (
                all(text in screen_text(app) for text in ("あいうえお", "コンテ")) and not screen.bridge.busy
            ),
        )
        for widget, wanted in ((OutputPane, "いうえ"), (Guide, "コンテ")):
            area = screen.query_one(widget).region
            rows = screen_text(app).split("\n")
            y, x = next(
                (y, cell_len(row[: row.index(wanted, at)]))
                for y, row in enumerate(rows)
                if area.y < y < area.bottom
                for at in range(len(row))
                if row.startswith(wanted, at) and area.x < cell_len(row[:at]) < area.right
            )
            for begin, end in ((0, 4), (1, 4), (0, 5), (1, 5), (5, 1)):
                await pilot.mouse_down(offset=(x + begin, y))
                await pilot.hover(offset=(x + end, y))
                await pilot.mouse_up(offset=(x + end, y))
                assert screen.get_selected_text() == wanted, (widget, begin, end)
                await pilot.press("ctrl+c")
                assert app.clipboard == wanted
                assert screen.get_selected_text() is None, "the next Ctrl-C interrupts"
        await settled(pilot, lambda: "選択した 3 文字をコピーしました。" in screen_text(app))
        assert "copied.txt" in screen_text(app)


def test_textual_still_takes_the_right_half_of_a_character_for_the_next() -> None:
    """When this fails, `_whole_character_at` is needed no more."""
    source = inspect.getsource(japanese._character_at)
    assert "if segment_cell_length >= cell_cut:" in source
    assert Compositor.get_widget_and_offset_at is japanese._whole_character_at


def test_a_line_end_between_japanese_characters_is_no_space_and_between_words_it_is() -> None:
    tokens = japanese.markdown_parser().parse("手前まで、\nすべて\nthe end\nof it")
    texts = [child.content or child.type for child in tokens[1].children or []]
    assert texts == ["手前まで、", "すべて", "softbreak", "the end", "softbreak", "of it"]


def test_the_keyboard_protocol_that_garbles_input_methods_is_off() -> None:
    program = "import tutor.tui.app; from textual import constants; print(constants.DISABLE_KITTY_KEY)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "True\n"
