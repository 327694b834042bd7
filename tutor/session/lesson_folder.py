"""What a lesson has in its folder when it begins: a bundle of its image, the image in other forms, files of the lesson.

What exists already belongs to the learner and is never overwritten; what is missing is created.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tutor.course.storage import lies_within, write_atomically
from tutor.errors import TutorError
from tutor.images import prepare_bundle

if TYPE_CHECKING:
    from tutor.course.model import Lesson
    from tutor.home import Home
    from tutor.images.alpine import LessonImage


class LessonFolder:
    """The folder of a lesson, `~/labs/LESSON` or `~/labs/COURSE/LESSON`. Methods raise OSError, and TutorError (`images.error.*`)."""

    def __init__(self, lesson: Lesson, home: Home) -> None:
        self._plan = lesson.lab
        self._cache = home.cache
        self.work = home.labs / lesson.course / lesson.id
        self.bundle = self.work / lesson.lab.bundle
        # The working directory of the learner's shell, to which paths are relative.
        self.directory = self.bundle if lesson.lab.directory == "bundle" else self.work
        self._generated = home.records / "generated" / f"{lesson.id}.json"
        self._origin = home.records / "generated" / f"{lesson.id}.image"

    def create(self) -> None:
        """Create what is missing. The lesson's files replace those of its image."""
        self.directory.mkdir(parents=True, exist_ok=True)
        new = not (self.bundle / "rootfs").is_dir()
        if self._plan.image != "none" and not (
            (self.bundle / "rootfs").is_dir() and self._generated.is_file()
        ):
            self._unpack()
        self._provide()
        for name, file in self._plan.files.items():
            path = self.directory / name
            if not lies_within(path.parent, self.work):
                raise TutorError("session.error.outside", path=path)
            if not path.exists() or (new and path.is_relative_to(self.bundle / "rootfs")):
                write_atomically(path, file.content)
                if file.executable:
                    path.chmod(0o755)

    def generated(self) -> str:
        """Return the `config.json` that the lesson begins with; empty where the learner makes the bundle."""
        if self._plan.config is not None:
            return self._plan.config
        return self._generated.read_text(encoding="utf-8") if self._plan.image != "none" else ""

    def origin(self) -> str:
        """Return where the image came from, in the form of `Origin.text`; empty where that was not recorded."""
        try:
            return self._origin.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""

    def _unpack(self) -> None:
        self.bundle.mkdir(parents=True, exist_ok=True)
        # A fixed name: what a crash leaves there is removed the next time, which the lock on the lesson makes safe.
        fresh = self.bundle.with_name(f".{self.bundle.name}.new")
        try:
            if fresh.exists():
                shutil.rmtree(fresh)
            if self._plan.image == "alpine":
                from tutor.images.alpine import REF
                from tutor.images.unpack import unpack

                unpack(self._alpine().layout, fresh, ref=REF, config="minimal")
            else:
                prepare_bundle(fresh, cache=self._cache, config="minimal")
            write_atomically(self._generated, (fresh / "config.json").read_text(encoding="utf-8"))
            if not (self.bundle / "rootfs").is_dir():
                (self.bundle / "rootfs").unlink(missing_ok=True)
                (fresh / "rootfs").rename(self.bundle / "rootfs")
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _provide(self) -> None:
        """Create copies of the image beside the bundle, for the learner to take apart and change."""
        if not self._plan.provides:
            return
        from tutor.images.alpine import ARCHIVE, LAYOUT

        names = {"archive": ARCHIVE, "layout": LAYOUT}
        missing = [name for form in self._plan.provides if not (self.work / (name := names[form])).exists()]
        if not missing:
            return
        image = self._alpine()
        for name in missing:
            fresh = self.work / f".{name}.new"
            if name == ARCHIVE:
                shutil.copyfile(image.archive, fresh)
            else:
                shutil.rmtree(fresh, ignore_errors=True)
                shutil.copytree(image.layout, fresh)
            fresh.rename(self.work / name)

    def _alpine(self) -> LessonImage:
        """Return the lessons' image, and record for this lesson where it came from."""
        from tutor.images.alpine import lesson_image

        image = lesson_image(self._cache)
        write_atomically(self._origin, image.origin.text())
        return image
