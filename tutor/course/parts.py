"""Files that a lesson brings along: solutions, scripts, configurations."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from tutor.course.model import LabFile

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.nodes import Item


def file_text(folder: Path, item: Item) -> LabFile:
    """Return the content of a file that a lesson names; it must lie in the lesson's own folder.

    Raises:
        LessonError: it lies elsewhere, or can't be read as UTF-8.
    """
    path = folder / item.text()
    if not path.resolve().is_relative_to(folder.resolve()):
        raise item.error("outside", path=item.text())
    try:
        return LabFile(path.read_text(encoding="utf-8"), bool(path.stat().st_mode & stat.S_IXUSR))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "UTF-8"
        raise item.error("no_file", path=path, reason=reason) from error
