"""Courses other than the installed one: their keys, and the user's consent to what they execute."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.find import further_folders, lesson_folders, lessons_folder
from tutor.course.storage import write_atomically
from tutor.errors import TutorError
from tutor.lab.grounds import unwritable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.home import Home

_KEY_CHARACTERS = 8


def course_key(folder: Path) -> str:
    """Return the name under which a course's work and progress are kept; empty for a course that is installed with oci-tutor.

    It depends on the place, not on the content: a course that is updated keeps it.
    """
    place = folder.resolve()
    installed = lessons_folder().resolve()
    if place in (installed, *further_folders(installed)):
        return ""
    name = "".join(each if each.isascii() and each.isalnum() else "-" for each in place.name.lower())
    return f"{name.strip('-') or 'course'}-{hashlib.sha256(os.fsencode(place)).hexdigest()[:_KEY_CHARACTERS]}"


def content_digest(folder: Path) -> str:
    """Return the SHA-256 of all files of a course's lessons: their names, contents, and whether they are executable.

    Raises:
        TutorError: `course.error.unreadable`.
    """
    whole = hashlib.sha256()
    for lesson in lesson_folders(folder):
        for path in sorted(_below(lesson)):
            for part in _facts(path, folder):
                whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder, followlinks=False):
        yield from (Path(parent, name) for name in (*folders, *files))


def _facts(path: Path, root: Path) -> Iterator[bytes]:
    yield os.fsencode(path.relative_to(root))
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            yield b"link" + os.fsencode(path.readlink())
        elif stat.S_ISREG(mode):
            yield b"program" if mode & stat.S_IXUSR else b"file"
            with path.open("rb") as file:
                yield hashlib.file_digest(file, "sha256").digest()
        else:
            yield str(
                stat.S_IFMT(mode)
            ).encode()  # a folder, or a file that a lesson cannot read, such as a named pipe
    except OSError as error:
        raise TutorError("course.error.unreadable", file=path, reason=error.strerror) from error


class Consents:
    """The contents of courses to which the user has consented: a small file each."""

    def __init__(self, home: Home) -> None:
        self._folder = home.state / "agreed-courses"

    def has(self, digest: str) -> bool:
        """Tell whether the user has consented to exactly this content."""
        return (self._folder / digest).is_file()

    def add(self, digest: str, course: Path) -> None:
        """Record the user's consent.

        Raises:
            TutorError: `session.error.home`.
        """
        try:
            write_atomically(self._folder / digest, f"{course.resolve()}\n")
        except OSError as error:
            raise unwritable(self._folder, error) from error
