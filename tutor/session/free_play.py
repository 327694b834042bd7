"""Free play: any bundle, worked on as in a lesson, with nothing checked and nothing recorded.

The bundle is somebody's own folder. Nothing is written into it but what the person writes: `config.json`, when it is saved.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.model import LabPlan, Lesson, Read, Step
from tutor.engines.model import ENGINE_NAMES
from tutor.errors import TutorError
from tutor.session.own_bundle import read_config

if TYPE_CHECKING:
    from tutor.home import Home
    from tutor.messages import Messages

NAME = "play"
"""The lesson's id, and its container's."""
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
    read_config(bundle / "config.json")
    return bundle


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
