"""A course: its lessons in order, in one language."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tutor.course.errors import LessonError, UnknownLesson
from tutor.course.find import lessons_folder
from tutor.course.load import lesson_folders, load_lesson
from tutor.course.other_courses import course_key
from tutor.course.storage import lies_within

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.model import Lesson
    from tutor.messages import Language


@dataclass(frozen=True, slots=True)
class Course:
    """The lessons of a folder, in their order. `key` is empty for the installed course; another is known by its place."""

    language: Language
    folder: Path
    lessons: tuple[Lesson, ...]
    key: str = ""

    @classmethod
    def load(cls, language: Language, path: Path | None = None) -> Course:
        """Load every lesson below `path` (None: the course that is installed with oci-tutor).

        Raises:
            LessonError: a lesson is defective, or there is none at all.
        """
        folder = path or lessons_folder()
        folders = list(lesson_folders(folder))
        for each in folders:
            if not lies_within(each, folder):
                raise LessonError("outside_course", file=each, path=each.resolve())
        lessons = [load_lesson(each, language) for each in folders]
        if not lessons:
            raise LessonError("no_lessons" if path is None else "no_lessons_there", file=folder)
        in_order = sorted(lessons, key=lambda lesson: (lesson.order, lesson.id))
        return cls(language, folder, tuple(in_order), course_key(folder))

    def lesson(self, lesson_id: str) -> Lesson:
        """Return a lesson by its id.

        Raises:
            UnknownLesson: there is none; the error names those with a similar id, the likeliest first.
        """
        known = {lesson.id: lesson for lesson in self.lessons}
        if lesson_id in known:
            return known[lesson_id]
        raise UnknownLesson(lesson_id, _near(lesson_id, list(known)))


def _near(name: str, known: list[str]) -> tuple[str, ...]:
    """Return the ids that `name` may be meant for, the likeliest first: a part of one, or a slip; all of them if it is like none."""
    wanted = name.casefold()
    parts = [each for each in known if len(wanted) > 1 and (wanted in each or each in wanted)]
    slips = difflib.get_close_matches(wanted, known, cutoff=0.5)
    return tuple(dict.fromkeys([*parts, *slips])) or tuple(known)
