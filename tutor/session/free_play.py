"""Free play: use any bundle as in a lesson, with nothing checked and nothing recorded.

The bundle is the learner's own folder. Nothing is written into it but `config.json`, when the learner saves it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.model import LabPlan, Lesson, Read, Step
from tutor.engines.model import ENGINE_NAMES
from tutor.errors import TutorError
from tutor.lab.grounds import unwritable
from tutor.session.own_bundle import read_config

if TYPE_CHECKING:
    from tutor.home import Home
    from tutor.messages import Messages

NAME = "play"
"""The id of the lesson and of its container."""
_MOST_BUNDLES = 10_000


def free_play_lesson(bundle: Path, messages: Messages) -> Lesson:
    """Return free play in a bundle as a lesson of one step, which asks for nothing."""
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
    """Return the absolute path of a bundle that can be used.

    Raises:
        TutorError: `session.play.*`: there is no such folder, or no readable `config.json` in it.
    """
    bundle = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100  (keeps a symbolic link's name)
    if not bundle.exists():
        raise TutorError("session.play.no_bundle", path=bundle)
    if not bundle.is_dir():
        raise TutorError("session.play.no_folder", path=bundle, parent=bundle.parent)
    read_config(bundle / "config.json")
    return bundle


def missing_rootfs(bundle: Path, text: str) -> TutorError | None:
    """Return a warning for a bundle without the root filesystem that `config.json` names; None: it exists, or none is named."""
    try:
        path = json.loads(text)["root"]["path"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(path, str) or (bundle / path).is_dir():
        return None
    return TutorError("session.play.no_rootfs", path=bundle / path)


def fresh_bundle(home: Home) -> Path:
    """Make a bundle of the lessons' image, with namespaces of its own, ready for `create`; return its path.

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
        # No terminal, since `create` does not wait for the container; and time to look at it, exec into it, freeze it.
        config["process"] |= {"terminal": False, "args": ["sleep", "1000"]}
        config["hostname"] = NAME
        (bundle / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(folder, error) from error
    return bundle
