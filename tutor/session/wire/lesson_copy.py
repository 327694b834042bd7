"""A copy of the lesson that is open, at one end of a stream: it resolves ids, and hides the texts of solutions."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from tutor.course.model import EditConfig, Fail, Run, Shell, Task, Write
from tutor.errors import TutorError
from tutor.session.placeholders import for_display, for_execution
from tutor.session.recording import to_read

if TYPE_CHECKING:
    from tutor.course.model import Lesson, Step
    from tutor.engines.model import EngineName
    from tutor.messages import Messages
    from tutor.session.placeholders import Placeholders
    from tutor.session.wire.values import Json


class LessonCopy:
    """The lesson, filled in as the session has it, in the language of `messages`."""

    def __init__(
        self, unfilled: Lesson, placeholders: Placeholders | None, *, read_only: bool, messages: Messages
    ) -> None:
        """Take a lesson of the course, and the fields of `LessonOpened`."""
        self._unfilled, self._placeholders = unfilled, placeholders
        self._read_only, self._messages = read_only, messages
        by_hand = for_execution(unfilled, placeholders) if placeholders else unfilled
        shown = to_read(by_hand) if read_only else by_hand
        self.lesson = for_display(shown, placeholders, messages) if placeholders else shown
        self._solutions = {step.id: solution_texts(step) for step in by_hand.steps}
        self._places: dict[str, Json] = {}
        for step_id, texts in self._solutions.items():
            for number, text in enumerate(texts):
                self._places.setdefault(text, {"step": step_id, "solution": number})
        longest_first = sorted(self._places, key=len, reverse=True)
        self._pattern = re.compile(f"({'|'.join(map(re.escape, longest_first))})") if longest_first else None

    def with_engine(self, engine: EngineName) -> LessonCopy:
        """Return the same lesson, filled in for an engine."""
        if self._placeholders is None or self._placeholders.engine == engine:
            return self
        values = replace(self._placeholders, engine=engine, version="", traits="")
        return LessonCopy(self._unfilled, values, read_only=self._read_only, messages=self._messages)

    def step(self, step_id: str) -> Step:
        """Return a step by its id.

        Raises:
            TutorError: `session.wire.step`.
        """
        for step in self.lesson.steps:
            if step.id == step_id:
                return step
        raise TutorError("session.wire.step", lesson=self.lesson.id, step=step_id)

    def index(self, step: Step) -> int:
        """Return a step's place in the lesson, from 0."""
        return self.lesson.steps.index(step)

    def hide(self, text: str) -> Json:
        """Return a text in the form that a line holds: in parts where it contains a solution."""
        if self._pattern is None or self._pattern.search(text) is None:
            return text
        return [self._places.get(part, part) for part in self._pattern.split(text) if part]

    def reveal(self, place: Json) -> str:
        """Return the text of a solution from the part that `hide` wrote for it.

        Raises:
            ValueError: this copy of the lesson has none there.
        """
        match place:
            case {"step": str(step_id), "solution": int(number)}:
                texts = self._solutions.get(step_id, ())
                if 0 <= number < len(texts):
                    return texts[number]
        raise ValueError(place)


def solution_texts(step: Step) -> tuple[str, ...]:
    """Return the files and shell lines of a step's solution, stripped, without those that the step's own text suggests."""
    texts: list[str] = []
    suggested: tuple[str, ...] = ()
    match step.activity:
        case EditConfig(solution=solution):
            texts = [solution]
        case Shell(solution=lines, suggested=suggested):
            texts = list(lines)
        case Task(solution=actions, suggested=suggested):
            for each in actions:
                action = each.action if isinstance(each, Fail) else each
                if isinstance(action, Write | Run):
                    texts.append(action.content if isinstance(action, Write) else action.line)
    return tuple(text.strip() for text in texts if text.strip() and text not in suggested)
