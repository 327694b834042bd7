"""The folder of the installed course: in the package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def lessons_folder() -> Path:
    """Return the folder that holds the course: `tutor/lessons` in a wheel, `lessons` in a checkout."""
    packaged = _PACKAGE / "lessons"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "lessons"
