"""A lock, so that one session at a time runs a lesson: two would edit the same `config.json` and create the same container."""

from __future__ import annotations

import fcntl
import hashlib
import os
from typing import IO, TYPE_CHECKING

from tutor.errors import TutorError
from tutor.lab.grounds import unwritable
from tutor.lab.user_namespace import pid_outside

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.model import Lesson
    from tutor.home import Home


class LessonLock:
    """A lock on a lesson, held until `release` or the end of the process, however it ends (flock(2))."""

    def __init__(self, state: Path, lesson_id: str, called: str = "") -> None:
        """Lock the lesson; `called` is its name in the error, by default its id.

        Raises:
            TutorError: `session.error.in_use`, with the pid of the process that holds the lock; `session.error.home`.
        """
        path = state / "sessions" / f"{lesson_id}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = path.open("a+")
        except OSError as error:
            raise unwritable(path.parent, error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.seek(0)
            pid = self._file.read().strip() or "?"
            self._file.close()
            raise TutorError("session.error.in_use", lesson=called or lesson_id, pid=pid) from error
        self._file.truncate(0)
        self._file.write(f"{pid_outside()}\n")
        self._file.flush()

    def release(self) -> None:
        """Unlock the lesson; keep the file, so that two processes never lock different files of this name."""
        self._file.close()


def lock_of(lesson: Lesson, home: Home) -> LessonLock:
    """Lock a lesson, or in free play the bundle: two sessions in one folder would edit the same `config.json`.

    Raises:
        TutorError: `session.error.in_use`, `.home`.
    """
    place = lesson.lab.place
    if place is None:
        return LessonLock(home.records, lesson.id)
    digest = hashlib.sha256(os.fsencode(place.resolve())).hexdigest()
    return LessonLock(home.records, f"{lesson.id}-{digest[:16]}", called=str(place))
