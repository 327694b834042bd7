"""Lint a whole course, or one lesson."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.errors import LessonError, UnknownLesson
from tutor.course.find import LOGIC, further_folders, lesson_folders
from tutor.course.lint.claims import claims
from tutor.course.lint.findings import Finding
from tutor.course.lint.logic import logic
from tutor.course.lint.map import spec_map
from tutor.course.lint.reading import reading
from tutor.course.lint.recordings import recordings
from tutor.course.lint.reference import reference
from tutor.course.lint.sources import Sources, found, member
from tutor.course.lint.spec import spec
from tutor.course.lint.structure import errors
from tutor.course.lint.texts import texts
from tutor.course.lint.translation import FIRST, translation, write_stamps
from tutor.errors import TutorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = (texts, reading, claims, spec, logic, recordings, translation)


def folders(path: Path) -> list[Path]:
    """Return the folders of the lessons at a path: itself if it is a lesson, else those below it.

    Raises:
        LessonError: there is no lesson.
    """
    found_folders = [folder for course in _courses(path) for folder in _lessons_of(course)]
    if not found_folders:
        raise LessonError("no_lessons", file=path)
    return found_folders


def _courses(path: Path) -> list[Path]:
    """Return the courses at a path: itself, and those in its folder that are installed with it."""
    return [path, *further_folders(path)]


def _lessons_of(course: Path) -> list[Path]:
    return [course] if (course / LOGIC).is_file() else lesson_folders(course)


def lint(path: Path) -> list[Finding]:
    """Return the defects of a course or of a lesson, ordered by file and line.

    Raises:
        LessonError: there is no lesson.
    """
    folders(path)
    courses = [[Sources(folder) for folder in _lessons_of(course)] for course in _courses(path)]
    every = [sources for lessons in courses for sources in lessons]
    findings = [each for sources in every for each in lint_lesson(sources)]
    orders = [each for lessons in courses for each in _orders(lessons)]
    return [*findings, *orders, *_ids(every), *spec_map(path, every), *reference(path, every)]


def lint_lesson(sources: Sources) -> list[Finding]:
    """Return the defects of one lesson."""
    findings = errors(sources.folder)
    reported = {
        (file, each.values["name"])
        for each in findings
        if "name" in each.values
        for file in (each.file, each.values.get("texts"))
    }
    for rule in RULES:
        for each in rule(sources):
            # A key that only one language has may also be one that the loader reports as missing or unknown.
            other = sources.folder / str(each.values.get("other", ""))
            name = str(each.values.get("name", ""))
            if each.key == "lint.only_here" and {(each.file, name), (other, name)} & reported:
                continue
            findings.append(each)
    return sorted(findings, key=lambda each: (each.file, each.line, each.column))


def stamp(path: Path, names: list[str]) -> Iterator[Path]:
    """Write the stamps of the lessons named, or of all, and yield each file that changed.

    Raises:
        UnknownLesson: a name is not that of a lesson; nothing has been written.
        TutorError: `lint.no_original`, `lint.unwritable`.
    """
    known = {folder.name: folder for folder in folders(path)}
    for name in names:
        if name not in known:
            raise UnknownLesson(name, tuple(known))
    for name in names or known:
        sources = Sources(known[name])
        if FIRST not in sources.texts:
            raise TutorError("lint.no_original", file=sources.folder / f"text.{FIRST}.yaml")
        yield from write_stamps(sources)


def _orders(lessons: list[Sources]) -> Iterator[Finding]:
    """Yield each `order` that an earlier lesson has, too."""
    taken: dict[str, str] = {}
    for sources in lessons:
        order = member(sources.logic, "order")
        if order is None:
            continue
        number = str(order.node.value)
        if number in taken:
            yield found(order, "order_taken", order=number, lesson=taken[number])
        taken.setdefault(number, sources.folder.name)


def _ids(lessons: list[Sources]) -> Iterator[Finding]:
    """Yield each lesson with the id of one in another course: both would use one lab and one entry of the progress."""
    taken: dict[str, Path] = {}
    for sources in lessons:
        folder = sources.folder
        if folder.name in taken:
            yield Finding(
                folder / LOGIC, 0, 0, "lint.id_taken", {"lesson": folder.name, "other": taken[folder.name]}
            )
        taken.setdefault(folder.name, folder)
