"""Rules for the glossary and the clauses: every clause of a lesson is there and exists, and every term names a lesson."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.clauses import FILE as CLAUSES
from tutor.course.clauses import Clauses
from tutor.course.errors import LessonError
from tutor.course.glossary import FILE as GLOSSARY
from tutor.course.glossary import Glossary
from tutor.course.lint.findings import Finding
from tutor.course.lint.sources import found, member, word
from tutor.course.lint.spec import clause_findings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tutor.course.lint.sources import Sources


def reference(course: Path, lessons: list[Sources]) -> Iterator[Finding]:
    """Yield the defects of a course's glossary and clauses, if it has them, and clauses of lessons that are missing."""
    try:
        if (course / CLAUSES).is_file():
            yield from _clauses(Clauses.load(course, "ja"), lessons)
        if (course / GLOSSARY).is_file():
            names = {sources.folder.name for sources in lessons}
            for term in Glossary.load(course, "ja").terms:
                if term.lesson not in names:
                    yield found(term.item, "no_lesson", lesson=term.lesson)
    except LessonError as error:
        yield Finding.of(error)


def _clauses(clauses: Clauses, lessons: list[Sources]) -> Iterator[Finding]:
    for item in clauses.items.values():
        yield from clause_findings(item)
    for sources in lessons:
        for _, step in sources.steps:
            clause = member(step, "clause")
            if clause is not None and word(clause) not in clauses.known:
                yield found(clause, "no_clause", name=word(clause))
