"""The shell in the lab has the terminal, with Ctrl-C, while the event loop of the app keeps running."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import until
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.root, pytest.mark.peer("tmux")]

ROOT = Path(__file__).parents[2]
PROMPT = "(oci-tutor:runt)"


@pytest.fixture(name="terminal")
def _terminal(tmp_path: Path) -> Iterator[Terminal]:
    argv = [sys.executable, "-m", "tutor", "start", "first-container", "--lang", "en"]
    environ = {"OCI_TUTOR_HOME": str(tmp_path), "OCI_TUTOR_IMAGE": "mini", "TERM": "xterm-256color"}
    with Terminal(argv, columns=120, rows=40, environ=environ, cwd=ROOT) as terminal:
        terminal.wait_for("n go on")
        terminal.type("!")
        terminal.wait_for(PROMPT)
        yield terminal


def app(terminal: Terminal) -> int:
    """Return the pid of oci-tutor: the only child of the window's shell."""
    return int(Path(f"/proc/{terminal.pid}/task/{terminal.pid}/children").read_text().split()[0])


def children(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def names(pid: int) -> list[str]:
    """Return the names of a process's descendants."""
    return [
        name
        for child in children(pid)
        for name in (Path(f"/proc/{child}/comm").read_text().strip(), *names(child))
    ]


def test_ctrl_c_in_the_shell_ends_what_runs_there_and_nothing_else(terminal: Terminal) -> None:
    terminal.type("sleep 5000\n")
    until(lambda: "sleep" in names(app(terminal)))
    terminal.keys("C-c")
    terminal.type("echo status $?\n")
    terminal.wait_for("status 130")
    terminal.type("exit\n")
    terminal.wait_for("n go on")
    terminal.keys("q")
    terminal.wait_for("exit status 0")


def test_the_app_hears_a_signal_while_the_shell_is_open(terminal: Terminal, tmp_path: Path) -> None:
    os.kill(app(terminal), signal.SIGTERM)
    screen = terminal.wait_for("exit status 143")
    assert "Traceback" not in screen
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    terminal.type("what is typed is seen")  # the terminal is as it was
    terminal.wait_for("what is typed is seen")


def test_a_shell_that_cannot_be_started_is_told_on_the_screen(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.support.tui import ScriptedSession, scripted_app\n"
        "ScriptedSession.shell_call = lambda session: (('/no/such/shell',), '/', {})\n"
        "scripted_app(Path(sys.argv[1]), 'en').run()\n"
    )
    argv = [sys.executable, "-c", script, str(tmp_path)]
    with Terminal(argv, columns=120, rows=40, environ={"TERM": "xterm-256color"}, cwd=ROOT) as terminal:
        terminal.wait_for("n go on")
        terminal.type("!")
        terminal.wait_for("/no/such/shell: No such file or directory")
        terminal.type("n")
        terminal.wait_for("step 2/")
