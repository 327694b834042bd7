"""The learner's progress on disk: written after every passed step, so that no crash loses it."""

from __future__ import annotations

import fcntl
import json
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tutor.course.storage import write_atomically
from tutor.errors import TutorError
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class LessonProgress:
    """The progress in one lesson: the id of the current step, and the ids of steps that are passed.

    Of the `passed` steps, some are `solved` by the solution, and some are `read` along with a recording, not done by hand.
    """

    step_id: str | None = None
    passed: tuple[str, ...] = ()
    solved: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    finished: bool = False


class Progress:
    """The progress in all lessons, in one small file; each call reads or writes the file, so that two programs may share it.

    A file that cannot be parsed is renamed (`damaged` is its new path), and a new one is begun.
    """

    def __init__(self, state: Path) -> None:
        """Use the progress in this folder (`Home.records`); nothing is written yet."""
        self._file = state / "progress.json"
        self.damaged: Path | None = None

    def of(self, lesson_id: str) -> LessonProgress:
        """Return the progress in a lesson; an empty one if there is none or it cannot be read."""
        return self.all().get(lesson_id, LessonProgress())

    def all(self) -> dict[str, LessonProgress]:
        """Return the progress in every lesson that was begun."""
        try:
            text = self._file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return {}
        try:
            return _parse(json.loads(text))
        except (ValueError, TypeError, KeyError):
            self._set_aside()
            return {}

    def save(self, lesson_id: str, progress: LessonProgress) -> None:
        """Record the progress in a lesson.

        Raises:
            TutorError: `course.progress.unwritable`.
        """
        try:
            with self._locked():
                lessons = self.all() | {lesson_id: progress}
                document = {
                    "format": _FORMAT,
                    "lessons": {name: asdict(each) for name, each in lessons.items()},
                }
                write_atomically(self._file, json.dumps(document, indent=1) + "\n")
        except OSError as error:
            raise TutorError("course.progress.unwritable", file=self._file, reason=error.strerror) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _set_aside(self) -> None:
        for number in range(1, 1000):
            kept = self._file.with_name(f"progress.json.damaged-{number}")
            if not kept.exists():
                try:
                    self._file.rename(kept)
                except OSError:
                    return  # it stays there; `save` will report what is wrong with the folder
                self.damaged = kept
                return


def _parse(document: Any) -> dict[str, LessonProgress]:
    if document["format"] != _FORMAT:
        raise ValueError(document["format"])
    return {
        name: LessonProgress(
            step_id=each["step_id"],
            passed=tuple(str(step) for step in each["passed"]),
            solved=tuple(str(step) for step in each["solved"]),
            read=tuple(str(step) for step in each.get("read", ())),
            finished=bool(each["finished"]),
        )
        for name, each in document["lessons"].items()
    }
