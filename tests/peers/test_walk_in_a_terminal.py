"""The whole lesson, walked by keys in a real terminal: both faces, small and large, on runt and on runc, in both languages."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Traces, until_nothing
from tests.support.terminal import Terminal
from tutor.course.course import Course
from tutor.course.model import EditConfig, Observe, Quiz, Read, RunOperation, Shell
from tutor.course.progress import LessonProgress, Progress
from tutor.messages import Messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tutor.course.model import Lesson, Step
    from tutor.messages import Language

pytestmark = [pytest.mark.root, pytest.mark.peer("tmux")]

LESSON = "first-container"
FUNCTION_KEYS = {"create": "F5", "start": "F6", "kill": "F7", "delete": "F8", "state": "F2", "list": "F3"}
PANEL_KEYS = {"config": "2", "output": "3", "namespaces": "4", "mounts": "5", "processes": "6"}


@dataclass
class Walk:
    """A learner at a terminal."""

    terminal: Terminal
    lesson: Lesson
    m: Messages
    home: Path

    @property
    def config(self) -> Path:
        return self.home / "labs" / LESSON / self.lesson.lab.bundle / "config.json"

    def at(self, number: int) -> str:
        """Return how the header or the prompt says that the learner stands at a step, from 1."""
        return f" {number}/{len(self.lesson.steps)} "

    def progress(self) -> LessonProgress:
        return Progress(self.home / "state").of(LESSON)

    def passed(self) -> tuple[str, ...]:
        return self.progress().passed


@contextmanager
def _walking(
    tmp_path: Path, words: list[str], size: tuple[int, int], engine: str, language: Language
) -> Iterator[Walk]:
    program = str(Path(sys.executable).with_name("oci-tutor"))
    environ = {
        "OCI_TUTOR_HOME": str(tmp_path),
        "LANG": "ja_JP.UTF-8" if language == "ja" else "en_US.UTF-8",
        "LC_ALL": "",
        "TERM": "xterm-256color",
    }
    argv = [program, *words, "--engine", engine]
    with Terminal(argv, columns=size[0], rows=size[1], environ=environ, cwd=tmp_path) as terminal:
        yield Walk(terminal, Course.load(language).lesson(LESSON), Messages(language), tmp_path)


def _type_another_word(walk: Walk, text: str) -> None:
    """Change "alpine" in the editor by hand: to its line, to the end of it, and type."""
    line = next(number for number, line in enumerate(text.splitlines()) if '"alpine"' in line)
    _enter_editor(walk)
    before = walk.terminal.wait_for('"alpine"').count('"alpine"')  # the guide may have the word too
    walk.terminal.keys("C-Home", *["Down"] * line, "End", "BSpace")
    # Textual runs a key's binding later than it inserts a letter: whoever types on before BSpace is seen is too fast.
    walk.terminal.wait(lambda screen: screen.count('"alpine"') == before - 1, "the quote erased")
    walk.terminal.type('s"')
    walk.terminal.wait_for('"alpines"')
    walk.terminal.keys("C-s")
    _leave(walk)


def _enter_editor(walk: Walk) -> None:
    walk.terminal.keys("2")
    walk.terminal.wait_for("^s")


def _leave(walk: Walk) -> None:
    """Press Escape, and wait until it has been taken: with the next key behind it, it would be Alt and that key."""
    walk.terminal.keys("Escape")
    walk.terminal.wait(lambda screen: "^s" not in screen, "the editor left")
    walk.terminal.wait_for(walk.m("tui.key.check.short"))


def _press(walk: Walk, *keys: str) -> None:
    """Press keys once the bottom line offers the keys of the lesson: while a command runs it does not."""
    walk.terminal.wait_for("h " + walk.m("tui.key.hint.short"))
    walk.terminal.keys(*keys)


def _do_in_the_tui(walk: Walk, step: Step) -> None:
    match step.action:
        case Read():
            pass
        case Observe(panel="config"):
            _enter_editor(walk)
            _leave(walk)
        case Observe(panel=panel):
            walk.terminal.keys(PANEL_KEYS[panel])
            if panel == "processes":
                walk.terminal.wait_for("exec.fifo")
        case Quiz(choices=choices, answer=answer):
            walk.terminal.wait_for(choices[0].text[:10].replace("`", ""))
            _press(walk, *["Down"] * [choice.id for choice in choices].index(answer), "Enter")
        case EditConfig() if step.id == "change-config":
            _type_another_word(walk, walk.config.read_text())
        case EditConfig(solution=solution):
            walk.config.write_text(solution)  # an editor in a second terminal
        case RunOperation(operation=operation):
            _press(walk, FUNCTION_KEYS[operation])
        case Shell():
            walk.terminal.keys("!")
            walk.terminal.wait_for(walk.m("tui.shell.banner")[:20])
            walk.terminal.type("ls; exit\n")
    walk.terminal.keys("1")


def _go_on(walk: Walk, step: Step, go: Callable[[], None]) -> None:
    """Go on by `go`, as often as it takes: a step that passes by going on first shows its summary, if it has one."""
    passive = isinstance(step.action, (Read, Observe, Shell))
    if passive and step.summary:
        go()
    if not passive or step.summary:
        walk.terminal.wait(lambda _: step.id in walk.passed(), f"{step.id} passed")
    go()


@pytest.mark.parametrize(
    ("size", "engine", "language"),
    [
        pytest.param((80, 24), "runt", "ja", id="80x24-runt-ja"),
        pytest.param((200, 50), "runc", "en", id="200x50-runc-en", marks=pytest.mark.peer("runc")),
    ],
)
def test_the_lesson_in_the_tui(
    tmp_path: Path, size: tuple[int, int], engine: str, language: Language
) -> None:
    with _walking(tmp_path, [], size, engine, language) as walk:
        walk.terminal.wait_for(walk.lesson.title)
        walk.terminal.keys("Enter")
        walk.terminal.wait_for(walk.at(1))
        traces = Traces(tmp_path / "state", tmp_path)
        for number, step in enumerate(walk.lesson.steps, 1):
            walk.terminal.wait_for(walk.at(number))
            traces.note_members()
            _do_in_the_tui(walk, step)
            _go_on(walk, step, lambda: _press(walk, "n"))
        walk.terminal.wait(lambda _: walk.progress().finished, "the lesson recorded as finished")
        walk.terminal.wait_for(walk.m("tui.guide.finished")[:12])
        walk.terminal.keys("q")
        walk.terminal.wait_for("exit status 0")
        assert walk.progress().solved == ()
        until_nothing(traces.left)


def _say(walk: Walk, step: Step) -> Iterator[str]:
    """Yield the lines that a learner types for a step in the REPL."""
    match step.action:
        case Observe(panel=panel):
            yield {"namespaces": "ns", "mounts": "mounts", "processes": "ps"}.get(panel, "read")
        case Quiz(answer=answer):
            yield f"answer {answer}"
        case EditConfig(solution=solution):
            walk.config.write_text(solution)
            yield "check"
        case RunOperation(operation=operation):
            yield operation
        case Shell():
            yield "shell"
            walk.terminal.wait(lambda screen: screen.rstrip().endswith("$"), "a shell's prompt")
            yield "ls; exit"
        case _:
            yield "read"


@pytest.mark.parametrize(
    ("size", "engine", "language"),
    [
        pytest.param((80, 24), "runc", "ja", id="80x24-runc-ja", marks=pytest.mark.peer("runc")),
        pytest.param((200, 50), "runt", "en", id="200x50-runt-en"),
    ],
)
def test_the_lesson_in_the_repl(
    tmp_path: Path, size: tuple[int, int], engine: str, language: Language
) -> None:
    with _walking(tmp_path, ["repl", LESSON], size, engine, language) as walk:
        walk.terminal.wait_for(f"{LESSON}{walk.at(1)}[")
        traces = Traces(tmp_path / "state", tmp_path)
        seen: list[str] = []
        for number, step in enumerate(walk.lesson.steps, 1):
            prompt = f"{LESSON}{walk.at(number)}["
            walk.terminal.wait_for(prompt)
            traces.note_members()
            for line in _say(walk, step):
                walk.terminal.type(line + "\n")
            _go_on(walk, step, lambda: walk.terminal.type("next\n"))
            seen.append(walk.terminal.screen())
        words = walk.m("repl.lesson.finished", title=walk.lesson.title)
        walk.terminal.wait_for(words[:20])
        walk.terminal.type("quit\n")
        walk.terminal.wait_for("exit status 0")
        assert any("exec.fifo" in screen for screen in seen)
        assert walk.progress().finished
        until_nothing(traces.left)
