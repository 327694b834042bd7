"""What the mount below a directory refuses to those who make bundles there: to be written to, or to store the owners of an image's files."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Literal, NamedTuple

from tutor.errors import TutorError
from tutor.paths import filesystem_of

if TYPE_CHECKING:
    from pathlib import Path

USER = 1000
"""The images of the lessons have files of this user."""


class Refusal(NamedTuple):
    """What is refused below `path`, by the mount at `mount` of a filesystem of type `kind`.

    `owners`: an ID-mapped mount, or a filesystem of a user namespace, that does not map a user to whom a file is to belong.
    """

    why: Literal["read_only", "owners"]
    path: str
    mount: str
    kind: str

    def error(self) -> TutorError:
        """Return the error that says so."""
        said = os.strerror(errno.EOVERFLOW if self.why == "owners" else errno.EROFS)
        return TutorError(
            f"lab.place.{self.why}", path=self.path, mount=self.mount, kind=self.kind, said=said
        )


def look(path: str, *, owner: int | None = None) -> Refusal | None:
    """Find out what is refused in an existing directory, and leave no trace; files of `owner` are to be there, too."""
    if is_read_only(path):
        return _refusal(errno.EROFS, path)
    try:
        file = os.open(path, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except OSError as error:
        return _refusal(error.errno, path)
    try:
        if owner is not None:
            os.fchown(
                file, owner, owner
            )  # what is not mapped is refused (EOVERFLOW) before what is not permitted
    except OSError as error:
        return _refusal(error.errno, path)
    finally:
        os.close(file)
    return None


def is_read_only(path: str) -> bool:
    """Tell whether a directory lies on a mount, or a filesystem, that is read-only; False where that can't be seen."""
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def require_writable(path: Path) -> None:
    """Do nothing where the existing directory can be written to, as far as its mount is concerned.

    Raises:
        TutorError: `lab.place.read_only`.
    """
    if is_read_only(str(path)) and (refusal := _refusal(errno.EROFS, str(path))):
        raise refusal.error()


def unwritable(path: Path, error: OSError) -> TutorError:
    """Return what to say of an error in writing `path`, a file or directory of the learner's."""
    refusal = _refusal(error.errno, str(path))
    return refusal.error() if refusal else TutorError("session.error.home", path=path, reason=error.strerror)


def _refusal(number: int | None, path: str) -> Refusal | None:
    match number:
        case errno.EROFS:
            return Refusal("read_only", path, *filesystem_of(path))
        case errno.EOVERFLOW:
            return Refusal("owners", path, *filesystem_of(path))
        case _:
            return None
