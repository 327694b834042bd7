"""The terminal goes (a window closed, a connection cut, tmux killed): every face ends, keeps what was typed, and leaves nothing."""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Traces, until, until_nothing
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.terminal import Terminal
from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.root

ROOT = Path(__file__).parents[2]
CACHE = Path("/tmp/oci-tutor-test-cache")
HUNG_UP = 129
LESSON = "first-container"
SHELL = "(oci-tutor:runt)"


def environment(home: Path) -> dict[str, str]:
    CACHE.mkdir(exist_ok=True)
    (home / "tmp").mkdir()
    (home / "cache").symlink_to(CACHE)
    kept = {name: value for name, value in os.environ.items() if name not in ("VISUAL", "EDITOR")}
    own = {"OCI_TUTOR_HOME": str(home), "OCI_TUTOR_IMAGE": "mini", "TMPDIR": str(home / "tmp")}
    return {**kept, **own, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}


def start(home: Path, *arguments: str, controlling: bool = False, **more: str) -> PseudoTerminal:
    argv = [sys.executable, "-m", "tutor", *arguments, "--lang", "en"]
    return PseudoTerminal(argv, environment(home) | more, columns=120, controlling=controlling)


def config(home: Path) -> Path:
    (found,) = (home / "labs" / LESSON).glob("*/config.json")
    return found


def sleep_in_a_hook(home: Path) -> None:
    value = json.loads(config(home).read_text(encoding="utf-8"))
    value["process"] |= {"terminal": False, "args": ["sleep", "1000"]}
    hooks = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "1000"]}]}
    config(home).write_text(json.dumps({"hooks": hooks, **value}), encoding="utf-8")


def in_the_lesson(terminal: PseudoTerminal, home: Path) -> None:
    terminal.wait_for("n go on")


def with_edits(terminal: PseudoTerminal, home: Path) -> None:
    in_the_lesson(terminal, home)
    terminal.type("2")
    terminal.wait_for("Esc")
    terminal.type("EDITED")
    terminal.wait_for("unsaved")  # with the first letter
    terminal.wait_for("EDITED")  # in the text of the problem, with the last one


def while_create_runs(terminal: PseudoTerminal, home: Path) -> None:
    in_the_lesson(terminal, home)
    sleep_in_a_hook(home)
    terminal.wait_for("createRuntime")
    terminal.type("\x1b[15~")
    terminal.wait_for("running (Ctrl-C")


def in_a_shell(terminal: PseudoTerminal, home: Path) -> None:
    in_the_lesson(terminal, home)
    terminal.type("!")
    terminal.wait_for(SHELL)


def in_a_busy_shell(terminal: PseudoTerminal, home: Path) -> None:
    in_a_shell(terminal, home)
    terminal.type("echo $((40 + 2)); sleep 1000\r")
    terminal.wait_for("42")


def at_the_prompt(terminal: PseudoTerminal, home: Path) -> None:
    terminal.wait_for(" runt>")


def in_a_lesson_of_lines(terminal: PseudoTerminal, home: Path) -> None:
    terminal.wait_for("Step 1")


def in_a_command(terminal: PseudoTerminal, home: Path) -> None:
    at_the_prompt(terminal, home)
    sleep_in_a_hook(home)
    terminal.type("create\r")
    terminal.wait_for("$ runt create")


def in_the_shell_of_the_repl(terminal: PseudoTerminal, home: Path) -> None:
    at_the_prompt(terminal, home)
    terminal.type("shell\r")
    terminal.wait_for(SHELL)


def in_the_editor_of_the_repl(terminal: PseudoTerminal, home: Path) -> None:
    at_the_prompt(terminal, home)
    terminal.type("edit\r")
    terminal.wait_for("^S save")
    terminal.type("EDITED")
    terminal.wait_for("EDITED")


PLACES: dict[str, tuple[tuple[str, ...], Callable[[PseudoTerminal, Path], None]]] = {
    "lesson": (("start", LESSON), in_the_lesson),
    "edits": (("start", LESSON), with_edits),
    "create": (("start", LESSON), while_create_runs),
    "shell": (("start", LESSON), in_a_shell),
    "busy shell": (("start", LESSON), in_a_busy_shell),
    "prompt": (("repl", LESSON), at_the_prompt),
    "command": (("repl", LESSON), in_a_command),
    "dumb terminal": (("repl", LESSON), in_a_lesson_of_lines),
    "shell of the REPL": (("repl", LESSON), in_the_shell_of_the_repl),
    "editor of the REPL": (("repl", LESSON), in_the_editor_of_the_repl),
}


