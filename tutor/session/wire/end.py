"""The state of each end of a stream: the course, the lesson that is open and the calls so far."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.errors import UnknownLesson
from tutor.errors import TutorError
from tutor.messages import Messages
from tutor.session.free_play import NAME, free_play_lesson
from tutor.session.wire.lesson_copy import LessonCopy

if TYPE_CHECKING:
    from tutor.course.course import Course
    from tutor.course.model import Lesson, Step
    from tutor.engines.model import Call
    from tutor.session.placeholders import Placeholders
    from tutor.session.wire.values import Json


class End:
    """One end of a stream. `step` is the present step and `calls` the calls started so far."""

    def __init__(self, course: Course) -> None:
        """Take this end's own copy of the course."""
        self._course = course
        self._messages = Messages.load(course.language)
        self._copy: LessonCopy | None = None
        self.step: Step | None = None
        self.calls: dict[int, Call] = {}

    @property
    def copy(self) -> LessonCopy:
        """The copy of the lesson that is open.

        Raises:
            TutorError: `session.wire.no_lesson`.
        """
        if self._copy is None:
            raise TutorError("session.wire.no_lesson")
        return self._copy

    def open(self, lesson_id: str, placeholders: Placeholders | None, *, read_only: bool) -> Lesson:
        """Open this end's copy of a lesson, and return it.

        Raises:
            TutorError: `session.wire.lesson`.
        """
        lesson = self._find(lesson_id, placeholders)
        self._copy = LessonCopy(lesson, placeholders, read_only=read_only, messages=self._messages)
        self.step = None
        self.calls.clear()
        return self._copy.lesson

    def _find(self, lesson_id: str, placeholders: Placeholders | None) -> Lesson:
        if lesson_id == NAME and placeholders is not None:
            return free_play_lesson(Path(placeholders.bundle), self._messages)
        try:
            return self._course.lesson(lesson_id)
        except UnknownLesson as error:
            raise TutorError("session.wire.lesson", lesson=lesson_id) from error

    def use(self, copy: LessonCopy) -> None:
        """Replace the copy of the lesson that is open."""
        self._copy = copy

    def hide(self, text: str) -> Json:
        """Return a text in the form that a line holds."""
        return self._copy.hide(text) if self._copy is not None else text

    def reveal(self, data: Json) -> str:
        """Return the text from the form that a line holds.

        Raises:
            ValueError: it is not of that form.
        """
        if isinstance(data, str):
            return data
        if isinstance(data, list) and self._copy is not None:
            return "".join(part if isinstance(part, str) else self._copy.reveal(part) for part in data)
        raise ValueError(data)
