"""Doing in a play what a lesson lists: solutions, known wrong answers, recoveries, and replays of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.session.actions import Doer
from tutor.session.progression import holds_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.course.model import Deed
    from tutor.session.lesson_run import Play


def perform(play: Play, deeds: tuple[Deed, ...]) -> None:
    """Do them; what of `config.json` was the learner's is kept, and said.

    Raises:
        TutorError: see `Doer.do`.
    """

    def write(text: str) -> None:
        kept = play.workspace.replace(text)
        play.read_config("solution")
        play.notice("information", "session.notice.solution_written", path=play.workspace.config)
        play.say_kept(kept)

    doer(play, write).do(deeds)
    play.see_config("solution")  # a shell line may have written it
    play.look_again()


def doer(play: Play, write_config: Callable[[str], None]) -> Doer:
    """Return what does deeds in this play's lab."""
    from tutor.session.commands.lesson import answer

    return Doer(
        play.bench,
        play.workspace,
        holds=lambda condition: holds_now(play, condition),
        answer=lambda word: answer(play, word),
        write_config=write_config,
    )
