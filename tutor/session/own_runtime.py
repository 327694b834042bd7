"""The learner's own runtime in a lesson: its file, and what its functions do, judged again when the file has changed."""

from __future__ import annotations

import hashlib
import logging
import threading
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

log = logging.getLogger(__name__)

_KEPT = 8
"""Judgements that are kept: those of a lesson's steps."""


class OwnRuntime(LearnerFile):
    """The file of a learner's runtime, with the judgements of its exercises. One thread at a time may call its methods."""

    def __init__(
        self,
        home: Home,
        messages: Messages,
        *,
        on_trial: Callable[[Snapshot], None],
        wake: Callable[[], None],
    ) -> None:
        """Use the file of the course.

        Args:
            home: where it is.
            messages: the learner's language.
            on_trial: gets the container of each trial as the kernel showed it, in any thread.
            wake: is called when a judgement for which nobody waits any more has been made.
        """
        super().__init__(file_of(home))
        self._home, self._messages, self._on_trial = home, messages, on_trial
        self._wake = wake
        self._looked = threading.Event()
        self._under_way: tuple[str, str] | None = None
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

        It takes a second or more, once for each content of the file; until the time limit, if a function hangs. `interrupt` ends the
        wait, and what is found then is there at the next look.
        """
        try:
            text = self.read()
        except TutorError as error:
            return _told(error, self._messages)
        digest = hashlib.sha256(text.encode()).hexdigest()
        key = (exercise_id, digest)
        if key not in self._judged:
            self._wait_for(key, text)
        return self._judged.get(key, self._messages("session.own.interrupted"))

    def forget_failures(self) -> None:
        """Judge again what could not be judged: the machine may have been busy. To be called when the learner tries again."""
        for key in [key for key, known in self._judged.items() if isinstance(known, str)]:
            del self._judged[key]

    def interrupt(self) -> None:
        """Wait no longer for a judgement; from any thread, and safe when none is being made."""
        self._looked.set()

    def _wait_for(self, key: tuple[str, str], text: str) -> None:
        """Judge in a thread of its own, and wait until that has ended, or `interrupt` is called."""
        if key != self._under_way:
            self._under_way = key
            self._looked = threading.Event()
            threading.Thread(
                target=self._judge_and_keep, args=(key, text, self._looked), name="judge", daemon=True
            ).start()
        self._looked.wait()

    def _judge_and_keep(self, key: tuple[str, str], text: str, looked: threading.Event) -> None:
        try:
            known = self._judge(key[0], text)
        except Exception as error:
            log.exception("the judge failed unexpectedly")
            unexpected = TutorError("session.error.unexpected", kind=type(error).__name__, reason=error)
            known = _told(unexpected, self._messages)
        while len(self._judged) >= _KEPT:
            del self._judged[next(iter(self._judged))]
        self._judged[key] = known
        if self._under_way == key:
            self._under_way = None
        was_waited_for = not looked.is_set()
        self._heed(known, key[0], text)
        looked.set()
        if not was_waited_for:
            self._wake()

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

    def _judge(self, exercise_id: str, text: str) -> Judgement | str:
        from tutor.own_steps.judge import judge  # a lesson is on the screen before this is needed

        try:
            return judge(exercise_id, text, messages=self._messages, home=self._home)
        except TutorError as error:
            return _told(error, self._messages)


def _told(error: TutorError, messages: Messages) -> str:
    return " ".join(filter(None, error.render(messages)))
