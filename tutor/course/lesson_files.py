"""The files of a lesson besides its YAML: solutions, scripts, configurations."""

from __future__ import annotations

import stat
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tutor.course.model import LabFile
from tutor.course.storage import lies_within

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.yaml_items import Item


def file_text(folder: Path, item: Item) -> LabFile:
    """Return the content of a file that a lesson names; it must be in the lesson's own folder.

    Raises:
        LessonError: it is elsewhere, or cannot be read as UTF-8.
    """
    path = folder / item.text()
    # Not of `folder` alone: `solutions` itself may be a link to somewhere else.
    if not lies_within(path, folder) or not lies_within(folder, folder.parent):
        raise item.error("outside", path=item.text())
    try:
        return LabFile(path.read_text(encoding="utf-8"), bool(path.stat().st_mode & stat.S_IXUSR))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "UTF-8"
        raise item.error("no_file", path=path, reason=reason) from error


def file_name(item: Item) -> str:
    """Return the name of a file in the lab's directory; it may not lead out of it.

    Raises:
        LessonError: it is absolute, or has `..` in it.
    """
    name = PurePosixPath(item.text())
    if name.is_absolute() or ".." in name.parts or not name.parts:
        raise item.error("outside_lab", path=item.text())
    return item.text()
