"""What the lesson's commands do in free play, where nothing is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.engines.lifecycle import status_of
from tutor.session import progression

if TYPE_CHECKING:
    from tutor.session.lesson_run import LessonRun

ALLOWED = ("engine", "reset")
"""What of the lesson's commands has a meaning in free play."""


def reset(run: LessonRun) -> None:
    """`reset`: no container any more, and a lab that lives; the bundle is left as it is."""
    if not run.container.lab.alive:
        run.change_lab(run.engine)
    elif status_of(run.state) != "none":
        progression.operate(run, "delete", "--force")
    run.see_state()
