"""The REPL at a terminal: keys, signals, events while the learner types, and an end that leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Traces, until_nothing
from tests.support.pseudo_terminal import PseudoTerminal

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.root

CACHE = Path("/tmp/oci-tutor-test-cache")
PROMPT = " runt>"
CTRL_C, CTRL_D, CTRL_S = "\x03", "\x04", "\x13"


def start(home: Path, *arguments: str, columns: int = 100, **more: str) -> PseudoTerminal:
    CACHE.mkdir(exist_ok=True)
    if not (home / "cache").exists():
        (home / "cache").symlink_to(CACHE)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("VISUAL", "EDITOR", "NO_COLOR", "TERM")
    }
    environ = {**kept, "OCI_TUTOR_HOME": str(home), "LC_ALL": "en_US.UTF-8", **more}
    return PseudoTerminal(
        [sys.executable, "-m", "tutor", "repl", "first-container", *arguments], environ, columns=columns
    )


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[PseudoTerminal]:
    with start(tmp_path) as opened:
        opened.wait_for("Step 1/")
        opened.wait_for(PROMPT)
        yield opened


def config(home: Path) -> Path:
    (found,) = (home / "labs" / "first-container").glob("*/config.json")
    return found


def write_hook_that_sleeps(home: Path) -> None:
    path = config(home)
    value = json.loads(path.read_text(encoding="utf-8"))
    value["process"] |= {"terminal": False, "args": ["sleep", "1000"]}
    value["hooks"] = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "1000"]}]}
    path.write_text(json.dumps(value), encoding="utf-8")


def test_commands_are_obeyed_and_ctrl_d_leaves_nothing(terminal: PseudoTerminal, tmp_path: Path) -> None:
    traces = Traces(tmp_path / "state", tmp_path)
    terminal.type("next\r")
    terminal.wait_for("Step 1 is done")
    terminal.wait_for(PROMPT)
    terminal.type("next\r")
    terminal.wait_for("Step 2/")
    terminal.wait_for(PROMPT)
    terminal.type("list\r")
    terminal.wait_for("BUNDLE")
    terminal.wait_for("exit status 0")
    terminal.wait_for(PROMPT)
    terminal.type(CTRL_D)
    assert terminal.wait_for_end() == 0
    until_nothing(traces.left)
    assert "Traceback" not in terminal.text


def test_a_mistyped_command_is_refused_with_the_near_ones(terminal: PseudoTerminal) -> None:
    terminal.type("craete\rkill TERM\r")
    terminal.wait_for("no command craete")
    terminal.wait_for("create")
    terminal.wait_for(PROMPT)
    terminal.type("\x1b[200~state\ncraete\nkill KILL\x1b[201~\r")  # a paste that the terminal marks
    terminal.wait_for("no command craete")
    terminal.wait_for(PROMPT)
    terminal.type("\x1b[200~list\nquit\x1b[201~\r")
    assert terminal.wait_for_end() == 0
    assert re.findall(r"\$ .*?runt (\w+)", terminal.text) == ["list"], "what came with a mistake was not run"


def test_ctrl_c_at_the_prompt_clears_the_line(terminal: PseudoTerminal) -> None:
    terminal.type("kill TERM" + CTRL_C + "quit\r")
    assert terminal.wait_for_end() == 0
    assert "$ runt kill" not in terminal.text


def test_ctrl_c_ends_the_running_command_and_the_session_goes_on(
    terminal: PseudoTerminal, tmp_path: Path
) -> None:
    write_hook_that_sleeps(tmp_path)
    terminal.type("create\r")
    terminal.wait_for("$ ")
    terminal.wait_for("runt create alpine-test")
    terminal.type(CTRL_C)
    terminal.wait_for("✗")
    terminal.wait_for(PROMPT)
    terminal.type("list\r")
    terminal.wait_for("exit status 0")
    terminal.wait_for(PROMPT)
    terminal.type("quit\r")
    assert terminal.wait_for_end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("busy", [False, True], ids=["at the prompt", "in a command"])
def test_a_signal_closes_the_lab(
    terminal: PseudoTerminal, number: signal.Signals, busy: bool, tmp_path: Path
) -> None:
    traces = Traces(tmp_path / "state", tmp_path)
    if busy:
        write_hook_that_sleeps(tmp_path)
        terminal.type("create\r")
        terminal.wait_for("runt create alpine-test")
    terminal.process.send_signal(number)
    assert terminal.wait_for_end() == 128 + number
    until_nothing(traces.left)
    assert "Traceback" not in terminal.text


def test_what_happens_during_typing_is_shown_and_the_typed_text_is_kept(
    terminal: PseudoTerminal, tmp_path: Path
) -> None:
    terminal.type("lis")
    terminal.wait_for("lis")
    path = config(tmp_path)
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    terminal.wait_for("changed outside of oci-tutor")
    terminal.type("t\r")
    terminal.wait_for("BUNDLE")
    terminal.type("quit\r")
    assert terminal.wait_for_end() == 0


def test_the_shell_is_a_shell_in_the_lab_and_what_it_did_is_told_after_it(terminal: PseudoTerminal) -> None:
    terminal.type("shell\r")
    terminal.wait_for("(oci-tutor:runt)")
    terminal.type("echo in the $((40 + 2)) lab\r")
    terminal.wait_for("in the 42 lab")
    terminal.type("exit\r")
    terminal.wait_for(PROMPT)
    terminal.type("quit\r")
    assert terminal.wait_for_end() == 0


def test_the_editor_saves_and_the_session_says_so(terminal: PseudoTerminal, tmp_path: Path) -> None:
    terminal.type("edit\r")
    terminal.wait_for("^S save")
    terminal.type(" " + CTRL_S)
    terminal.wait_for(
        "saved"
    )  # the path before it is as long as the tests' folder, and may be divided anywhere
    terminal.wait_for(PROMPT)
    terminal.type("quit\r")
    assert terminal.wait_for_end() == 0
    assert config(tmp_path).read_text(encoding="utf-8").startswith(" {")


def test_the_learners_own_editor_is_used_and_may_be_used_again(tmp_path: Path) -> None:
    with start(tmp_path, EDITOR="sed -i s/{/[/") as terminal:
        terminal.wait_for(PROMPT)
        terminal.type("edit\r")
        terminal.wait_for("Edit it again?")
        terminal.type("n\r")
        terminal.wait_for(PROMPT)
        terminal.type("quit\r")
        assert terminal.wait_for_end() == 0
        assert "✗ " in terminal.text


def test_history_lasts_from_one_session_to_the_next(terminal: PseudoTerminal, tmp_path: Path) -> None:
    terminal.type("help ns\r")
    terminal.wait_for("namespaces")
    terminal.type("quit\r")
    assert terminal.wait_for_end() == 0
    with start(tmp_path) as again:
        again.wait_for(PROMPT)
        again.type("\x1b[A\x1b[A\r")  # quit, then help ns
        again.wait_for("namespaces")
        again.type("quit\r")
        assert again.wait_for_end() == 0


def test_no_color_is_honoured(tmp_path: Path) -> None:
    with start(tmp_path, NO_COLOR="1") as terminal:
        terminal.wait_for(PROMPT)
        terminal.type("ns\rquit\r")
        assert terminal.wait_for_end() == 0
        for code in (*range(30, 38), *range(90, 98)):
            assert f"\x1b[{code}m" not in terminal.raw
            assert f";{code}m" not in terminal.raw
