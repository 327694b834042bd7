"""Doing in a play what a lesson lists: solutions, known wrong answers, recoveries, and replays of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.session.actions import Doer
from tutor.session.progression import holds_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.course.model import Deed
    from tutor.session.lesson_run import LessonRun


def perform(run: LessonRun, deeds: tuple[Deed, ...]) -> None:
    """Do them; what of `config.json` was the learner's is kept, and said.

    Raises:
        TutorError: see `Doer.do`.
    """

    def write(text: str) -> None:
        kept = run.workspace.replace(text)
        run.read_config("solution")
        run.notice("information", "session.notice.solution_written", path=run.workspace.config)
        run.say_kept(kept)

    doer(run, write).do(deeds)
    run.see_config("solution")  # a shell line may have written it
    run.look_again()


def doer(run: LessonRun, write_config: Callable[[str], None]) -> Doer:
    """Return what does deeds in this play's lab."""
    from tutor.session.commands.lesson import answer

    return Doer(
        run.container,
        run.workspace,
        holds=lambda condition: holds_now(run, condition),
        answer=lambda word: answer(run, word),
        write_config=write_config,
    )
