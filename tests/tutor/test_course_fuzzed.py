"""Lessons with a slip in one file: a sample of `python -m tests.lessons_fuzz`, which tries 450."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.lessons_fuzz import fuzz

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_nearly_a_lesson_is_told_with_its_place_or_sound(tmp_path: Path) -> None:
    sound, failures = fuzz(10, tmp_path, first=450)
    assert not failures, "\n".join(failures)
    assert 0 < sound < 10
