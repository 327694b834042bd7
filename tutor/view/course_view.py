"""What the faces say of the course as a whole: which lesson to go on with, and what a finished lesson has shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.errors import LessonError
from tutor.course.progress import LessonProgress
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tutor.course.course import Course
    from tutor.course.model import Lesson
    from tutor.messages import Messages


@dataclass(frozen=True, slots=True)
class Ending:
    """What has been seen of the specification, at the end of a lesson.

    Attributes:
        shown_here: how many rules of the specification the learner has seen in this lesson, and `seen` in all of them.
        shown: how many rules the lessons show; 0 for a course without a map.
    """

    shown_here: int
    seen: int
    shown: int


def recommended(course: Course, records: Mapping[str, LessonProgress]) -> Lesson:
    """Return the lesson to go on with: one that is begun, else the first that is not finished, else the first.

    The courses beside this one are read only where they may have it.
    """
    left = _left(course.lessons, records)
    begun = _begun(left, records)
    own = {each.id for each in course.lessons}
    if (left and begun) or (left and own.issuperset(records)):
        return next(iter([*begun, *left]))
    left = _left(course.every_lesson, records)
    return next(iter([*_begun(left, records), *left, *course.lessons]))


def recommended_in(course: Course, records: Mapping[str, LessonProgress]) -> Lesson | None:
    """Return the lesson of this course alone to go on with; None where it is finished."""
    left = _left(course.lessons, records)
    return next(iter([*_begun(left, records), *left]), None)


def _left(lessons: Iterable[Lesson], records: Mapping[str, LessonProgress]) -> list[Lesson]:
    return [each for each in lessons if not records.get(each.id, LessonProgress()).finished]


def _begun(lessons: Iterable[Lesson], records: Mapping[str, LessonProgress]) -> list[Lesson]:
    return [each for each in lessons if records.get(each.id, LessonProgress()).step_id is not None]


def title_of(course: Course, messages: Messages) -> str:
    """Return the title of an installed course."""
    return messages(f"view.course.{course.name or 'first'}")


def ending_of(course: Course, records: Mapping[str, LessonProgress], lesson_id: str) -> Ending:
    """Return what the learner has seen of the specification, at the end of a lesson."""
    course = course.of(lesson_id)
    from tutor.course.specmap import SpecMap  # at a lesson's end: nothing else of the faces reads YAML

    try:
        spec_map = SpecMap.load(course.folder, course.language)
    except LessonError:
        spec_map = None
    rules = spec_map.rules if spec_map else ()

    def only_here(lesson: str) -> LessonProgress:
        return records.get(lesson, LessonProgress()) if lesson == lesson_id else LessonProgress()

    return Ending(
        sum(rule.seen_in(only_here) is not None for rule in rules),
        sum(rule.seen_in(lambda lesson: records.get(lesson, LessonProgress())) is not None for rule in rules),
        sum(bool(rule.shown) for rule in rules),
    )
