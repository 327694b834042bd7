"""A loaded lesson: frozen values, in one language.

The logic (kinds, checks, solutions) comes from `lesson.yaml`, the texts from `text.<language>.yaml`, joined by step id.
Texts are Markdown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from tutor.lazy_dataclass import dataclass, field

if TYPE_CHECKING:
    from pathlib import Path

FURTHER = ("build-your-own",)
"""The courses that are installed beside the first, in their order: folders in that of the first."""

Operation = Literal["create", "start", "state", "list", "kill", "delete", "pause", "resume", "exec", "update"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

Panel = Literal["namespaces", "mounts", "processes", "cgroup", "config", "output"]

Requirement = Literal["none", "created", "running", "paused", "stopped"]
REQUIREMENTS: tuple[Requirement, ...] = get_args(Requirement)

Ability = Literal["cgroup", "devices", "ids"]
"""What a step may need of the lab: a cgroup of its own, device nodes, the host's ids from 100000 on."""
ABILITIES: tuple[Ability, ...] = get_args(Ability)

Directory = Literal["bundle", "work"]
Provided = Literal["archive", "layout"]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that holds or not: `kind` names its function in `tutor.course.checks`, `arguments` are that function's."""

    kind: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One declarative check on real state; `kind` and `arguments` are as in `Condition`.

    Attributes:
        text: what is true when it passes, in the learner's language (`the status is created`).
        within: the seconds after a try during which it is repeated before it counts as failed.
        stable_for: the seconds for which it must hold.
        guard: it holds when the step begins, and must still hold at the end.
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
    """A hint: offered in order after `after_failures` failed tries; one with `when` is given unasked if that holds.

    With both it is given when `when` still holds after `after_failures` more failed tries, or when a check is asked for.
    """

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
    """Wait until this holds."""

    until: Condition


@dataclass(frozen=True, slots=True)
class Fail:
    """Do something that must end with an error; not `must`: that may, for engines differ."""

    action: Operate | Run
    must: bool = True


@dataclass(frozen=True, slots=True)
class Define:
    """Put functions into the learner's own runtime, `my_runtime.py`: those of a text, or ours with these names."""

    functions: str = ""
    reference: tuple[str, ...] = ()


Action = Write | Operate | Run | Answer | Wait | Fail | Define
"""One thing done by hand; solutions and known wrong answers are lists of them."""


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """A known wrong answer: what the learner does, and the id of its hint (empty: a quiz, which has its feedback)."""

    id: str
    actions: tuple[Action, ...]
    hint: str


@dataclass(frozen=True, slots=True)
class DeadEnd:
    """A state in which the step cannot be done any more; `text` says so, and `recovery` (empty: `reset`) leads out of it."""

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
    """The learner runs one operation, by a key, a command or in a shell; `arguments` follow the container id (`KILL`).

    `fails`: it is run on purpose in a state that does not allow it, to see its error.
    """

    operation: Operation
    arguments: tuple[str, ...] = ()
    fails: bool = False


@dataclass(frozen=True, slots=True)
class Observe:
    """The learner looks at a panel; `panel` is the one that is brought forward."""

    panel: Panel


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a quiz; `feedback` is shown when it is chosen."""

    id: str
    text: str
    feedback: str


@dataclass(frozen=True, slots=True)
class Quiz:
    """A question, or a prediction before an observation. Without `choices` the answer is typed.

    A prediction passes with any answer: the observation that follows shows which is right. Any other quiz passes with the
    right answer, which is one of

    - the choice `answer`;
    - the first choice whose condition in `when` holds at that moment;
    - for a typed answer, what the shell line `command` prints in the lab.

    Faces get only the verdict. `feedback` is shown for a wrong typed answer.
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
    """The learner works in an interactive shell inside the lab; `suggested` are commands to try, `solution` is one way to pass."""

    suggested: tuple[str, ...]
    solution: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """The learner may do anything that makes all checks hold; `solution` is one way."""

    solution: tuple[Action, ...]
    suggested: tuple[str, ...] = ()
    panel: Panel | None = None


@dataclass(frozen=True, slots=True)
class OwnStep:
    """The learner writes functions of a runtime of their own (`tutor.own_steps`).

    Attributes:
        exercise: its id, which names the functions.
        variants: other right ways, by the names of their files; `verify` plays them.
    """

    exercise: str
    variants: tuple[tuple[str, Define], ...] = ()


Activity = Read | EditConfig | RunOperation | Observe | Quiz | Shell | Task | OwnStep
StepKind = Literal["read", "edit-config", "run-op", "observe", "quiz", "shell", "task", "own-step"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a lesson. It is passed when every check passes and its quiz is answered.

    `read` and `observe` pass with `next`, `observe` only while its checks hold. The texts may contain the placeholders of
    `tutor.course.placeholders` until a session fills them in.

    Attributes:
        requires: the state of the container in which the step begins; `reset` and resuming restore it.
        begins: the text of `config.json` with which it begins; None: the last solution before it.
        setup: shell lines that are run when it begins.
        replay: its solution is run again to set up a later step.
        shows: the rules of the specification's map that its checks show.
        needs: what the lab must have; without, it is only read.
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
    needs: tuple[Ability, ...] = ()


@dataclass(frozen=True, slots=True)
class LabFile:
    """A file that is written into the lab's directory when a lesson is begun."""

    content: str
    executable: bool = False


@dataclass(frozen=True, slots=True)
class LabPlan:
    """What a lesson needs in its lab.

    Attributes:
        bundle: the name of the bundle's folder.
        container_id: the id of the lesson's container.
        image: what the bundle is unpacked from: `alpine` (the real one, if it can be fetched), `mini` (built from this
            machine's programs), or `none` (the learner makes the bundle).
        files: path in `directory` to content; they replace what the image has there.
        directory: where the learner's shell opens and what paths are relative to: the bundle, or the folder around it.
        config: the text of the first `config.json`; None: as generated.
        provides: the forms of the image that are put beside the bundle.
        daemon: a private dockerd runs while the lesson is open.
        place: the bundle of free play, into which nothing is written; None for a lesson.
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
    needs: tuple[str, ...] = ()  # programs without which it cannot be done by hand

    @property
    def course(self) -> str:
        """The name of its course, if that is installed beside the first, whose lessons have labs in a folder of their own; else empty."""
        name = self.folder.parent.name
        return name if name in FURTHER and not self.is_free_play else ""

    @property
    def is_own(self) -> bool:
        """Whether the learner edits a runtime of their own in it, and not a `config.json`."""
        return any(isinstance(step.activity, OwnStep) for step in self.steps)

    @property
    def is_free_play(self) -> bool:
        """Whether it is not a lesson but a bundle for free play: nothing is checked or recorded."""
        return self.lab.place is not None
