"""The interface of a session for faces: commands and a few queries. What to show comes as events.

`tutor.session.session.Session` is one; the scripted session of the tests is another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from tutor.course.checks.verdict import Verdict
    from tutor.course.model import Action, Step
    from tutor.engines.model import ContainerState, EngineName
    from tutor.home import Home
    from tutor.messages import Messages
    from tutor.session.commands.registry import Argument
    from tutor.session.events import Event
    from tutor.session.terminals import PtyShell


class SessionProtocol(Protocol):
    """A session, for the face of a learner; a context manager that closes it.

    Attributes may be read from any thread at any time. Methods, but for `interrupt`, block until their work is done and the events
    about it are published.
    """

    @property
    def home(self) -> Home:
        """The folders of the learner's work."""

    @property
    def engine(self) -> EngineName:
        """The engine that runs the containers."""

    @property
    def config_path(self) -> Path:
        """The path of the learner's `config.json`."""

    @property
    def config_text(self) -> str:
        """The text of `config.json` as last read; empty when it cannot be read."""

    def __enter__(self) -> Self:
        """Return the session."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""

    def open(self, lesson_id: str) -> None:
        """Open a lesson at the step where it was left, and leave the one that was open.

        Raises:
            TutorError: there is no such lesson, another session has it, or its bundle or lab can't be made.
        """

    def play_freely(self, bundle: Path | None) -> None:
        """Open a bundle (None: a new one) as a lesson in which nothing is checked and nothing recorded.

        Raises:
            TutorError: the bundle can't be used, another session has it, or the lab can't be started.
        """

    def beside(self, publish: Callable[[Event], None]) -> SessionProtocol:
        """Return another session, for free play, on the same engine; this one keeps its lesson, its lab and its container."""

    def execute(self, line: str) -> None:
        """Run one command. Mistakes and failures become a `Notice`, and are never raised."""

    def write_config(self, text: str, seen: str | None = None) -> bool:
        """Save `config.json`, faulty or not, and check the step; return whether it was saved. A failure becomes a `Notice`.

        `seen` is the text that the learner has edited; if another is there now, a copy of that is kept.
        """

    def keep_edits(self, text: str, before: str) -> Path | None:
        """Keep edits of a learner who can't be asked any more; return where, None if that failed.

        They are saved to `config.json`; beside it, if `before`, the text that was edited, is not the one on disk any more.
        """

    def shell_call(self, line: str = "") -> tuple[tuple[str, ...], str, dict[str, str]]:
        """Return argv, working directory and environment of a shell in the lab, for the face to run: interactive, or for a line.

        Raises:
            TutorError: no lesson is open, or its lab has ended.
        """

    def open_shell(self, size: tuple[int, int], term: str) -> PtyShell:
        """Start a shell in the lab on a pseudoterminal of `size` columns and rows; `term` is what the face emulates (terminfo(5)).

        Raises:
            TutorError: no lesson is open, its lab has ended, there is no pseudoterminal, or the shell can't be started.
        """

    def line_entered(self) -> None:
        """Look at the container and the step soon: a line was entered in such a shell."""

    def show_terminals(self, take: Callable[[int], None]) -> None:
        """Have `create` hand the terminal of a container to `take`, from any thread, as its master."""

    def back_from_shell(self) -> None:
        """Check the step after such a shell has ended."""

    def completions(self, argument: Argument, prefix: str) -> tuple[tuple[str, str], ...]:
        """Return the values of an argument that begin with a prefix, each with a description."""

    def interrupt(self) -> None:
        """End the running engine command, as Ctrl-C would; from any thread, and safe when none runs."""

    def leave(self) -> None:
        """Close the lesson and its lab. Without a lesson, do nothing."""

    def close(self) -> None:
        """Leave the lesson and stop every thread; a second call does nothing."""


class PlayerSession(SessionProtocol, Protocol):
    """A session, for a face that plays lessons without a learner: `verify`."""

    @property
    def messages(self) -> Messages:
        """The catalogue in the language of the session."""

    @property
    def index(self) -> int:
        """The index of the present step, from 0."""

    @property
    def step(self) -> Step | None:
        """The present step."""

    @property
    def passed(self) -> frozenset[str]:
        """The ids of the steps passed."""

    @property
    def only_read(self) -> frozenset[str]:
        """The ids of the steps that can't be done by hand here, and are read instead."""

    @property
    def state(self) -> ContainerState | None:
        """The container's state, as the runtime reports it; None when there is no container."""

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts of the present step's last check."""

    def do(self, actions: tuple[Action, ...]) -> None:
        """Run the actions of a known wrong answer. A failure becomes a `Notice`, and is never raised."""

    def right_answer(self) -> str | None:
        """Return the right answer to the present quiz at this moment; None where there is no quiz, or it can't be determined."""
