"""The events that a session publishes: frozen values, the same for every face. They may arrive from any thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from tutor.course.checks.verdict import Verdict
    from tutor.course.model import Hint, Lesson, Step
    from tutor.engines.model import Call, CallResult, ContainerState, EngineName, Stream
    from tutor.errors import TutorError
    from tutor.messages import Messages
    from tutor.observe import Snapshot
    from tutor.session.placeholders import Placeholders

Severity = Literal["information", "warning", "error"]


@dataclass(frozen=True, slots=True)
class LessonOpened:
    """A lesson is open: its lab runs and its bundle exists. There is no container yet; `EngineChanged` follows.

    Attributes:
        lesson: its texts filled in for this session.
        resumed: progress was found.
        passed: the ids of the steps that were passed before.
        read_only: the lesson can't be done by hand here; its steps are read instead (`tutor.session.recording.to_read`).
        placeholders: the values that the texts were filled in with; None: the texts are as in the course.
    """

    lesson: Lesson
    resumed: bool
    passed: frozenset[str] = frozenset()
    read_only: bool = False
    placeholders: Placeholders | None = None


@dataclass(frozen=True, slots=True)
class StepEntered:
    """`lesson.steps[index]` is the present step; `passed`: whether it is passed (after `reset` it is not any more)."""

    index: int
    step: Step
    passed: bool


@dataclass(frozen=True, slots=True)
class ConfigChanged:
    """`config.json` on disk has another text; `origin` says what wrote it (`outside`: another editor)."""

    path: str
    text: str
    origin: Literal["learner", "solution", "reset", "outside", "opened"]


@dataclass(frozen=True, slots=True)
class CommandStarted:
    """A command was started."""

    call: Call


@dataclass(frozen=True, slots=True)
class Output:
    """Output of a command, or of the container that it left running."""

    call: Call
    stream: Stream
    text: str


@dataclass(frozen=True, slots=True)
class CommandFinished:
    """A command has ended."""

    result: CallResult


@dataclass(frozen=True, slots=True)
class Explained:
    """Why the command that has just ended failed, or why its container ended at once without output; texts are ready to show.

    Attributes:
        call: the command. This event follows its `CommandFinished` and the `StateChanged` that results.
        id: the explanation's id in the catalogue (`program.not_in_path`); `unknown` where there is none.
        title: what is wrong; cause: why; fix: what to do; each in whole sentences.
        place: `~/labs/x/bundle/config.json:9:5`, empty where no file is concerned; pointer: the member there, as a JSON pointer.
        line, column: of the place, in characters from 1; 0 where there is none.
        clause: the section of the specification, empty where it says nothing.
        expected: the step asks for this failure, or begins with the broken `config.json`: it is not a mistake of the learner.
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
    """The container's state: published when the lesson is opened, and on every change; None: there is no container.

    `can` are the operations that the state allows.
    """

    state: ContainerState | None
    can: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """The kernel's state has changed. `LessonView.changes` says what is different since the step began.

    `trial`: it shows the container that a runtime of the learner's own made in a trial, which has ended.
    """

    snapshot: Snapshot
    trial: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """The present step's checks were run; `passed`: all of them pass. `asked`: the learner asked for it."""

    step: Step
    verdicts: tuple[Verdict, ...]
    passed: bool
    asked: bool


@dataclass(frozen=True, slots=True)
class QuizAnswered:
    """The quiz was answered; `feedback` is that for the choice."""

    step: Step
    choice: str
    correct: bool
    feedback: str


@dataclass(frozen=True, slots=True)
class StepPassed:
    """The step is passed; `by`: whether the learner did it or asked for the solution."""

    index: int
    step: Step
    by: Literal["learner", "solution"]


@dataclass(frozen=True, slots=True)
class HintGiven:
    """A hint: the `number`th (from 1) of `total`, asked for; or with `for_mistake` for a known wrong answer, not asked for."""

    hint: Hint
    number: int
    total: int
    for_mistake: bool = False


@dataclass(frozen=True, slots=True)
class HintEnded:
    """The mistake for which a hint was given is mended: a face shows the hint no more. It is given again if the mistake is made again."""

    hint: Hint


@dataclass(frozen=True, slots=True)
class HintOffered:
    """Checks failed often enough to offer a hint (a face shows how to ask for it); there are `total`."""

    total: int


@dataclass(frozen=True, slots=True)
class EngineChanged:
    """The engine that runs the containers: published when a lesson is opened, and when `engine` has started another lab."""

    engine: EngineName
    version: str


@dataclass(frozen=True, slots=True)
class LessonFinished:
    """Every step is passed; `solved` is the number of steps for which the solution was applied."""

    lesson: Lesson
    solved: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that is no event of another kind; texts are ready to show. `next`: what to do now.

    `key`: the entry of the catalogue (`session.notice.not_yet`); `tutor.view.notices` says by it when the message is over.
    """

    severity: Severity
    title: str
    body: str = ""
    next: str = ""
    key: str = ""

    @classmethod
    def of(cls, severity: Severity, error: TutorError, messages: Messages) -> Notice:
        """Return the notice of an entry group of the catalogue."""
        return cls(severity, *error.render(messages), key=error.key)


@dataclass(frozen=True, slots=True)
class NoticeEnded:
    """What the notice with this `key` says is no longer so: a face shows it no more."""

    key: str


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
    | HintEnded
    | HintOffered
    | EngineChanged
    | LessonFinished
    | Notice
    | NoticeEnded
)
