"""`oci-tutor lessons --spec-map`: every rule of the specification, the lesson that shows it, and whether the learner has seen it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from tutor.course.progress import LessonProgress
from tutor.course.specmap import SpecMap
from tutor.errors import TutorError
from tutor.text import wrap
from tutor.text.glyphs import NOT_COVERED, SEEN, SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tutor.course.course import Course
    from tutor.course.specmap import Rule
    from tutor.messages import Messages

    Progresses = Callable[[str], LessonProgress]


def spec_map_lines(
    course: Course, records: dict[str, LessonProgress], messages: Messages, width: int
) -> Iterator[str]:
    """Yield the map as lines of at most `width` cells; `records` is the learner's progress in each lesson.

    Raises:
        TutorError: the course has no map.
    """
    spec_map = SpecMap.load(course.folder, messages.language)
    if spec_map is None:
        raise TutorError("cli.map.none", path=course.folder)
    done = _progresses(records)
    yield messages("cli.map.heading", version=spec_map.version)
    yield from wrap(_count(spec_map, done, messages), width)
    yield messages("cli.map.legend", seen=SEEN, shown=SHOWN, not_covered=NOT_COVERED)
    titles = _step_titles(course)
    for document, rules in groupby(spec_map.rules, key=lambda rule: rule.document):
        listed = list(rules)
        yield ""
        yield messages("cli.map.document", document=document, **_numbers(listed, done))
        for rule in listed:
            yield from _lines(rule, done, titles, width, messages)


def count_line(course: Course, records: dict[str, LessonProgress], messages: Messages) -> str:
    """Return the line that says how much of the specification the learner has seen; empty where the course has no map."""
    spec_map = SpecMap.load(course.folder, messages.language)
    if spec_map is None:
        return ""
    return messages("cli.map.count", **_numbers(list(spec_map.rules), _progresses(records)))


def _progresses(records: dict[str, LessonProgress]) -> Progresses:
    return lambda lesson: records.get(lesson, LessonProgress())


def _numbers(rules: list[Rule], done: Progresses) -> dict[str, int]:
    return {
        "rules": len(rules),
        "musts": sum(rule.musts for rule in rules),
        "shown": sum(bool(rule.shown) for rule in rules),
        "seen": sum(rule.seen_in(done) is not None for rule in rules),
    }


def _count(spec_map: SpecMap, done: Progresses, messages: Messages) -> str:
    return messages("cli.map.total", **_numbers(list(spec_map.rules), done))


def _step_titles(course: Course) -> dict[tuple[str, str], str]:
    return {(lesson.id, step.id): step.title for lesson in course.every_lesson for step in lesson.steps}


def _lines(
    rule: Rule, done: Progresses, titles: dict[tuple[str, str], str], width: int, messages: Messages
) -> Iterator[str]:
    seen = rule.seen_in(done)
    glyph = SEEN if seen else SHOWN if rule.shown else NOT_COVERED
    for number, line in enumerate(wrap(rule.text, width - 4)):
        yield ("    " if number else f"  {glyph} ") + line
    place = f"#{rule.clause.text().partition('#')[2]}"
    if not rule.shown:
        where = messages("cli.map.not_covered")
    else:
        # The check that the learner has seen, else the first one; the others would only lengthen the list.
        first = seen or rule.shown[0]
        title = titles.get((first.lesson, first.step), first.step)
        where = messages("cli.map.where", lesson=first.lesson, step=title)
        if len(rule.shown) > 1:
            where += messages("cli.map.others", count=len(rule.shown) - 1)
    for line in wrap(f"{place}  {where}", width - 6):
        yield "      " + line
