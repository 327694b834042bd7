"""What a terminal shows until there is something to show: never nothing, and nothing of it stays."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.pseudo_terminal import PseudoTerminal

if TYPE_CHECKING:
    from pathlib import Path

ERASED = "\r\x1b[K"
FIRST = f"{ERASED}oci-tutor is starting ..."


def started(home: Path, *arguments: str, **more: str) -> PseudoTerminal:
    environment = {**os.environ, "OCI_TUTOR_HOME": str(home), "OCI_TUTOR_IMAGE": "mini", "LC_ALL": "C.UTF-8"}
    return PseudoTerminal([sys.executable, "-m", "tutor", *arguments, "--lang", "en"], environment | more)


def test_the_tui_says_what_it_waits_for_until_its_first_screen(tmp_path: Path) -> None:
    with started(tmp_path) as terminal:
        terminal.wait_for_sequence("\x1b[?1049h")
        terminal.wait_for("See what a container really is")
        before, _, after = terminal.raw.partition("\x1b[?1049h")
        terminal.type("q")
        terminal.wait_for_end()
    assert before.startswith(FIRST)
    assert before.endswith(f"preparing the screen …{ERASED}")
    assert "preparing the screen …" in after.partition("See what a container")[0]


@pytest.mark.root
def test_the_repl_says_what_it_waits_for_until_its_lesson_is_open(tmp_path: Path) -> None:
    with started(tmp_path, "repl", "first-container") as terminal:
        terminal.wait_for("setting up the lab")
        terminal.wait_for("runt>")
        waited, _, _ = terminal.raw.partition("Your first container")
        terminal.type("quit\r")
        terminal.wait_for_end()
    assert waited.startswith(FIRST)
    assert "\n" not in waited
    assert "…" not in waited.rpartition(ERASED)[2]


@pytest.mark.parametrize("arguments", [("start", "nothing"), ("repl", "--nothing"), ("verify", "nothing")])
def test_an_error_stands_alone(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with started(tmp_path, *arguments) as terminal:
        assert terminal.wait_for_end() in (1, 2)
        waited, _, error = terminal.raw.rpartition(ERASED)
    assert waited.startswith(FIRST)
    assert "\n" not in waited
    assert "nothing" in error
    assert "…" not in error


def test_the_list_of_lessons_stands_alone(tmp_path: Path) -> None:
    with started(tmp_path, "lessons") as terminal:
        assert terminal.wait_for_end() == 0
        waited, _, listed = terminal.raw.rpartition(ERASED)
    assert waited.startswith(FIRST)
    assert listed.startswith("Lessons")


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_what_answers_at_once_says_nothing_before(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with started(tmp_path, *arguments) as terminal:
        assert terminal.wait_for_end() == 0
        assert "starting" not in terminal.raw


def test_a_terminal_that_erases_nothing_gets_no_such_line(tmp_path: Path) -> None:
    with started(tmp_path, "verify", "nothing", TERM="dumb") as terminal:
        terminal.wait_for_end()
        assert "starting" not in terminal.raw
        assert "\x1b" not in terminal.raw


def test_ctrl_c_while_modules_are_imported_ends_it_without_a_traceback(tmp_path: Path) -> None:
    code = (
        "import signal, sys\n"
        "from tutor import __main__ as entry\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'tutor.cli.main': signal.raise_signal(signal.SIGINT)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "sys.argv = ['oci-tutor', '--lang', 'en', 'lessons']\n"
        "sys.exit(entry.main())"
    )
    environment = {**os.environ, "OCI_TUTOR_HOME": str(tmp_path)}
    with PseudoTerminal([sys.executable, "-c", code], environment) as terminal:
        assert terminal.wait_for_end() == 130
        assert terminal.raw == f"{FIRST}{ERASED}"
