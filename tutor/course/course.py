"""A course: its lessons in order, in one language."""

from __future__ import annotations

import os
from binascii import crc32
from dataclasses import is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tutor import parsed
from tutor.course import model
from tutor.course.errors import LessonError, UnknownLesson
from tutor.course.find import lesson_folders, lessons_folder
from tutor.course.other_courses import course_key
from tutor.course.storage import lies_within
from tutor.engines.traits.file import FILE as TRAITS
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
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
        if path is not None:
            return cls(language, path, _read(path, language, "no_lessons_there"), course_key(path))
        folder = lessons_folder()
        return cls(language, folder, _installed(folder, language))

    def lesson(self, lesson_id: str) -> Lesson:
        """Return a lesson by its id.

        Raises:
            UnknownLesson: there is none; the error names those with a similar id, the likeliest first.
        """
        known = {lesson.id: lesson for lesson in self.lessons}
        if lesson_id in known:
            return known[lesson_id]
        raise UnknownLesson(lesson_id, _near(lesson_id, list(known)))


def _installed(folder: Path, language: Language) -> tuple[Lesson, ...]:
    """Return the lessons of the installed course, from the cache while neither they nor the code that reads them have changed."""
    place = crc32(os.fsencode(folder))  # the cache is one for several installations
    return parsed.kept(
        f"lessons-{language}-{place:08x}",
        lambda: [*parsed.below(str(folder)), *parsed.below(str(Path(__file__).parent)), str(TRAITS)],
        lambda: _read(folder, language, "no_lessons"),
        _types,
    )


def _types() -> dict[tuple[str, str], type]:
    """Return the types that a lesson consists of."""
    own = (each for each in vars(model).values() if isinstance(each, type) and is_dataclass(each))
    return {(each.__module__, each.__qualname__): each for each in (*own, type(Path()))}


def _read(folder: Path, language: Language, none: str) -> tuple[Lesson, ...]:
    """Read every lesson below a folder, and return them in their order.

    Raises:
        LessonError: one is defective, or there is none (`none` is the key of that error).
    """
    from tutor.course.load import load_lesson

    folders = lesson_folders(folder)
    for each in folders:
        if not lies_within(each, folder):
            raise LessonError("outside_course", file=each, path=each.resolve())
    if not folders:
        raise LessonError(none, file=folder)
    lessons = [load_lesson(each, language) for each in folders]
    return tuple(sorted(lessons, key=lambda lesson: (lesson.order, lesson.id)))


def _near(name: str, known: list[str]) -> tuple[str, ...]:
    """Return the ids that `name` may be meant for, the likeliest first: a part of one, or a slip; all of them if it is like none."""
    import difflib

    wanted = name.casefold()
    parts = [each for each in known if len(wanted) > 1 and (wanted in each or each in wanted)]
    slips = difflib.get_close_matches(wanted, known, cutoff=0.5)
    return tuple(dict.fromkeys([*parts, *slips])) or tuple(known)
