"""What a lesson is, once loaded: frozen values, language already chosen.

The logic (kinds, checks, solutions) comes from `lesson.yaml`, the texts from `text.<language>.yaml`, joined by step id.
Texts are Markdown. A face shows them; it never asks which file they came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pathlib import Path

Operation = Literal["create", "start", "state", "list", "kill", "delete"]
OPERATIONS: tuple[Operation, ...] = ("create", "start", "state", "list", "kill", "delete")

Panel = Literal["namespaces", "mounts", "processes", "config", "output"]

Requirement = Literal["none", "created", "running", "stopped"]
REQUIREMENTS: tuple[Requirement, ...] = ("none", "created", "running", "stopped")


@dataclass(frozen=True, slots=True)
class Check:
    """One declarative check on real state; `kind` names its function in `tutor.course.checks`, `arguments` are its own.

    `text` says in the learner's language what is true when it passes (`the status is created`).
    """

    id: str
    kind: str
    arguments: dict[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class Hint:
    """A hint; it is offered after `after_failures` failed tries, in order."""

    text: str
    after_failures: int = 0
    id: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """Nothing to do but read."""


@dataclass(frozen=True, slots=True)
class EditConfig:
    """The learner edits `file` (relative to the bundle); `solution` is a file's whole text."""

    file: str
    solution: str


@dataclass(frozen=True, slots=True)
class RunOperation:
    """The learner runs one operation (any way: key, command, shell); `arguments` follow the container id (`KILL`).

    `fails`: the operation is tried on purpose in a state that does not allow it, and its error is what there is to see.
    """

    operation: Operation
    arguments: tuple[str, ...] = ()
    fails: bool = False


@dataclass(frozen=True, slots=True)
class Observe:
    """The learner looks at a panel; `panel` is the one to bring forward."""

    panel: Panel


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a quiz; `feedback` is shown when it was chosen."""

    id: str
    text: str
    feedback: str


@dataclass(frozen=True, slots=True)
class Quiz:
    """A question; also a prediction before an observation. `answer` is the right choice's id.

    A prediction passes with any answer: the observation that follows tells. Any other quiz passes with the right one.
    A later issue adds answers computed from the live kernel; faces only ever see the verdict.
    """

    question: str
    choices: tuple[Choice, ...]
    answer: str
    prediction: bool = False


@dataclass(frozen=True, slots=True)
class Shell:
    """The learner works in an interactive shell inside the lab; `suggested` are commands worth trying, `solution` does the job."""

    suggested: tuple[str, ...]
    solution: tuple[str, ...] = ()


Action = Read | EditConfig | RunOperation | Observe | Quiz | Shell
StepKind = Literal["read", "edit-config", "run-op", "observe", "quiz", "shell"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a lesson. It is passed when every check passes and its quiz is answered.

    `read` and `observe` pass by going on (`next`), `observe` only while its checks hold. `requires` is the state of the
    container in which the step begins: `reset` and resuming bring it there. The texts may hold the placeholders of
    `tutor.course.placeholders` until a session has filled them in.
    """

    id: str
    kind: StepKind
    title: str
    body: str
    action: Action
    checks: tuple[Check, ...] = ()
    hints: tuple[Hint, ...] = ()
    summary: str = ""  # shown once the step has passed: what was seen, and why
    clause: str = ""  # where the specification says so: "runtime.md#create"
    requires: Requirement = "none"


@dataclass(frozen=True, slots=True)
class LabPlan:
    """What a lesson needs in its lab: the bundle folder's name, the container id, the files laid into the bundle at first.

    `image` names what the bundle is unpacked from (`mini`: the image built from this machine); `files` is path within the
    bundle to text, and lies over what the image brought.
    """

    bundle: str
    container_id: str
    image: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson in one language."""

    id: str
    order: int
    minutes: int
    spec_version: str
    engines: tuple[str, ...]
    title: str
    summary: str
    steps: tuple[Step, ...]
    lab: LabPlan
    folder: Path
