"""The folder of the installed course: in the package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.model import FURTHER

if TYPE_CHECKING:
    from tutor.course.model import Lesson

LOGIC = "lesson.yaml"
_PACKAGE = Path(__file__).resolve().parent.parent


def lessons_folder() -> Path:
    """Return the folder that holds the course: `tutor/lessons` in a wheel, `lessons` in a checkout."""
    packaged = _PACKAGE / "lessons"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "lessons"


def lesson_folders(root: Path) -> list[Path]:
    """Return the folders below `root` that hold a lesson."""
    return sorted(each.parent for each in root.glob(f"*/{LOGIC}"))


def further_folders(root: Path) -> list[Path]:
    """Return the folders of the further courses in the folder of the installed one."""
    return [folder for name in FURTHER if lesson_folders(folder := root / name)]


def beside_lessons(course: Path, name: str) -> Path:
    """Return the folder that has a file beside lessons: that of a course, or of the installed one where the course has no such file."""
    return course if (course / name).is_file() else lessons_folder()


def course_of(lesson: Lesson | None) -> Path:
    """Return the folder of a lesson's course; in free play, and without a lesson, that of the installed one."""
    return lesson.folder.parent if lesson is not None and not lesson.is_free_play else lessons_folder()
