"""What a lesson is, once loaded: frozen values, language already chosen.

The logic (kinds, checks, solutions) comes from `lesson.yaml`, the texts from `text.<language>.yaml`, joined by step id.
Texts are Markdown. A face shows them; it never asks which file they came from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from pathlib import Path

Operation = Literal["create", "start", "state", "list", "kill", "delete", "pause", "resume", "exec", "update"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

Panel = Literal["namespaces", "mounts", "processes", "config", "output"]

Requirement = Literal["none", "created", "running", "paused", "stopped"]
REQUIREMENTS: tuple[Requirement, ...] = get_args(Requirement)

Directory = Literal["bundle", "work"]
Provided = Literal["archive", "layout"]


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that holds or not: `kind` names its function in `tutor.course.checks`, `arguments` are its own."""

    kind: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One declarative check on real state; `kind` names its function in `tutor.course.checks`, `arguments` are its own.

    `text` says in the learner's language what is true when it passes (`the status is created`). `within`: for so many
    seconds after a try it is looked at again before it counts as failed. `stable_for`: it must hold for so many seconds.
    `guard`: it holds when the step begins, and must still hold in the end.
    """

    id: str
    kind: str
    arguments: dict[str, Any]
    text: str
    within: float = 0.0
    stable_for: float = 0.0
    guard: bool = False


@dataclass(frozen=True, slots=True)
class Hint:
    """A hint: offered after `after_failures` failed tries, in order; with `when`, given unasked where that holds."""

    text: str
    after_failures: int = 0
    id: str = ""
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """Write a file of the bundle; `content` is its whole text."""

    file: str
    content: str
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Operate:
    """Run an operation of the engine on the lesson's container."""

    operation: Operation
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """Run a shell command line in the lab's directory."""

    line: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer the quiz."""

    answer: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait till this holds."""

    until: Condition


@dataclass(frozen=True, slots=True)
class Fail:
    """Do something that must end with an error."""

    action: Operate | Run


Action = Write | Operate | Run | Answer | Wait | Fail
"""One thing done by hand, as solutions and known wrong answers are made of."""


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """A known wrong answer: what the learner does, and the id of the hint made for it (empty: a quiz's feedback)."""

    id: str
    actions: tuple[Action, ...]
    hint: str


@dataclass(frozen=True, slots=True)
class DeadEnd:
    """Where it holds, the step can't be done any more; `text` says so, and `reset` (or `recovery`) leads out."""

    id: str
    when: Condition
    text: str
    recovery: tuple[Action, ...] = ()


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
    """A question; also a prediction before an observation. Without `choices` the answer is typed freely.

    A prediction passes with any answer: the observation that follows tells. Any other quiz passes with the right one: the
    choice `answer`; or the first one whose condition in `when` holds in the kernel at that moment; or, typed, what the shell
    line `command` prints in the lab. Faces only ever see the verdict. `feedback` is said to a wrong typed answer.
    """

    question: str
    choices: tuple[Choice, ...]
    answer: str = ""
    prediction: bool = False
    when: tuple[tuple[str, Condition], ...] = ()
    command: str = ""
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Shell:
    """The learner works in an interactive shell inside the lab; `suggested` are commands worth trying, `solution` does the job."""

    suggested: tuple[str, ...]
    solution: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """The learner does whatever leads to where all checks hold; `solution` is one way there."""

    solution: tuple[Action, ...]
    suggested: tuple[str, ...] = ()
    panel: Panel | None = None


Activity = Read | EditConfig | RunOperation | Observe | Quiz | Shell | Task
StepKind = Literal["read", "edit-config", "run-op", "observe", "quiz", "shell", "task"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a lesson. It is passed when every check passes and its quiz is answered.

    `read` and `observe` pass by going on (`next`), `observe` only while its checks hold. `requires` is the state of the
    container in which the step begins: `reset` and resuming bring it there. `begins` is the text of `config.json` with which
    it begins, where that is not the last solution before it; `setup` are shell lines that are run then. `replay`: its solution
    is run again to bring a later step about. `shows` are the rules of the specification's map that its checks show. The texts
    may hold the placeholders of `tutor.course.placeholders` until a session has filled them in.
    """

    id: str
    kind: StepKind
    title: str
    body: str
    activity: Activity
    checks: tuple[Check, ...] = ()
    hints: tuple[Hint, ...] = ()
    summary: str = ""  # shown once the step has passed: what was seen, and why
    clause: str = ""  # where the specification says so: "runtime.md#create"
    requires: Requirement = "none"
    shows: tuple[str, ...] = ()
    begins: str | None = None
    setup: tuple[str, ...] = ()
    replay: bool = False
    wrong: tuple[WrongAnswer, ...] = ()
    dead_ends: tuple[DeadEnd, ...] = ()


@dataclass(frozen=True, slots=True)
class LabFile:
    """A file laid into the lab's directory at first."""

    content: str
    executable: bool = False


@dataclass(frozen=True, slots=True)
class LabPlan:
    """What a lesson needs in its lab: the bundle folder's name, the container id, the files laid into its directory at first.

    `image` names what the bundle is unpacked from (`alpine`: the real one where it can be had; `mini`: the image built from
    this machine; `none`: the lesson makes the bundle). `directory` is where the learner's shell opens and what paths are
    relative to: the bundle, or the lesson's folder around it. `files` is path within it to content, and lies over what the
    image brought. `config` is the text of the first `config.json` (None: as generated). `provides` are forms of the image laid
    beside the bundle. `daemon`: a private dockerd runs while the lesson is open. `place`: a bundle of somebody's, for free
    play, into which nothing is laid.
    """

    bundle: str
    container_id: str
    image: Literal["alpine", "mini", "none"] = "mini"
    files: dict[str, LabFile] = field(default_factory=dict)
    directory: Directory = "bundle"
    config: str | None = None
    provides: tuple[Provided, ...] = ()
    daemon: bool = False
    place: Path | None = None


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
    needs: tuple[str, ...] = ()  # programs without which it can't be done by hand

    @property
    def is_free_play(self) -> bool:
        """Whether it is no lesson but a bundle of somebody's to play with: nothing is checked, nothing recorded."""
        return self.lab.place is not None
