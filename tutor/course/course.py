"""A course: its lessons in order, in one language."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tutor.course.errors import LessonError, UnknownLesson
from tutor.course.find import lessons_folder
from tutor.course.load import lesson_folders, load_lesson

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.model import Lesson
    from tutor.messages import Language


@dataclass(frozen=True, slots=True)
class Course:
    """The lessons of a folder, ordered as they are taught."""

    language: Language
    folder: Path
    lessons: tuple[Lesson, ...]

    @classmethod
    def load(cls, language: Language, path: Path | None = None) -> Course:
        """Load every lesson below `path` (the course that travels with oci-tutor, when there is none).

        Raises:
            LessonError: a lesson is defective, or there is none at all.
        """
        folder = path or lessons_folder()
        lessons = [load_lesson(each, language) for each in lesson_folders(folder)]
        if not lessons:
            raise LessonError("no_lessons", file=folder)
        return cls(language, folder, tuple(sorted(lessons, key=lambda lesson: (lesson.order, lesson.id))))

    def lesson(self, lesson_id: str) -> Lesson:
        """Return a lesson by its id.

        Raises:
            UnknownLesson: there is none; the error names the ones with a similar id.
        """
        known = {lesson.id: lesson for lesson in self.lessons}
        if lesson_id in known:
            return known[lesson_id]
        near = difflib.get_close_matches(lesson_id, known) or list(known)
        raise UnknownLesson(lesson_id, tuple(near))
