"""What a face may ask of a session: commands and a few questions. What there is to show comes as events.

`tutor.session.session.Session` is one; the scripted session of the tests is another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from tutor.course.checks.verdict import Verdict
    from tutor.course.model import Action, Lesson, Step
    from tutor.engines.model import ContainerState, EngineName
    from tutor.home import Home
    from tutor.messages import Messages
    from tutor.observe import Snapshot
    from tutor.session.commands.registry import Argument
    from tutor.session.events import Event


class SessionProtocol(Protocol):
    """A session, for a face that a learner works at; a context manager that closes it.

    Attributes may be read from any thread at any time. Methods block until their work is done, and the events about it have been
    published; `interrupt` alone does not.
    """

    @property
    def home(self) -> Home:
        """Where the learner's work is kept."""

    @property
    def lesson(self) -> Lesson | None:
        """The opened lesson, its texts filled in for the present engine."""

    @property
    def index(self) -> int:
        """Which step of the lesson is the present one, from 0."""

    @property
    def step(self) -> Step | None:
        """The present step."""

    @property
    def passed(self) -> frozenset[str]:
        """The ids of the steps passed."""

    @property
    def engine(self) -> EngineName:
        """The engine that runs the containers."""

    @property
    def state(self) -> ContainerState | None:
        """The container as its runtime sees it; None when there is none."""

    @property
    def snapshot(self) -> Snapshot | None:
        """The last snapshot of the kernel's state."""

    @property
    def config_path(self) -> Path:
        """Where the learner's `config.json` lies."""

    @property
    def config_text(self) -> str:
        """The text of `config.json` as last read; empty when there is none that can be read."""

    def __enter__(self) -> Self:
        """Return the session."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""

    def open(self, lesson_id: str) -> None:
        """Open a lesson, where it was left; the one that was open is left first.

        Raises:
            TutorError: there is no such lesson, another session has it, or its bundle or lab can't be made.
        """

    def play_freely(self, bundle: Path | None) -> None:
        """Open a bundle (None: a new one) as a lesson in which nothing is checked and nothing recorded.

        Raises:
            TutorError: there is nothing in it to work with, another session has it, or the lab can't be made.
        """

    def beside(self, publish: Callable[[Event], None]) -> SessionProtocol:
        """Return another session, for free play, on the same engine; this one keeps its lesson, its lab and its container."""

    def execute(self, line: str) -> None:
        """Run one command. Mistakes and failures are told by a `Notice`, never raised."""

    def write_config(self, text: str) -> bool:
        """Save `config.json`, faulty or not, and check the step; return whether it was saved. A failure is told by a `Notice`."""

    def shell_call(self) -> tuple[tuple[str, ...], str, dict[str, str]]:
        """Return argv, working directory and environment of an interactive shell in the lab, for the face to run.

        Raises:
            TutorError: no lesson is open, or its lab has ended.
        """

    def back_from_shell(self) -> None:
        """Check the step after such a shell has ended."""

    def completions(self, argument: Argument, prefix: str) -> tuple[tuple[str, str], ...]:
        """Return the values of an argument that begin with a prefix, each with a description."""

    def interrupt(self) -> None:
        """End the running engine command, as Ctrl-C would; from any thread, and safe when none runs."""

    def leave(self) -> None:
        """Close the lesson and its lab. Without one, nothing happens."""

    def close(self) -> None:
        """Leave the lesson and stop every thread; a second time nothing happens."""


class PlayerSession(SessionProtocol, Protocol):
    """A session, for a face that plays lessons without a learner: `verify`."""

    @property
    def messages(self) -> Messages:
        """The catalogue in the language of the session."""

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts of the present step's last check."""

    def do(self, actions: tuple[Action, ...]) -> None:
        """Do what a lesson lists as a known wrong answer. Failures are told by a `Notice`, never raised."""

    def right_answer(self) -> str | None:
        """Return the right answer to the present quiz at this moment; None where there is no quiz, or it can't be told."""
