"""Japanese on Textual's screen; these tests fail if a new Textual divides its lines in another way."""

from __future__ import annotations

import inspect
import subprocess
import sys

from textual import content
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Markdown, Static

from tests.support.tui import screen_text
from tutor.text import NO_LINE_BEGINS_WITH, NO_LINE_ENDS_WITH
from tutor.tui import japanese

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


def test_a_line_end_between_japanese_characters_is_no_space_and_between_words_it_is() -> None:
    tokens = japanese.markdown_parser().parse("手前まで、\nすべて\nthe end\nof it")
    texts = [child.content or child.type for child in tokens[1].children or []]
    assert texts == ["手前まで、", "すべて", "softbreak", "the end", "softbreak", "of it"]


def test_the_keyboard_protocol_that_garbles_input_methods_is_off() -> None:
    program = "import tutor.tui.app; from textual import constants; print(constants.DISABLE_KITTY_KEY)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "True\n"
