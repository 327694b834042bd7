"""What a check is given, and what it returns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tutor.course.checks.verdict import Evidence
    from tutor.course.model import Operation
    from tutor.engines.model import ContainerState
    from tutor.messages import Messages
    from tutor.observe import Snapshot
    from tutor.own_steps.judge import Judgement


@dataclass(frozen=True, slots=True)
class CallRecord:
    """An engine command, as far as the present step is concerned.

    `returncode` is None while it runs. The streams hold what was printed since the step began, by the container that `create` left
    running too. `earlier`: the command was run before the step began.
    """

    operation: Operation
    typed: str
    returncode: int | None = None
    stdout: str = ""
    stderr: str = ""
    earlier: bool = False


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """The result of a command line in the lab: its exit status, negative for a signal, and its output."""

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


def _no_runtime(exercise: str) -> str:
    return exercise


def _no_engine(trait: str) -> str:
    del trait
    return ""


@dataclass(frozen=True, slots=True)
class CheckContext:
    """The state of a learner's lab at one moment. `calls` are in order.

    - `directory`: the working directory of the learner's shell, to which paths are relative (None: the bundle).
    - `answer`: the last answer to the quiz.
    - `other(id)` queries another container of the lab; `run(line)` runs a shell line in it; `docker(path)` requests a document of the
      API of the lab's dockerd ({}: there is none; None: no dockerd answers).
    - `own(exercise)` returns what the learner's own functions of an exercise do, or a text that says why that is not known.
    - `trait(name)` returns the engine's answer to the question of a trait, empty where it is not known.
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
    trait: Callable[[str], str] = _no_engine
    own: Callable[[str], Judgement | str] = _no_runtime

    def about(self, container_id: str | None) -> CheckContext:
        """Return the same moment with another container of the lab in place of the lesson's (None: the lesson's)."""
        if container_id is None or container_id == self.container_id:
            return self
        state, snapshot = self.other(container_id)
        return replace(self, container_id=container_id, state=state, snapshot=snapshot)

    @property
    def place(self) -> Path:
        """The directory to which relative paths are relative."""
        return self.directory or self.bundle

    @property
    def state_command(self) -> str:
        """The command with which a person queries the container's state."""
        return f"{self.engine} state {self.container_id}"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check, without the check's text."""

    passed: bool
    evidence: tuple[Evidence, ...]
