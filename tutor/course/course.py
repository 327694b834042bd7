"""A course: its lessons in order, in one language."""

from __future__ import annotations

import os
from binascii import crc32
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tutor import parsed
from tutor.course import model
from tutor.course.errors import LessonError, UnknownLesson
from tutor.course.find import further_folders, lesson_folders, lessons_folder
from tutor.course.other_courses import course_key
from tutor.course.storage import lies_within
from tutor.engines.traits.file import FILE as TRAITS
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from tutor.course.model import Lesson
    from tutor.messages import Language


@dataclass(frozen=True, slots=True)
class Course:
    """The lessons of a folder, in their order. `key` is empty for an installed course; another is known by its place.

    The course that is installed first has others beside it, of which the first use reads the lessons (`every`): most uses of the
    program need none of them. Ids of lessons are unique in all installed courses, which share labs and progress.
    """

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

    @property
    def name(self) -> str:
        """The name of its folder, by which the catalogue has its title; empty for the course that is installed first."""
        return "" if self.folder == lessons_folder() else self.folder.name

    @property
    def every(self) -> tuple[Course, ...]:
        """This course, and those that are installed beside it."""
        if self.folder != lessons_folder():
            return (self,)
        return (self, *(_further(folder, self.language) for folder in further_folders(self.folder)))

    @property
    def every_lesson(self) -> tuple[Lesson, ...]:
        """The lessons of this course, and of those that are installed beside it."""
        return tuple(lesson for course in self.every for lesson in course.lessons)

    def of(self, lesson_id: str) -> Course:
        """Return the course that has a lesson: this one, or one beside it; this one if none has."""
        if any(lesson.id == lesson_id for lesson in self.lessons):
            return self
        having = (each for each in self.every if any(lesson.id == lesson_id for lesson in each.lessons))
        return next(having, self)

    def lesson(self, lesson_id: str) -> Lesson:
        """Return a lesson of this course, or of one that is installed beside it, by its id.

        Raises:
            UnknownLesson: there is none; the error names those with a similar id, the likeliest first.
        """
        found = next((each for each in self.of(lesson_id).lessons if each.id == lesson_id), None)
        if found is None:
            raise UnknownLesson(lesson_id, _near(lesson_id, [each.id for each in self.every_lesson]))
        return found


@cache
def _further(folder: Path, language: Language) -> Course:
    """Return a course that is installed beside the first."""
    return Course(language, folder, _installed(folder, language))


def _installed(folder: Path, language: Language) -> tuple[Lesson, ...]:
    """Return the lessons of an installed course, from the cache while neither they nor the code that reads them have changed."""
    place = crc32(os.fsencode(folder))  # the cache is one for several installations
    beside = tuple(f"{each}/" for each in further_folders(folder))
    return parsed.kept(
        f"lessons-{language}-{place:08x}",
        lambda: [
            *(each for each in parsed.below(str(folder)) if not f"{each}/".startswith(beside)),
            *parsed.below(str(Path(__file__).parent)),
            str(TRAITS),
        ],
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
