"""The files of one lesson on disk: the bundle, and `config.json` in it, which belongs to the learner.

Before the program overwrites a text that the learner wrote, it copies it to `config.json.bak-N`, and reports that.
"""

from __future__ import annotations

import errno
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.model import EditConfig, Task, Write
from tutor.course.storage import lies_within, write_atomically
from tutor.errors import TutorError
from tutor.lab.grounds import require_writable, unwritable
from tutor.session.lesson_folder import LessonFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.course.model import Lesson, Step
    from tutor.home import Home

LARGEST = (
    1024 * 1024
)  # bytes of a config.json: more than a person writes, and no more than an editor can show


class Workspace:
    """The bundle of a lesson on disk. Methods raise `TutorError` (`session.config.*`, `session.bundle.*`, `images.error.*`)."""

    def __init__(self, lesson: Lesson, home: Home) -> None:
        self._lesson = lesson
        self._folder = LessonFolder(lesson, home)
        self.work, self.bundle = self._folder.work, self._folder.bundle
        self.directory = self._folder.directory
        self.config = self.bundle / "config.json"
        # The learner's config.json while a replay uses that name; after a crash during a replay it is still there.
        # It is beside the bundle, since a lesson that has the learner make the bundle may replace the bundle.
        self._saved_config = self.work / f".{self.bundle.name}.config.json"

    @property
    def edited_path(self) -> Path:
        """The file that the learner edits, `config.json`; in a lesson on a runtime of their own it is another one."""
        return self.config

    def use(self, lesson: Lesson) -> None:
        """Use the configurations of this lesson from now on: the same lesson, filled in for another engine."""
        self._lesson = lesson

    def prepare(self, index: int) -> None:
        """Create what the lesson begins with, where it is missing; overwrite nothing.

        `index` is the present step: a missing `config.json` is created with the text that this step begins with.
        """
        try:
            if self._saved_config.is_file():
                self.bundle.mkdir(exist_ok=True)
                self._saved_config.replace(self.config)
            self._folder.create()
            require_writable(self.directory)
            beginning = self.begins_with(index)
            if beginning and not self.config.exists():
                write_atomically(self.config, beginning)
        except OSError as error:
            raise _explained(error, self.bundle, "session.bundle") from error

    def generated(self) -> str:
        """Return the `config.json` generated from the image; empty where the learner makes the bundle."""
        return self._folder.generated()

    def origin(self) -> str:
        """Return where the lesson's image came from, in the form of `Origin.text`; empty where it is not known."""
        return self._folder.origin()

    def read(self) -> str:
        """Return the text of `config.json`; empty where there is none yet because the learner makes the bundle."""
        try:
            if not self.config.exists() and not self.generated():
                return ""
            if self.config.stat().st_size > LARGEST:
                raise TutorError("session.config.too_large", path=self.config)
            return self.config.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise TutorError("session.config.not_text", path=self.config) from error
        except OSError as error:
            raise _explained(error, self.config, "session.config") from error

    def signature(self) -> tuple[int, int, int] | None:
        """Return what differs after `config.json` was written (inode, time, size); None when it does not exist."""
        try:
            seen = self.config.stat()
        except OSError:
            return None
        return seen.st_ino, seen.st_mtime_ns, seen.st_size

    def write(self, text: str) -> None:
        """Replace `config.json` atomically. Do nothing for an empty text, that of a lesson without one."""
        if not text:
            return
        try:
            if not self.bundle.is_dir():
                raise TutorError("session.bundle.missing", path=self.bundle)
            write_atomically(self.config, text)
        except OSError as error:
            raise _explained(error, self.config, "session.config") from error

    def write_file(self, name: str, text: str, *, executable: bool = False) -> None:
        """Replace another file of the bundle atomically; refuse one outside, which a symbolic link in the bundle leads to.

        Images have such links: Alpine's `/var/run` leads to the host's `/run` when it is resolved outside a container.
        """
        if not lies_within((self.bundle / name).parent, self.work):
            raise TutorError("session.error.outside", path=self.bundle / name)
        try:
            write_atomically(self.bundle / name, text)
            if executable:
                (self.bundle / name).chmod(0o755)
        except OSError as error:
            raise _explained(error, self.bundle / name, "session.bundle") from error

    def replace(self, text: str) -> Path | None:
        """Replace `config.json` by a text of the lesson; return the copy of the learner's text, None if there is none to keep."""
        if not text:
            return None
        try:
            kept = self._set_aside(text)
        except OSError as error:
            raise _explained(error, self.config, "session.config") from error
        self.write(text)
        return kept

    def keep_unseen(self, coming: str, seen: str | None) -> Path | None:
        """Copy a `config.json` that the learner has not seen, before `coming` replaces it; return the copy, None if there is none to keep.

        Not seen is a file that can't be read as text, and one with another text than `seen` (None: whatever can be read was seen).
        """
        if not self.config.is_file():
            return None
        try:
            there = self.read()
        except TutorError:
            there = None
        if there is not None and (seen is None or there in (seen, coming)):
            return None
        try:
            return self._set_aside(coming)
        except OSError as error:
            raise _explained(error, self.config, "session.config") from error

    def keep_edits(self, text: str, before: str) -> Path | None:
        """Save a text to `config.json`; beside it, if the text there is not `before`. Return where; None for an empty text."""
        if not text.strip():
            return None
        try:
            unchanged = self.read() == before
        except TutorError:
            unchanged = False
        if unchanged:
            self.write(text)
            return self.config
        kept = self._unused_name()
        try:
            write_atomically(kept, text)
        except OSError as error:
            raise _explained(error, kept, "session.config") from error
        return kept

    def _unused_name(self) -> Path:
        return next(
            path
            for number in range(1, 100_000)
            if not (path := self.bundle / f"config.json.bak-{number}").exists()
        )

    def _set_aside(self, coming: str) -> Path | None:
        if not self.config.exists() and not self.config.is_symlink():
            return None
        kept = self._unused_name()
        if not self.config.is_file():
            self.config.rename(kept)
            return kept
        # The lesson's own texts are there again at any time; only the learner's text needs a copy.
        if self.config.read_bytes() in {text.encode() for text in (coming, *self._lesson_texts())}:
            return None
        shutil.copy2(self.config, kept)
        return kept

    def _lesson_texts(self) -> list[str]:
        texts = [text for step in self._lesson.steps for text in _configs_of(step)]
        return [self.generated(), *texts]

    @contextmanager
    def restoring_config(self) -> Iterator[None]:
        """Let the block overwrite `config.json`; afterwards, and after a crash, restore the learner's."""
        there = self.config.is_file()
        try:
            if there:
                shutil.copy2(self.config, self._saved_config)
        except OSError as error:
            self._saved_config.unlink(missing_ok=True)
            raise _explained(error, self.config, "session.config") from error
        try:
            yield
        finally:
            self._restore_config(there)

    def _restore_config(self, there: bool) -> None:
        try:
            if there:
                self._saved_config.replace(self.config)
            elif self.config.is_file() and self.generated():
                self.config.unlink()
        except OSError as error:
            raise _explained(error, self.config, "session.config") from error

    def begins_with(self, index: int) -> str:
        """Return the `config.json` that a step begins with: its own, else the last one of the steps before it."""
        own = self._lesson.steps[index].begins
        if own is not None:
            return own
        for step in reversed(self._lesson.steps[:index]):
            texts = _configs_of(step)
            if texts:
                return texts[-1]
        return self.generated()


def _configs_of(step: Step) -> list[str]:
    """Return the texts of `config.json` in a step, in the order in which they are written."""
    texts = [] if step.begins is None else [step.begins]
    match step.activity:
        case EditConfig(file="config.json", solution=solution):
            texts.append(solution)
        case Task(solution=actions):
            texts += [
                action.content
                for action in actions
                if isinstance(action, Write) and action.file == "config.json"
            ]
    return texts


def _explained(error: OSError, path: Path, key: str) -> TutorError:
    match error.errno:
        case errno.ENOENT:
            return TutorError(f"{key}.missing", path=path)
        case errno.ENOSPC | errno.EDQUOT:
            return TutorError("session.error.no_space", path=path)
        case errno.EISDIR:
            return TutorError("session.config.folder", path=path)
        case _:
            return unwritable(Path(named) if isinstance(named := error.filename, str) else path, error)
