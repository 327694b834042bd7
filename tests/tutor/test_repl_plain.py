"""`--plain`: everything is said in lines of words, the whole first lesson too; nothing is drawn over."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.pseudo_terminal import PseudoTerminal
from tests.tutor.test_repl_script import environment, repl
from tutor import patience
from tutor.course.course import Course
from tutor.messages import LANGUAGES, Messages
from tutor.text.plain import plain
from tutor.view.plain import words

if TYPE_CHECKING:
    from pathlib import Path

LESSON = "first-container"
# Box drawing, geometric shapes and other symbols, and escape sequences.
SYMBOLS = re.compile("[\u2500-\u25ff\u2600-\u27bf\x1b]")
MESSAGES = {language: Messages.load(language) for language in LANGUAGES}


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        ("\u2713 the status is created", "passed: the status is created"),
        ("  \u25b8 Run `next`.", "  to do: Run `next`."),
        (
            "ns   whose\n\u2500\u2500  \u2500\u2500\u2500\u2500\n+ pid  \u25c6 own",
            "ns  whose\nadded: pid  own",
        ),
        ('  \u2502 {\n  \u2502   "a": 1', '    {\n      "a": 1'),
        ("    \u25cf\u25cf\u25cb\u25cb\u25cb  begun", "    begun"),
        ("\u2605 Done \u2192 on", "Done \u2192 on"),
        ("- a list item", "removed: a list item"),
        ("  - a list item", "  - a list item"),
    ],
)
def test_what_is_drawn_is_said(drawn: str, said: str) -> None:
    assert plain(drawn, words(MESSAGES["en"])) == said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "arguments",
    [("lessons",), ("lessons", "--spec-map"), ("glossary", "bundle"), ("explain", "exec format error")],
)
def test_the_commands_print_no_symbols(tmp_path: Path, language: str, arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tutor", "--plain", *arguments, "--lang", language],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=patience.scaled(60),
    )
    assert not SYMBOLS.findall(done.stdout + done.stderr)
    assert len(done.stdout.split()) > 5


@pytest.mark.root
def test_the_whole_first_lesson_is_read_from_plain_lines(tmp_path: Path) -> None:
    lesson = Course.load("en").lesson(LESSON)
    script: list[str] = []
    for step in lesson.steps:
        quiz = step.kind == "quiz"
        does = step.kind not in ("read", "observe", "shell", "quiz")
        script += (
            (["answer d"] if step.id == "review" else ["answer a"]) if quiz else ["solve"] if does else []
        )
        script += ["check", "ns"] if step.id == "waiting" else []
        script += ["next"] if quiz or does or not step.summary else ["next", "next"]
    done = repl(tmp_path, "\n".join([*script, "quit"]) + "\n", "--plain")
    said = [line for line in done.stdout.splitlines() if line]
    told = "\n".join(said)
    for number, step in enumerate(lesson.steps, 1):
        assert f"Step {number}/{len(lesson.steps)}  {step.title}" in told
    for status in ("created", "running", "stopped"):
        assert any(line.startswith(f"The container is {status}.") for line in said)
    assert "passed: the container's process is not echo" in told
    assert MESSAGES["en"]("repl.lesson.finished", title=lesson.title) in told or "finished" in told
    # An arrow is read as a word; a sentence of the lesson names the mark of a line.
    assert not SYMBOLS.findall(told.replace("\u2192", "").replace("\u2514", ""))


@pytest.mark.root
def test_at_a_terminal_nothing_is_drawn_over(tmp_path: Path) -> None:
    """A prompt, a line, and what comes of it; Ctrl-C clears a line, and the end of input ends the program."""
    command = [sys.executable, "-m", "tutor", "--plain", "start", LESSON, "--lang", "en"]
    with PseudoTerminal(command, environment(tmp_path, TERM="xterm")) as terminal:
        terminal.wait_for("[none] runt>")
        terminal.type("nonsense")
        terminal.wait_for("nonsense")
        terminal.interrupt_until("runt>")  # what is typed before the prompt is there is dropped with the line
        terminal.type("hint\r")
        terminal.wait_for("This step has no hints")
        terminal.type("shell\r")
        terminal.type("exit\r")
        terminal.type("quit\r")
        assert terminal.wait_for_end() == 0
        drawn = terminal.raw
    assert "\x1b[2K" not in drawn
    assert "\x1b[?1049h" not in drawn
