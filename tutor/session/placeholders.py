"""Fill in the placeholders of a lesson, for the engine, the folder and the image of a session."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tutor.course.placeholders import fill, fill_executed
from tutor.docker.private import runtime_name
from tutor.engines.traits.table import Table
from tutor.engines.traits.words import sentences
from tutor.home import shown
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from tutor.course.model import Lesson
    from tutor.engines.model import EngineName
    from tutor.home import Home
    from tutor.messages import Messages


@dataclass(frozen=True, slots=True)
class Placeholders:
    """The values of a lesson's placeholders in one session: with them, any copy of the course gives the same texts.

    Attributes:
        engine: the engine that runs the containers.
        work, bundle: the lesson's folder, and the bundle in it; absolute paths.
        home: the home directory, an absolute path; texts write it as `~`.
        image: where the image came from, in the form of `tutor.images.origin.Origin.text`; empty where it is not known.
        version: the engine's version, where it answers other than recorded; traits: `NAME=ANSWER` for each such trait, with spaces.
    """

    engine: EngineName
    work: str
    bundle: str
    home: str
    image: str = ""
    version: str = ""
    traits: str = ""


def placeholders_of(lesson: Lesson, engine: EngineName, home: Home) -> Placeholders:
    """Return the values for a session here, without the image's origin."""
    work = home.labs / lesson.course / lesson.id
    bundle = work / lesson.lab.bundle
    if lesson.lab.place is not None:
        work = bundle = lesson.lab.place
    user_home = os.path.expanduser("~")  # noqa: PTH111  (a home that is not known stays `~`)
    return Placeholders(engine, str(work), str(bundle), user_home)


def for_execution(lesson: Lesson, values: Placeholders) -> Lesson:
    """Return the lesson with the placeholders filled in that runtimes and shells get: paths are absolute."""
    paths = {"bundle": values.bundle, "config": f"{values.bundle}/config.json", "work": values.work}
    return fill_executed(lesson, _names(lesson, values.engine) | paths | {"image": lesson.lab.image})


def for_display(lesson: Lesson, values: Placeholders, messages: Messages) -> Lesson:
    """Return the lesson with the placeholders of its texts filled in: paths as `~/...`, the image in the language of `messages`."""
    paths = {
        "bundle": shown(values.bundle, values.home),
        "config": shown(f"{values.bundle}/config.json", values.home),
        "work": shown(values.work, values.home),
    }
    return fill(
        lesson,
        _names(lesson, values.engine)
        | paths
        | _traits(values, messages)
        | {"image": image_phrase(values.image, messages)},
    )


def _traits(values: Placeholders, messages: Messages) -> dict[str, str]:
    here = dict(each.split("=", 1) for each in values.traits.split())
    return {
        f"trait {each}": sentences(each, messages, values.engine, values.version, here.get(each, ""))
        for each in Table.load().traits
    }


def _names(lesson: Lesson, engine: EngineName) -> dict[str, str]:
    return {
        "engine": engine,
        "runtime": runtime_name(engine),
        "container": lesson.lab.container_id,
        "always": "",
    }


def image_phrase(origin: str, messages: Messages) -> str:
    """Return the phrase for an image: which one it is, and where it came from; `origin` has the form of `Placeholders.image`."""
    from tutor.images.origin import Origin

    try:
        return Origin.parse(origin).phrase(messages)
    except (ValueError, KeyError, RecursionError):  # not recorded, or unknown to this version
        return messages("images.origin.own")
