"""Errors in a lesson, with their place in its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.errors import TutorError

if TYPE_CHECKING:
    from pathlib import Path


class LessonError(TutorError):
    """A defect in a lesson's files. `line` and `column` count from 1, as editors do; 0: the whole file."""

    def __init__(self, key: str, /, *, file: Path, line: int = 0, column: int = 0, **values: object) -> None:
        super().__init__(f"course.error.{key}", file=file, line=line, column=column, **values)
        self.file = file
        self.line = line
        self.column = column


class UnknownLesson(TutorError, KeyError):  # noqa: N818  (named after what the learner typed)
    """There is no lesson of that name; `near` are the names that are similar, else all of them."""

    def __init__(self, lesson_id: str, near: tuple[str, ...]) -> None:
        super().__init__("course.unknown_lesson", lesson=lesson_id, near=", ".join(near))
        self.near = near
