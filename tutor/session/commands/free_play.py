"""The lesson's commands in free play, where nothing is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.engines.lifecycle import status_of
from tutor.session import progression

if TYPE_CHECKING:
    from tutor.session.lesson_run import LessonRun

ALLOWED = ("engine", "reset")
"""The lesson's commands that work in free play."""


def reset(run: LessonRun) -> None:
    """`reset`: delete the container, and start the lab again if it has ended; leave the bundle as it is."""
    if not run.container.lab.alive:
        run.replace_lab(run.engine)
    elif status_of(run.state) != "none":
        progression.operate(run, "delete", "--force")
    run.update_state()
