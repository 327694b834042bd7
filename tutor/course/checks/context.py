"""What a check may look at, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.model import Operation
    from tutor.engines.model import ContainerState
    from tutor.messages import Messages
    from tutor.observe import Snapshot
    from tutor.session.events import Evidence


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
class CheckContext:
    """One moment of a learner's lab. `calls` are in the order in which they were made."""

    messages: Messages
    engine: str
    container_id: str
    bundle: Path
    state: ContainerState | None
    snapshot: Snapshot | None
    calls: tuple[CallRecord, ...] = ()

    @property
    def state_command(self) -> str:
        """The command with which a person looks at the container's state."""
        return f"{self.engine} state {self.container_id}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's result without the check's own text."""

    passed: bool
    evidence: tuple[Evidence, ...]
