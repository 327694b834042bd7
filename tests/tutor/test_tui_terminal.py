"""The terminal beside the text: a real shell in a pane, whose keys are its own, and that holds up nothing else."""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING

import pytest
from textual.events import Key

from tests.support.tui import opened, screen_text, scripted_app, settled
from tutor.tui.terminal.emulator import MOST_LINES, Emulator
from tutor.tui.widgets.terminal import TerminalBar, TerminalView

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from textual.pilot import Pilot

    from tests.support.tui import ScriptedApp


async def type_in(pilot: Pilot[Any], text: str) -> None:
    for character in text:
        await pilot.press("enter" if character == "\n" else character)


async def shell(pilot: Pilot[Any], app: ScriptedApp) -> None:
    await pilot.press("f9")
    await settled(pilot, lambda: "lab $" in screen_text(app))


async def test_a_shell_beside_the_text_has_every_key_but_the_function_keys(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, "en")
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        await pilot.press("f9")
        await type_in(pilot, "echo n1 こんにちは世界 | sed s/n1/seen/\n")  # typed before the shell is there
        await settled(pilot, lambda: "\nseen こんにちは世界" in _pane(app))
        assert "keys go here  F9 back" in screen_text(app)
        assert "F9 n go on" in screen_text(app), "the guide stays in sight, and names the keys that work"
        await pilot.press("ctrl+c", "ctrl+q", "ctrl+p", "escape", "tab", "ctrl+u")
        await type_in(pilot, "n=5; echo $((n+2))\n")
        await settled(pilot, lambda: "\n7" in _pane(app))
        assert app.script.executed == []
        await pilot.press("f5")
        await settled(pilot, lambda: app.script.executed == ["create"] and not screen.bridge.busy)
        assert screen.terminals.has_focus, "an operation leaves the keys where they are"
        await pilot.press("f9", "n")
        await settled(pilot, lambda: app.script.executed == ["create", "next"] and app.script.looked == 1)
        await pilot.press("f9")
        await type_in(pilot, "exit\n")
        await settled(pilot, lambda: not screen.terminals.has_focus)
        await settled(pilot, lambda: "ended  F9 opens another" in screen_text(app))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_terminal_is_in_sight_where_it_has_the_keys_and_knows_its_size(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = scripted_app(tmp_path, "en")
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot)
        await shell(pilot, app)
        view = screen.query_one(TerminalView)
        for keys in ((), ("f4",), ("f4",)):
            await pilot.press(*keys)
            await pilot.pause()
            assert view in screen._compositor.visible_widgets
            assert screen.query_one(TerminalBar) in screen._compositor.visible_widgets
            columns, rows = view.columns_and_rows
            await type_in(pilot, "clear; stty size\n")
            await settled(pilot, lambda rows=rows, columns=columns: f"\n{rows} {columns}\n" in _pane(app))  # type: ignore[misc]
        await pilot.press("f4", "f9")
        await pilot.pause()
        assert not screen.has_class("-zoomed")
        assert screen.focused in screen._compositor.visible_widgets


async def test_a_line_of_the_guide_runs_by_a_key(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, "en")
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        step = app.script.enter_kind("shell")
        await settled(pilot, lambda: step.title in screen_text(app))
        await pilot.press("r")
        await settled(pilot, lambda: "Which line should the terminal run?" in screen_text(app))
        await pilot.press("enter")
        await settled(pilot, lambda: "lab $ ls" in _pane(app) and app.script.lines == 1)
        await type_in(pilot, "cat\n")
        await settled(pilot, lambda: "lab $ cat" in _pane(app))
        await pilot.press("f9", "r", "enter")
        await settled(pilot, lambda: "Another program runs in the terminal" in screen_text(app))


async def test_a_flood_holds_up_nothing(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, "en")
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        await shell(pilot, app)
        await type_in(pilot, "yes にほんご\n")
        await settled(pilot, lambda: _pane(app).count("にほんご") > 9)
        began = process_time()
        await pilot.press("f9", "n")
        await settled(pilot, lambda: app.script.executed == ["next"])
        assert process_time() - began < 3  # of the processor, which other programs may have, too
        assert screen.query_one(TerminalView).virtual_size.height <= MOST_LINES + 100
        await pilot.press("f9", "ctrl+c")
        await type_in(pilot, "clear; echo over\n")
        await settled(pilot, lambda: "\nover\nlab $" in _pane(app))


async def test_a_shell_that_cannot_be_opened_is_told_and_gives_the_keys_back(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, "en")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        app.script.failure = OSError(28, "No space left on device")
        await pilot.press("f9")
        await settled(pilot, lambda: not screen.terminals.has_focus)
        await settled(pilot, lambda: "No space left on device" in screen_text(app))
        app.script.failure = None
        await shell(pilot, app)


def test_the_emulator_keeps_the_screen_below_a_program_that_takes_it_whole() -> None:
    sent: list[bytes] = []
    emulator = Emulator(20, 3, sent.append)
    emulator.feed("一\r\n二\r\n三\r\n四".encode())
    assert [emulator.text(line) for line in range(emulator.height)] == ["一", "二", "三", "四"]
    emulator.press(Key("up", None))
    emulator.feed(b"\x1b[?1049h\x1b[?1h\x1b[2J\x1b[>4;2m\x1b[H~vim\x1b[6n")
    emulator.press(Key("up", None))
    assert emulator.text(1) == "~vim"
    emulator.feed(b"\x1b[?1l\x1b[?1049l")
    assert [emulator.text(line) for line in range(emulator.height)] == ["一", "二", "三", "四"]
    assert sent == [b"\x1b[A", b"\x1b[1;5R", b"\x1bOA"]
    emulator.feed(b"\x1b[8;50;200t\x1b[?40h\x1b[?3h\x9bgarbage\xff\xfe\x1b]52;c;?\x07\r\n")
    assert emulator.height == 4, "a program cannot change the size of the pane"
    emulator.feed(b"y\r\n" * (MOST_LINES + 50))
    assert emulator.height == MOST_LINES + 3


def _pane(app: ScriptedApp) -> str:
    """Return the lines of the terminal's pane, without blanks at their ends."""
    view = app.screen.query_one(TerminalView)
    if view.terminal is None:
        return ""
    emulator = view.terminal.emulator
    return "\n".join(["", *(emulator.text(line) for line in range(emulator.height))])
