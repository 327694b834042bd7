"""Three lessons, walked in a real terminal in both languages, in the TUI and the REPL, small and large; progress is kept in each case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.walking import ReplWalk, TuiWalk, Walk
from tutor.course.model import EditConfig

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.model import Step
    from tutor.engines.model import EngineName
    from tutor.messages import Language

pytestmark = [pytest.mark.root, pytest.mark.peer("tmux")]

FIRST = "first-container"


class _ByHand(TuiWalk):
    """Edits one configuration in the editor, key by key."""

    def do(self, step: Step) -> None:
        if isinstance(step.activity, EditConfig) and step.id == "change-config":
            self.change_a_word_by_hand("alpine", "alpines")
        else:
            super().do(step)


def _step_after(walk: Walk, step_id: str) -> int:
    """Return the number, from 1, of the step that follows one."""
    return [step.id for step in walk.lesson.steps].index(step_id) + 2


@pytest.mark.parametrize(
    ("face", "words", "size", "language"),
    [
        pytest.param(_ByHand, ["start", FIRST], (80, 24), "ja", id="tui-80x24-ja"),
        pytest.param(ReplWalk, ["repl", FIRST], (120, 40), "en", id="repl-120x40-en"),
    ],
)
def test_a_lesson_goes_on_where_it_was_left_or_killed(
    tmp_path: Path, face: type[Walk], words: list[str], size: tuple[int, int], language: Language
) -> None:
    walk = face(tmp_path, FIRST, words, size, "runt", language)
    created, running = _step_after(walk, "create"), _step_after(walk, "start")
    with walk.at_the_terminal():
        walk.walk(last=created - 1)
        walk.again(created, kill=False)
        walk.walk(created, running - 1)
        walk.again(running, kill=True)
        walk.walk(running)
        walk.finish()


@pytest.mark.parametrize(
    ("face", "words", "size", "engine", "language"),
    [
        pytest.param(
            ReplWalk,
            ["repl"],
            (80, 24),
            "runc",
            "ja",
            id="repl-80x24-runc-ja",
            marks=pytest.mark.peer("runc"),
        ),
        pytest.param(
            TuiWalk,
            ["start"],
            (200, 60),
            "runc",
            "en",
            id="tui-120x40-runc-en",
            marks=pytest.mark.peer("runc"),
        ),
    ],
)
def test_the_lesson_of_the_lifecycle(
    tmp_path: Path,
    face: type[Walk],
    words: list[str],
    size: tuple[int, int],
    engine: EngineName,
    language: Language,
) -> None:
    _walk(face(tmp_path, "lifecycle", [*words, "lifecycle"], size, engine, language))


@pytest.mark.parametrize(
    ("face", "words", "size", "language"),
    [
        pytest.param(TuiWalk, ["start"], (200, 60), "ja", id="tui-200x60-ja"),
        pytest.param(ReplWalk, ["repl"], (200, 60), "en", id="repl-200x60-en"),
    ],
)
def test_the_lesson_of_the_archive(
    tmp_path: Path, face: type[Walk], words: list[str], size: tuple[int, int], language: Language
) -> None:
    _walk(face(tmp_path, "docker-archive", [*words, "docker-archive"], size, "runt", language))


def _walk(walk: Walk) -> None:
    with walk.at_the_terminal():
        walk.walk()
        walk.finish()
