"""Keys take effect in their order, also where many arrive at once: over SSH, with keys held down, from a paste."""

from __future__ import annotations

import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.events import Key, MouseEvent, Paste

from tests.support.lab import until
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.tui import opened, screen_text, scripted_app, settled
from tutor.tui.key_order import Typed
from tutor.tui.keyboard import ESCAPE_DELAY, FEWEST_PASTED, Keyboard
from tutor.tui.screens.dialogs import Pick
from tutor.tui.screens.home import HomeScreen
from tutor.tui.widgets.command_line import CommandLine
from tutor.tui.widgets.editor import ConfigPane
from tutor.tui.widgets.guide import Guide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.message import Message

SCRIPT = (
    "import sys; from pathlib import Path; from tests.support.tui import ScriptedSession, scripted_app\n"
    "write = ScriptedSession.write_config\n"
    "def write_config(session, text, seen=None):\n"
    "    Path(sys.argv[1], 'saved').write_text(text)\n"
    "    return write(session, text, seen)\n"
    "ScriptedSession.write_config = write_config\n"
    "scripted_app(Path(sys.argv[1]), 'en').run()\n"
)


def names(messages: list[Message]) -> list[str]:
    """Return keys by their names, pastes by their text."""
    return [
        each.key
        if isinstance(each, Key)
        else repr(each.text)
        if isinstance(each, Paste)
        else type(each).__name__
        for each in messages
    ]


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("\x7f\x7fs", ["backspace", "backspace", "s"]),
        ("\x1b[D\x1b[DX", ["left", "left", "X"]),
        ("\x1bn", ["escape", "n"]),
        ("\x1b2{", ["escape", "2", "left_curly_bracket"]),
        ("\x1b\x1b[A", ["escape", "up"]),
        ("\x1bOP\x1b[15~\x1b[[A", ["f1", "f5", "f1"]),
        ("\x1bb\x1bf\x1b\x7f", ["ctrl+left", "ctrl+right", "ctrl+w"]),
        ("日本語", ["日", "本", "語"]),
        ("a\x1b[200~b\rc\x1b[201~d", ["a", "'b\\nc'", "d"]),
        ("\x1b[200~\x1b[A\x1b[201~", ["'\\x1b[A'"]),
        ("\x1b[<35;10;5Ma", ["MouseMove", "a"]),
        ("\x1b]11;rgb:0000/0000/0000\x07a", ["a"]),
        ("x" * FEWEST_PASTED, [repr("x" * FEWEST_PASTED)]),
        ("\x1b" + "line\r" * 20 + "\x13", ["escape", repr("line\n" * 20), "ctrl+s"]),
    ],
)
def test_what_the_terminal_sends(sent: str, keys: list[str]) -> None:
    assert names(list(Keyboard().feed(sent))) == keys


@pytest.mark.parametrize(
    "sent", ["\x7fs\x1b[D\x1b[1;5HX", "a\x1b[200~b\x1b[201~c", "\x1b[<35;10;5Ma\x1b[15~"]
)
def test_it_does_not_matter_where_reads_divide_it(sent: str) -> None:
    whole = names(list(Keyboard().feed(sent)))
    for place in range(1, len(sent)):
        keyboard = Keyboard()
        assert names([*keyboard.feed(sent[:place]), *keyboard.tick(), *keyboard.feed(sent[place:])]) == whole


def test_the_end_of_a_paste_is_no_keys() -> None:
    keyboard = Keyboard()
    found = [*keyboard.feed("q" * FEWEST_PASTED), *keyboard.feed("q\r")]
    assert not [each for each in found if isinstance(each, Key)]


def test_escape_alone_is_a_key_after_a_moment() -> None:
    keyboard = Keyboard()
    assert list(keyboard.feed("\x1b")) == []
    assert names(until(lambda: list(keyboard.tick()), ESCAPE_DELAY + 5)) == ["escape"]
    assert not any(isinstance(each, MouseEvent) for each in keyboard.tick())


def burst(sent: str) -> Typed:
    """Return keys as they come from a terminal that has sent them at once."""
    return Typed([each for each in Keyboard().feed(sent) if isinstance(each, Key | Paste)])


