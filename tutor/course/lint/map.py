"""Rules for the map of the specification: its clauses exist, the checks that it names exist, and its numbers add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.errors import LessonError
from tutor.course.lint.findings import Finding
from tutor.course.lint.sources import elements, entries, found, member, pairs, word
from tutor.course.lint.spec import clause_findings
from tutor.course.specmap import SpecMap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tutor.course.lint.sources import Sources
    from tutor.course.specmap import Rule
    from tutor.course.yaml_items import Item


def spec_map(course: Path, lessons: list[Sources]) -> Iterator[Finding]:
    """Yield the defects of a course's map, if it has one, and of the lessons' references to it."""
    try:
        the_map = SpecMap.load(course, "ja")
    except LessonError as error:
        yield Finding.of(error)
        return
    if the_map is None:
        return
    checks = {
        (sources.folder.name, step): _names(item) for sources in lessons for step, item in sources.steps
    }
    for rule in the_map.rules:
        yield from clause_findings(rule.clause, the_map.version)
        yield from _shown(rule, checks)
    yield from _sums(the_map)
    ids = {rule.id for rule in the_map.rules}
    for sources in lessons:
        for _, step in sources.steps:
            shows = member(step, "shows")
            for each in elements(shows) or ([shows] if shows is not None else []):
                if word(each) not in ids:
                    yield found(each, "no_rule", name=word(each))


def _names(step: Item) -> list[str]:
    """Return the names of a step's checks that the map may use; an empty name for a quiz whose answer comes from the lab."""
    names = [name for name, _ in entries(member(step, "checks"))]
    return [*names, ""] if list(pairs(member(step, "answer"))) else names


def _shown(rule: Rule, checks: dict[tuple[str, str], list[str]]) -> Iterator[Finding]:
    for each in rule.shown:
        if each.check not in checks.get((each.lesson, each.step), ()):
            place = "/".join(filter(None, (each.lesson, each.step, each.check)))
            yield found(each.item, "not_shown", rule=rule.id, place=place)


def _sums(the_map: SpecMap) -> Iterator[Finding]:
    for document in the_map.documents:
        name = document.name.text()
        musts = sum(rule.musts for rule in the_map.rules if rule.document == name)
        total = musts + document.elsewhere + document.notation
        if total != document.words:
            yield found(document.name, "does_not_add_up", document=name, words=document.words, total=total)
