"""What a check may look at, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tutor.course.checks.verdict import Evidence
    from tutor.course.model import Operation
    from tutor.engines.model import ContainerState
    from tutor.messages import Messages
    from tutor.observe import Snapshot


@dataclass(frozen=True, slots=True)
class CallRecord:
    """An engine command as far as the present step is concerned.

    `returncode` is None while it runs. The streams hold what was printed since the step began, also by the container that
    `create` left behind. `earlier` tells that the call itself was made before the step began.
    """

    operation: Operation
    typed: str
    returncode: int | None = None
    stdout: str = ""
    stderr: str = ""
    earlier: bool = False


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """What a command line in the lab came to: its exit status, negative for a signal, and what it printed."""

    status: int
    stdout: str
    stderr: str


def _no_other(container_id: str) -> tuple[ContainerState | None, Snapshot | None]:
    del container_id
    return None, None


def _no_lab(line: str) -> CommandOutput:
    return CommandOutput(127, "", line)


def _no_docker(path: str) -> None:
    del path


@dataclass(frozen=True, slots=True)
class CheckContext:
    """One moment of a learner's lab. `calls` are in the order in which they were made.

    `directory` is where the learner's shell opens and what paths are relative to (the bundle where None). `answer` is what the
    quiz was answered with last. `other` looks at another container of the lab, `run` runs a shell line in it, `docker` asks the
    API of the lab's dockerd (a document, {} when it knows no such thing, None when nobody answers): all when asked.
    """

    messages: Messages
    engine: str
    container_id: str
    bundle: Path
    state: ContainerState | None
    snapshot: Snapshot | None
    calls: tuple[CallRecord, ...] = ()
    directory: Path | None = None
    answer: str | None = None
    other: Callable[[str], tuple[ContainerState | None, Snapshot | None]] = _no_other
    run: Callable[[str], CommandOutput] = _no_lab
    docker: Callable[[str], Any] = _no_docker

    def about(self, container_id: str | None) -> CheckContext:
        """Return the same moment with another container of the lab in the middle; None: the lesson's own."""
        if container_id is None or container_id == self.container_id:
            return self
        state, snapshot = self.other(container_id)
        return replace(self, container_id=container_id, state=state, snapshot=snapshot)

    @property
    def place(self) -> Path:
        """What relative paths are relative to."""
        return self.directory or self.bundle

    @property
    def state_command(self) -> str:
        """The command with which a person looks at the container's state."""
        return f"{self.engine} state {self.container_id}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's result without the check's own text."""

    passed: bool
    evidence: tuple[Evidence, ...]
