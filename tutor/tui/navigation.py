"""What a screen may ask of the app: to go to another screen, and the few things that all screens share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.model import Lesson
    from tutor.engines.model import EngineName
    from tutor.session.events import Notice
    from tutor.view.course_view import Ending


class Navigation(Protocol):
    """The app, as its screens know it: they import no app, and the app imports them."""

    @property
    def only_plays(self) -> bool:
        """Whether the program was started for free play and nothing else is open: to leave it is to end the program."""

    def lesson_after(self, lesson_id: str) -> Lesson | None:
        """Return the lesson that follows in the course; None after the last one."""

    def go_on_to(self, lesson_id: str, engine: EngineName) -> None:
        """Close the session in front, and open another lesson."""

    def open_lesson(self, lesson_id: str, engine: EngineName) -> None:
        """Open a lesson on a screen of its own, in place of the one that is open."""

    def play(self, bundle: Path | None, engine: EngineName) -> None:
        """Open a bundle (None: a new one) for free play; the lesson that is open waits below."""

    def go_back(self, notice: Notice | None = None) -> None:
        """Close the session in front and go back to the screen below; say why, where the learner did not ask for it."""

    def ending_of(self, lesson_id: str) -> Ending:
        """Return what a finished lesson has shown of the specification."""

    def engines(self) -> tuple[tuple[str, str], ...]:
        """Return the runtimes by name, each with whether it is installed."""

    def notice_of(self, error: Exception) -> Notice:
        """Return what to tell the learner of an error."""

    def change_theme(self) -> None:
        """Change between the dark and the light theme."""

    def open_palette(self) -> None:
        """Open the command palette."""
