"""A bundle of the learner's own, for free play: nothing is written into it but `config.json`, when it is saved."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tutor import files
from tutor.errors import TutorError
from tutor.session.workspace import LARGEST, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tutor.course.model import Lesson
    from tutor.home import Home


class OwnBundle(Workspace):
    """The learner's own bundle. Of the operations of a workspace only reading and saving `config.json` have an effect."""

    def __init__(self, lesson: Lesson, home: Home, place: Path) -> None:
        super().__init__(lesson, home)
        self.work = self.bundle = self.directory = place
        self.config = place / "config.json"

    def prepare(self, index: int) -> None:
        """Create nothing."""

    def generated(self) -> str:
        """Return no text: `config.json` was not generated."""
        return ""

    def origin(self) -> str:
        """Return no origin: the image is the learner's own."""
        return ""

    def read(self) -> str:
        """Return the text of `config.json`.

        Raises:
            TutorError: `session.play.*`.
        """
        return read_config(self.config)

    def write(self, text: str) -> None:
        """Save `config.json` atomically, with the same owner and permissions.

        Raises:
            TutorError: `session.play.unwritable`.
        """
        place = self.config.resolve()
        try:
            # Other files beside it are the learner's, and other programs may write there: the name must be unique.
            draft = place.with_name(f".config.json.{secrets.token_hex(4)}")
            files.replace(place, text.encode(), draft=draft)
        except OSError as error:
            raise TutorError("session.play.unwritable", path=place, reason=error.strerror) from error

    def keep_unseen(self, coming: str, seen: str | None) -> Path | None:
        """Refuse to overwrite a `config.json` that could not be read; else as in a lesson.

        Raises:
            TutorError: `session.play.*`; the copy can't be written.
        """
        if self.config.exists():
            self.read()
        return super().keep_unseen(coming, seen)

    def replace(self, text: str) -> Path | None:  # noqa: ARG002  (the lesson's way)
        """Replace nothing."""
        return None

    @contextmanager
    def restoring_config(self) -> Iterator[None]:
        """Save and restore nothing."""
        yield

    def begins_with(self, index: int) -> str:  # noqa: ARG002  (the lesson's way)
        """Return no text: free play begins with the file that exists."""
        return ""


def workspace_of(lesson: Lesson, home: Home) -> Workspace:
    """Return the workspace of a lesson: in its own folder below `Home.labs`, or in free play the learner's bundle."""
    place = lesson.lab.place
    return Workspace(lesson, home) if place is None else OwnBundle(lesson, home, place)


def read_config(config: Path) -> str:
    """Return the text of a bundle's `config.json`.

    Raises:
        TutorError: `session.play.no_config`, `.config_no_file`, `.too_large`, `.not_text`, `.unreadable`.
    """
    try:
        if not config.exists():
            raise TutorError("session.play.no_config", path=config.parent)
        if not config.is_file():
            raise TutorError("session.play.config_no_file", path=config)
        if config.stat().st_size > LARGEST:
            raise TutorError("session.play.too_large", path=config)
        return config.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TutorError("session.play.not_text", path=config) from error
    except OSError as error:
        raise TutorError("session.play.unreadable", path=config, reason=error.strerror) from error
