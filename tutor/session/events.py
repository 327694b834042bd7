"""What a session answers: events, frozen values, the same for every face. They may arrive from any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tutor.course.checks.verdict import Verdict
    from tutor.course.model import Hint, Lesson, Step
    from tutor.engines.model import Call, CallResult, ContainerState, EngineName, Stream
    from tutor.observe import Delta, Snapshot
    from tutor.session.placeholders import Placeholders


@dataclass(frozen=True, slots=True)
class LessonOpened:
    """A lesson is ready: its lab stands and its bundle lies on disk. There is no container yet; the next event tells the engine.

    Attributes:
        lesson: its texts filled in for this session.
        resumed: progress was found.
        passed: the ids of the steps that were passed before.
        read_only: the lesson can't be done by hand here; its steps are read instead (`tutor.session.recording.to_read`).
        placeholders: what the texts were filled in with; None: they are as the course has them.
    """

    lesson: Lesson
    resumed: bool
    passed: frozenset[str] = frozenset()
    read_only: bool = False
    placeholders: Placeholders | None = None


@dataclass(frozen=True, slots=True)
class StepEntered:
    """The learner stands at `lesson.steps[index]`; `passed` tells whether it is passed: after `reset` it is not any more."""

    index: int
    step: Step
    passed: bool


@dataclass(frozen=True, slots=True)
class ConfigChanged:
    """`config.json` on disk has a new text: the learner saved it, a solution was applied, a reset, or an editor outside."""

    path: str
    text: str
    origin: Literal["learner", "solution", "reset", "outside", "opened"]


@dataclass(frozen=True, slots=True)
class CommandStarted:
    """An engine's command line has been started."""

    call: Call


@dataclass(frozen=True, slots=True)
class Output:
    """Text that a call's process, or the container it left behind, printed."""

    call: Call
    stream: Stream
    text: str


@dataclass(frozen=True, slots=True)
class CommandFinished:
    """An engine's command has ended."""

    result: CallResult


@dataclass(frozen=True, slots=True)
class Explained:
    """Why the command that has just ended failed (or why its container ended at once, without a word); texts are ready to show.

    Attributes:
        call: the command. It follows its `CommandFinished`, and the `StateChanged` that it led to.
        id: the explanation's id in the catalogue (`program.not_in_path`); `unknown` where there is none.
        title: what is wrong; cause: why; fix: what to do: whole sentences.
        place: `~/labs/x/bundle/config.json:9:5`, empty where no file is meant; pointer: the member there, as a JSON pointer.
        line, column: of the place, in characters from 1; 0 where there is none.
        clause: the section of the specification, empty where it says nothing.
        expected: the step wants this failure, or has given the broken `config.json` itself: it is what there is to see, and no
            mistake of the learner's.
    """

    call: Call
    id: str
    title: str
    cause: str
    fix: str
    place: str = ""
    pointer: str = ""
    line: int = 0
    column: int = 0
    clause: str = ""
    expected: bool = False


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The container's state, when the lesson is opened and whenever it is another; None: there is no container.

    `can` are the operations that it allows.
    """

    state: ContainerState | None
    can: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """The kernel shows something new."""

    snapshot: Snapshot
    delta: Delta


@dataclass(frozen=True, slots=True)
class Checked:
    """The present step's checks have run; `passed` when all of them did. `asked`: the learner asked (else it ran by itself)."""

    step: Step
    verdicts: tuple[Verdict, ...]
    passed: bool
    asked: bool


@dataclass(frozen=True, slots=True)
class QuizAnswered:
    """A quiz was answered; `feedback` is for the choice made."""

    step: Step
    choice: str
    correct: bool
    feedback: str


@dataclass(frozen=True, slots=True)
class StepPassed:
    """The step is done; `by` tells whether the learner did it or asked for the solution."""

    index: int
    step: Step
    by: Literal["learner", "solution"]


@dataclass(frozen=True, slots=True)
class HintGiven:
    """A hint was asked for, the `number`th (from 1) of `total`; or, `for_mistake`, given unasked to a known wrong answer."""

    hint: Hint
    number: int
    total: int
    for_mistake: bool = False


@dataclass(frozen=True, slots=True)
class HintOffered:
    """Checks failed often enough that a hint is worth offering (a face shows how to ask for it)."""

    total: int


@dataclass(frozen=True, slots=True)
class EngineChanged:
    """Another engine runs the containers now; the lab was laid anew."""

    engine: EngineName
    version: str


@dataclass(frozen=True, slots=True)
class LessonFinished:
    """Every step has passed. `solved` counts the steps for which the solution was shown."""

    lesson: Lesson
    solved: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to say that is no event of its own; texts are ready to show. `next` says what to do now."""

    severity: Literal["information", "warning", "error"]
    title: str
    body: str = ""
    next: str = ""


Event = (
    LessonOpened
    | StepEntered
    | ConfigChanged
    | CommandStarted
    | Output
    | CommandFinished
    | Explained
    | StateChanged
    | SnapshotTaken
    | Checked
    | QuizAnswered
    | StepPassed
    | HintGiven
    | HintOffered
    | EngineChanged
    | LessonFinished
    | Notice
)