async def test_a_burst_that_leads_through_several_widgets(tmp_path: Path) -> None:
    """Each key is for the widget that the keys before it led to."""
    app = scripted_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        area = screen.query_one(ConfigPane).area
        app.post_message(burst('2ab\x7f\x7fs"\x1b[D\x1b[DX\x1b:help\r'))
        await settled(pilot, lambda: area.text.startswith('Xs"'))
        await settled(pilot, lambda: type(app.screen).__name__ == "Help")
        app.post_message(burst("\x1b1:list\r2Y\x1bn"))
        await settled(pilot, lambda: app.script.executed == ["list", "next"])
        assert area.text.startswith('XYs"')
        assert isinstance(screen.focused, Guide) or not screen.typing
        assert not screen.query_one(CommandLine).is_open


async def test_what_is_pasted_outside_of_a_text_is_no_keys(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        app.post_message(burst("next\rq" * 20))
        await settled(pilot, lambda: "貼り付けたテキストは無視しました" in screen_text(app))
        assert app.script.executed == []


async def test_a_burst_in_a_choice(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, lesson_id=None)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot, lambda: isinstance(app.screen, HomeScreen))
        home = app.screen
        assert isinstance(home, HomeScreen)
        app.post_message(burst("e\x1b[B\re\x1b[B\r"))
        await settled(pilot, lambda: home.engine == "crun" and not isinstance(app.screen, Pick))


async def test_keys_are_taken_while_events_of_a_command_pour_in(tmp_path: Path) -> None:
    app = scripted_app(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        app.script.call("state", printed="".join(f"line {number}\n" for number in range(300)))
        app.post_message(burst("2" + "ab\x7f" * 20))
        for number in range(200):
            app.script.call("list", printed=f"{number}\n")
        await settled(pilot, lambda: screen.query_one(ConfigPane).area.text.startswith("a" * 20 + "{"))


@pytest.fixture(name="terminal")
def _terminal(tmp_path: Path) -> Iterator[PseudoTerminal]:
    environ = {"PYTHONPATH": str(Path(__file__).parents[2]), "LC_ALL": "C.UTF-8"}
    with PseudoTerminal([sys.executable, "-c", SCRIPT, str(tmp_path)], environ, columns=120) as terminal:
        terminal.wait_for("n go on")
        terminal.type("2")
        terminal.wait_for("Esc")
        yield terminal


def saved(terminal: PseudoTerminal, tmp_path: Path, text: str) -> str:
    """Wait until a text that contains `text` has been saved, and return it; the terminal takes what is drawn meanwhile."""
    path = tmp_path / "saved"

    def look() -> str:
        terminal.read()
        found = path.read_text(encoding="utf-8") if path.exists() else ""
        return found if text in found else ""

    return until(look)


def test_keys_that_a_terminal_sends_at_once(terminal: PseudoTerminal, tmp_path: Path) -> None:
    terminal.type('\x1b[1;5Habc\x7f\x7fs"\x1b[D\x1b[DX\x13')
    assert saved(terminal, tmp_path, "X").startswith('aXs"{')
    terminal.type("\x1bn")
    terminal.wait_for("step 2/")
    # Selected by the mouse: pressed on column 2 of the first line, drawn to column 10, and let go.
    terminal.type("\x1b[<0;2;1M\x1b[<32;10;1M\x1b[<0;10;1m\x03")
    terminal.wait_for_sequence(f"\x1b]52;c;{b64encode(b'oci-tutor').decode()}\x07")
    terminal.wait_for("9 selected characters are copied")
    copied = tmp_path / "state" / "copied.txt"
    assert copied.read_text(encoding="utf-8") == "oci-tutor"
    assert copied.stat().st_mode & 0o077 == 0
    terminal.type("\x03")
    terminal.wait_for("Press q or Ctrl-Q to quit")


def test_a_paste_that_the_terminal_does_not_mark(terminal: PseudoTerminal, tmp_path: Path) -> None:
    lines = "".join(f'  "number {number}": "a value of forty characters or so",\r' for number in range(2000))
    before = terminal.seconds_used()
    for place in range(0, len(lines), 1000):
        terminal.type(lines[place : place + 1000])
        terminal.read()
    terminal.type("\x13")
    text = saved(terminal, tmp_path, "number 1999")
    assert lines.replace("\r", "\n") in text
    assert terminal.seconds_used() - before < 2
