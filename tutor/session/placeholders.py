"""A lesson for this learner: its placeholders filled in for the engine, the folder and the image at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.placeholders import fill, fill_written
from tutor.docker.private import runtime_name
from tutor.home import shown

if TYPE_CHECKING:
    from tutor.course.model import Lesson
    from tutor.engines.model import EngineName
    from tutor.home import Home
    from tutor.messages import Messages
    from tutor.session.workspace import Workspace


def written(lesson: Lesson, engine: EngineName, home: Home) -> Lesson:
    """Return the lesson with what is handed to runtimes and shells filled in: paths are absolute."""
    work = home.labs / lesson.id
    bundle = work / lesson.lab.bundle
    values = {"bundle": str(bundle), "config": str(bundle / "config.json"), "work": str(work)}
    return fill_written(lesson, _names(lesson, engine) | values | {"image": lesson.lab.image})


def told(lesson: Lesson, engine: EngineName, workspace: Workspace, messages: Messages) -> Lesson:
    """Return the lesson with its texts filled in: paths as a person writes them."""
    values = {
        "bundle": shown(workspace.bundle),
        "config": shown(workspace.config),
        "work": shown(workspace.work),
        "image": workspace.image(messages),
    }
    return fill(lesson, _names(lesson, engine) | values)


def _names(lesson: Lesson, engine: EngineName) -> dict[str, str]:
    return {"engine": engine, "runtime": runtime_name(engine), "container": lesson.lab.container_id}
