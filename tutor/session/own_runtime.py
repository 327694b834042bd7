"""The learner's own runtime in a lesson: its file, and what its functions do, judged again when the file has changed."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from tutor.errors import TutorError
from tutor.own_steps.exercises import exercise
from tutor.own_steps.learner_file import LearnerFile, snippet_of
from tutor.own_steps.source import file_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tutor.course.model import Define
    from tutor.home import Home
    from tutor.messages import Messages
    from tutor.observe import Snapshot
    from tutor.own_steps.judge import Judgement

_KEPT = 8
"""Judgements that are kept: those of a lesson's steps."""


class OwnRuntime(LearnerFile):
    """The file of a learner's runtime, with the judgements of its exercises. One thread at a time may call its methods."""

    def __init__(self, home: Home, messages: Messages, on_trial: Callable[[Snapshot], None]) -> None:
        """Use the file of the course; `on_trial` gets the container of each trial as the kernel showed it."""
        super().__init__(file_of(home))
        self._home, self._messages, self._on_trial = home, messages, on_trial
        self._judged: dict[tuple[str, str], Judgement | str] = {}

    def begin_exercise(self, exercise_id: str) -> bool:
        """Append the skeletons of an exercise's functions where they are missing; return whether there were any."""
        return self.begin(exercise(exercise_id).functions)

    def reset_exercise(self, exercise_id: str) -> Path | None:
        """Put the skeletons of an exercise's functions back; return the copy of the file before, if there is one to keep."""
        return self.reset(exercise(exercise_id).functions)

    def take(self, action: Define) -> Path | None:
        """Put the functions of a solution into the file; return the copy of the file before, if there is one to keep."""
        return self.define(snippet_of(action.functions, action.reference))

    def judgement(self, exercise_id: str) -> Judgement | str:
        """Return what the functions of an exercise do, or why that could not be found out, for the learner.

        It takes a second or more, once for each content of the file.
        """
        try:
            text = self.read()
        except TutorError as error:
            return _told(error, self._messages)
        digest = hashlib.sha256(text.encode()).hexdigest()
        known = self._judged.get((exercise_id, digest))
        if known is None:
            known = self._judge(exercise_id)
            while len(self._judged) >= _KEPT:
                del self._judged[next(iter(self._judged))]
            self._judged[exercise_id, digest] = known
            self._heed(known, exercise_id, text)
        return known

    def _heed(self, known: Judgement | str, exercise_id: str, text: str) -> None:
        """Show what there is to be seen of a trial, and remember that it passed, for `my status`."""
        if isinstance(known, str):
            return
        if known.snapshot is not None:
            self._on_trial(known.snapshot)
        if known.passed:
            from tutor.own_steps.my import remember

            with suppress(TutorError):  # the progress of the lesson is another file, and says what is wrong
                remember(self._home, text, exercise(exercise_id))

    def _judge(self, exercise_id: str) -> Judgement | str:
        from tutor.own_steps.judge import judge  # a lesson is on the screen before this is needed

        try:
            return judge(exercise_id, self.edited_path, messages=self._messages, home=self._home)
        except TutorError as error:
            return _told(error, self._messages)


def _told(error: TutorError, messages: Messages) -> str:
    return " ".join(filter(None, error.render(messages)))
