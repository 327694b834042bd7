"""Free play: any bundle, worked on as in a lesson, with nothing checked and nothing recorded.

The bundle is somebody's own folder. Nothing is written into it but what the person writes: `config.json`, when it is saved.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.model import LabPlan, Lesson, Read, Step
from tutor.engines.lifecycle import status_of
from tutor.engines.model import ENGINE_NAMES
from tutor.errors import TutorError
from tutor.session.lesson_lock import LessonLock
from tutor.session.workspace import LARGEST, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.home import Home
    from tutor.messages import Messages
    from tutor.session.lesson_run import LessonRun

NAME = "play"
"""The lesson's id, and its container's."""
ALLOWED = ("engine", "reset")
"""What of the lesson's commands has a meaning here."""
_MOST_BUNDLES = 10_000


def free_play_lesson(bundle: Path, messages: Messages) -> Lesson:
    """Return the lesson of one step, with nothing to do in it, that is free play in a bundle."""
    step = Step(
        NAME, "read", messages("session.play.title"), messages("session.play.body", bundle="{bundle}"), Read()
    )
    return Lesson(
        id=NAME,
        order=0,
        minutes=0,
        spec_version="1.3.0",
        engines=ENGINE_NAMES,
        title=messages("session.play.title"),
        summary="",
        steps=(step,),
        lab=LabPlan(bundle.name, NAME, image="none", place=bundle),
        folder=bundle,
    )


def claim(lesson: Lesson, home: Home) -> LessonLock:
    """Lock a lesson, or in free play its bundle: two that work in one folder would edit the same `config.json`.

    Raises:
        TutorError: `session.error.in_use`, `.home`.
    """
    place = lesson.lab.place
    if place is None:
        return LessonLock(home.records, lesson.id)
    digest = hashlib.sha256(os.fsencode(place.resolve())).hexdigest()
    return LessonLock(home.records, f"{NAME}-{digest[:16]}", called=str(place))


def usable_bundle(path: Path) -> Path:
    """Return a bundle's absolute path, once there is something in it to work with.

    Raises:
        TutorError: `session.play.*`: there is no such folder, or no `config.json` in it that can be read.
    """
    bundle = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100  (a link is named as the person named it)
    if not bundle.exists():
        raise TutorError("session.play.no_bundle", path=bundle)
    if not bundle.is_dir():
        raise TutorError("session.play.no_folder", path=bundle, parent=bundle.parent)
    _config_text(bundle / "config.json")
    return bundle


def _config_text(config: Path) -> str:
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


def missing_rootfs(bundle: Path, text: str) -> TutorError | None:
    """Return what to say of a bundle whose `config.json` names a root filesystem that is not there; None: it is, or can't be told."""
    try:
        path = json.loads(text)["root"]["path"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(path, str) or (bundle / path).is_dir():
        return None
    return TutorError("session.play.no_rootfs", path=bundle / path)


def fresh_bundle(home: Home) -> Path:
    """Make a bundle of the lessons' image, in namespaces of its own and ready to `create`; return where it lies.

    Raises:
        TutorError: `images.error.*`, it can't be made.
    """
    from tutor.images.alpine import REF, lesson_image
    from tutor.images.unpack import unpack

    folder = home.labs / NAME
    bundle = next(
        path for number in range(1, _MOST_BUNDLES) if not (path := folder / f"bundle-{number}").exists()
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        unpack(lesson_image(home.cache).layout, bundle, ref=REF, config="full")
        config = json.loads((bundle / "config.json").read_text(encoding="utf-8"))
        # No terminal: `create` leaves the container to itself. A while to look at it, exec into it, freeze it.
        config["process"] |= {"terminal": False, "args": ["sleep", "1000"]}
        config["hostname"] = NAME
        (bundle / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise TutorError("session.error.home", path=folder, reason=error.strerror) from error
    return bundle


def reset(run: LessonRun) -> None:
    """`reset`: no container any more, and a lab that lives; the bundle is left as it is."""
    if not run.container.lab.alive:
        run.lay_anew(run.engine)
    elif status_of(run.state) != "none":
        run.operate("delete", "--force")
    run.see_state()


class OwnBundle(Workspace):
    """A bundle of somebody's; of a lesson's workspace it has only the reading and saving of `config.json`."""

    def __init__(self, lesson: Lesson, home: Home, place: Path) -> None:
        super().__init__(lesson, home)
        self.work = self.bundle = self.directory = place
        self.config = place / "config.json"

    def prepare(self, index: int) -> None:
        """Lay nothing."""

    def generated(self) -> str:
        """Return no text: `config.json` came from nobody else."""
        return ""

    def origin(self) -> str:
        """Return no origin: the image is the person's own."""
        return ""

    def read(self) -> str:
        """Return the text of `config.json`.

        Raises:
            TutorError: `session.play.*`.
        """
        return _config_text(self.config)

    def write(self, text: str) -> None:
        """Save `config.json`, atomically, with the owner and the permissions that it has.

        Raises:
            TutorError: `session.run.unwritable`.
        """
        place = self.config.resolve()
        try:
            before = place.stat() if place.exists() else None
            descriptor, name = tempfile.mkstemp(prefix=".config.json.", dir=place.parent)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                    file.write(text)
                    file.flush()
                    if before is not None and os.geteuid() == 0:
                        os.fchown(file.fileno(), before.st_uid, before.st_gid)
                    os.fchmod(file.fileno(), before.st_mode & 0o7777 if before is not None else 0o644)
                    os.fsync(file.fileno())
                Path(name).replace(place)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise TutorError("session.play.unwritable", path=place, reason=error.strerror) from error

    def keep_unread(self) -> Path | None:
        """Refuse to save over a `config.json` that could not be read, for nobody has seen what would be lost.

        Raises:
            TutorError: `session.play.*`.
        """
        if self.config.exists():
            self.read()
        return None

    def replace(self, text: str) -> Path | None:  # noqa: ARG002  (the lesson's way)
        """Replace nothing."""
        return None

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """Borrow nothing."""
        yield

    def begins_with(self, index: int) -> str:  # noqa: ARG002  (the lesson's way)
        """Return no text: whatever there is, is how it begins."""
        return ""


def workspace_of(lesson: Lesson, home: Home) -> Workspace:
    """Return where a lesson's files are worked on: in its own folder below `Home.labs`, or in somebody's bundle."""
    place = lesson.lab.place
    return Workspace(lesson, home) if place is None else OwnBundle(lesson, home, place)