@pytest.mark.parametrize(
    ("place", "controlling"),
    [*((place, False) for place in PLACES), ("edits", True), ("shell of the REPL", True)],
    ids=lambda value: {False: "without SIGHUP", True: "with SIGHUP"}.get(value, value),
)
def test_it_ends_and_leaves_nothing(tmp_path: Path, place: str, controlling: bool) -> None:
    arguments, go_there = PLACES[place]
    term = "dumb" if "dumb" in place else "xterm-256color"
    with start(tmp_path, *arguments, controlling=controlling, TERM=term) as terminal:
        go_there(terminal, tmp_path)
        traces = Traces(tmp_path / "state", tmp_path)
        before = _used()
        terminal.hang_up()
        assert terminal.wait_for_end() == HUNG_UP
        until_nothing(traces.left)
    assert _used() - before < 10, "it does not spin until it is killed"
    assert not [path for path in (tmp_path / "state").glob("*.log") if "Traceback" in path.read_text()]
    if "edit" in place:
        assert "EDITED" in config(tmp_path).read_text(encoding="utf-8"), "what was typed is kept"


def _used() -> float:
    """Return the seconds of processor time of the children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_the_list_of_lessons_ends(tmp_path: Path) -> None:
    with start(tmp_path) as terminal:
        terminal.wait_for("p free play")
        terminal.hang_up()
        assert terminal.wait_for_end() == HUNG_UP


def test_edits_are_kept_beside_a_file_that_was_changed_meanwhile(tmp_path: Path) -> None:
    with start(tmp_path, "start", LESSON) as terminal:
        with_edits(terminal, tmp_path)
        config(tmp_path).write_text("{}\n", encoding="utf-8")
        terminal.wait_for("changed outside")
        terminal.hang_up()
        assert terminal.wait_for_end() == HUNG_UP
    assert config(tmp_path).read_text(encoding="utf-8") == "{}\n"
    (kept,) = config(tmp_path).parent.glob("config.json.bak-*")
    assert "EDITED" in kept.read_text(encoding="utf-8")


def traces_of(state: Path, tmp_path: Path) -> Traces | None:
    """Return the traces of a lab, None while it is being set up."""
    try:
        return Traces(state, tmp_path)
    except (AssertionError, ValueError):
        return None


def test_verify_ends_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    with start(tmp_path, "verify", LESSON) as terminal:
        terminal.wait_for("runt")
        (folder,) = until(lambda: list((tmp_path / "tmp").glob("oci-verify-*")))
        traces = until(lambda: traces_of(folder / LESSON, tmp_path))
        assert traces is not None
        terminal.hang_up()
        assert terminal.wait_for_end() == HUNG_UP
        until_nothing(traces.left)
    assert not list((tmp_path / "tmp").iterdir())


def test_a_program_under_nohup_goes_on_where_it_writes_to_a_file(tmp_path: Path) -> None:
    output = tmp_path / "output"
    argv = [sys.executable, "-m", "tutor", "verify", LESSON, "--lang", "en"]
    script = f"trap '' HUP; exec \"$@\" > {output} 2>&1"
    with PseudoTerminal(["sh", "-c", script, "sh", *argv], environment(tmp_path)) as terminal:
        until(lambda: output.exists() and output.read_text(encoding="utf-8"))
        terminal.hang_up()
        assert terminal.process.wait(timeout=patience.scaled(120)) == 0
    assert f"✓ {LESSON}" in output.read_text(encoding="utf-8")


@pytest.mark.peer("tmux")
def test_a_tmux_server_that_is_killed_ends_it(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "tutor", "start", LESSON, "--lang", "en"]
    with Terminal(argv, columns=120, rows=40, environ=environment(tmp_path), cwd=ROOT) as terminal:
        terminal.wait_for("n go on")
        traces = Traces(tmp_path / "state", tmp_path)
        terminal.close()
        until_nothing(traces.left)
