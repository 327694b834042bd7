"""What the learner sees of a lesson, folded from the events of the session; a widget draws it and keeps no copy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from tutor.course.model import Quiz
from tutor.lazy_dataclass import dataclass, field
from tutor.observe import diff
from tutor.session.events import (
    Checked,
    CommandFinished,
    CommandStarted,
    ConfigChanged,
    EngineChanged,
    Event,
    Explained,
    HintEnded,
    HintGiven,
    HintOffered,
    LessonFinished,
    LessonOpened,
    Notice,
    NoticeEnded,
    Output,
    QuizAnswered,
    SnapshotTaken,
    StateChanged,
    StepEntered,
    StepPassed,
)
from tutor.text.logrus import message_of
from tutor.view.notices import is_over

if TYPE_CHECKING:
    from tutor.course.checks.verdict import Verdict
    from tutor.course.model import Lesson, Step
    from tutor.engines.model import Call, CallResult, ContainerState, EngineName, Stream
    from tutor.observe import ContainerView, Delta, Snapshot

Part = Literal["header", "guide", "config", "output", "status", "panels", "notice"]
Absence = Literal["no_container", "ended", "unseen"]


MOST_LINES = 500  # of the output of one command: more is not read on a screen, and takes long to draw
_MOST_CHARACTERS = 64 * 1024


@dataclass(slots=True)
class Run:
    """One engine command on the screen: its call, what it printed in the order in which it came, and how it ended."""

    call: Call
    chunks: list[tuple[Stream, str]] = field(default_factory=list)
    result: CallResult | None = None
    explained: Explained | None = None
    shortened: bool = False
    """It printed more than is kept: `chunks` is the end of it."""
    config: str = ""
    """The text of `config.json` when it was started."""

    def add(self, stream: Stream, text: str) -> None:
        """Add what was printed; only the last `MOST_LINES` lines are kept."""
        lines = text.splitlines(keepends=True)
        self.chunks.append((stream, "".join(lines[-MOST_LINES:])[-_MOST_CHARACTERS:]))
        self.shortened |= len(self.chunks[-1][1]) < len(text)
        while len(self.chunks) > 1 and self._holds_too_much():
            self.chunks.pop(0)
            self.shortened = True

    def _holds_too_much(self) -> bool:
        rest = self.chunks[1:]
        return (
            sum(text.count("\n") for _, text in rest) >= MOST_LINES
            or sum(len(text) for _, text in rest) >= _MOST_CHARACTERS
        )

    @property
    def gist(self) -> str:
        """What it printed, in one line.

        - the message of a log record in the form of logrus (`time=... level=error msg="..."`), as runc prints
        - else the last line
        - all lines joined, if the last one has no letter or digit, as the `}` of JSON
        """
        text = "".join(text for _, text in self.chunks)
        last = next((line.rstrip() for line in reversed(text.split("\n")) if line.strip()), "")
        if logged := message_of(last):
            return " ".join(logged.split())
        return last if any(map(str.isalnum, last)) else " ".join(text.split())


@dataclass(slots=True)
class LessonView:
    """What a face shows of one lesson."""

    engine: EngineName
    engine_version: str = ""
    lesson: Lesson | None = None
    resumed: bool = False
    index: int = 0
    step: Step | None = None
    step_passed: bool = False
    passed: frozenset[str] = frozenset()
    solved: bool = False
    verdicts: tuple[Verdict, ...] = ()
    answer: QuizAnswered | None = None
    hints: tuple[HintGiven, ...] = ()
    hint_offered: bool = False
    notice: Notice | None = None
    opening: bool = False
    """A lab has just begun and no step was entered yet: what is said then (what this machine can't show) stays for that step."""
    tried: bool = False
    """The learner has done something in this step: a check that does not hold is shown as failed from now on."""
    finished: LessonFinished | None = None
    config_path: str = ""
    config_text: str = ""
    step_config: str = ""
    """The text of `config.json` as the present step began."""
    created_config: str | None = None
    """The text of which the last container was made; None before the first `create` that succeeded."""
    runs: tuple[Run, ...] = ()
    state: ContainerState | None = None
    can: tuple[str, ...] = ()
    snapshot: Snapshot | None = None
    baseline: Snapshot | None = None
    """The snapshot as the present step began."""
    trial: ContainerView | None = None
    """The container of the last trial of a runtime of the learner's own, which has ended."""
    began_with: int = 0
    """The pid of the container with which the present step began; 0: there was none."""
    changes: Delta | None = None
    """What is different from `baseline`, for the panels to mark; None while there is nothing to compare."""

    @property
    def running(self) -> Run | None:
        """The engine command that has not ended yet."""
        last = self.runs[-1] if self.runs else None
        return last if last and last.result is None else None

    @property
    def predicting(self) -> bool:
        """Whether the step asks for a prediction that has not been made: what would answer it is not shown."""
        quiz = self.step.activity if self.step is not None else None
        return isinstance(quiz, Quiz) and quiz.prediction and self.answer is None and not self.step_passed

    @property
    def plays_freely(self) -> bool:
        """Whether this is free play, and no lesson."""
        return self.lesson is not None and self.lesson.is_free_play

    @property
    def container(self) -> ContainerView | None:
        """What the kernel shows of the present container: nothing of one that was there before. None: see `absence`.

        Without one, it is that of the last trial of a runtime of the learner's own, if there was one in this lesson.
        """
        if self.state is None and self.trial is not None:
            return self.trial
        if self.snapshot is None or not self._is_present(self.snapshot):
            return None
        return self.snapshot.container

    @property
    def absence(self) -> Absence:
        """Why there is no living process to show: there is no container, its process has ended, or no snapshot has come yet."""
        if self.state is None:
            return "no_container"
        ended = self.state.status == "stopped" or (self.container is not None and not self.container.alive)
        return "ended" if ended else "unseen"

    def fold(self, event: Event) -> frozenset[Part]:
        """Apply one event; return the parts of the screen that are to be drawn again."""
        parts = self._fold(event)
        if self.notice is not None and is_over(self.notice, event):
            self.notice = None
            parts |= {"notice"}
        return parts

    def _fold(self, event: Event) -> frozenset[Part]:
        match event:
            case LessonOpened() | StepEntered() | StepPassed() | LessonFinished():
                return self._fold_progress(event)
            case Checked() | QuizAnswered() | HintGiven() | HintEnded() | HintOffered():
                return self._fold_guide(event)
            case CommandStarted() | Output() | CommandFinished() | Explained():
                return self._fold_run(event)
            case ConfigChanged(path=path, text=text, origin=origin):
                self.config_path, self.config_text = path, text
                self.tried = self.tried or origin == "learner"
                return frozenset({"config", "guide"})
            case StateChanged(state=state, can=can):
                self.state, self.can = state, can
                return frozenset({"status", "panels"})
            case SnapshotTaken(snapshot=snapshot, trial=True):
                self.trial = snapshot.container
                self._compare()
                return frozenset({"panels"})
            case SnapshotTaken(snapshot=snapshot):
                self.snapshot = snapshot
                self._begin_comparing(snapshot)
                self._compare()
                return frozenset({"panels", "header"})
            case EngineChanged(engine=engine, version=version):
                self.engine, self.engine_version = engine, version
                self.notice, self.opening = None, True
                return frozenset({"header", "guide", "notice"})
            case Notice():
                self.notice = event
                return frozenset({"notice"})
            case NoticeEnded():
                return frozenset()

    def _begin_comparing(self, snapshot: Snapshot) -> None:
        """Take the first snapshot of a step as what it began with; of a container that has come since, only what is around it."""
        if self.baseline is not None or self.step is None or not self._is_present(snapshot):
            return
        came = snapshot.container is not None and snapshot.container.pid != self.began_with
        self.baseline = replace(snapshot, container=None) if came else snapshot

    def _compare(self) -> None:
        shows_trial = self.state is None and self.trial is not None  # which the step did not begin with
        if self.baseline is None or self.snapshot is None or shows_trial:
            self.changes = None
        else:
            self.changes = diff(self.baseline, self.snapshot)

    def _is_present(self, snapshot: Snapshot) -> bool:
        """Tell whether a snapshot is of the present container (or of none, if there is none)."""
        seen = snapshot.container.pid if snapshot.container is not None else 0
        return seen == (self.state.pid if self.state is not None else 0)

    def _fold_progress(
        self, event: LessonOpened | StepEntered | StepPassed | LessonFinished
    ) -> frozenset[Part]:
        match event:
            case LessonOpened(lesson=lesson, resumed=resumed, passed=passed_before):
                self.lesson, self.resumed, self.passed = lesson, resumed, passed_before
                self.runs, self.finished = (), None
                self.notice, self.opening = None, True
                self.state, self.can, self.snapshot, self.baseline = None, (), None, None
                self.created_config, self.trial = None, None
                self._compare()
                return frozenset({"header", "guide", "output", "status", "panels"})
            case StepEntered(index=index, step=step, passed=passed):
                self.index, self.step, self.step_passed = index, step, passed
                self.step_config = self.config_text
                self.passed = self.passed | {step.id} if passed else self.passed - {step.id}
                self.solved, self.verdicts, self.answer = False, (), None
                self.hints, self.hint_offered, self.finished, self.tried = (), False, None, False
                # A container that was just created again is no change of this step: its first snapshot becomes the baseline.
                present = self.snapshot is not None and self._is_present(self.snapshot)
                self.baseline = self.snapshot if present else None
                self.began_with = self.state.pid if self.state is not None else 0
                self.notice, self.opening = self.notice if self.opening else None, False
                self._compare()
                return frozenset({"header", "guide", "panels", "notice"})
            case StepPassed(step=step, by=by):
                self.passed |= {step.id}
                if self.step is not None and step.id == self.step.id:
                    self.step_passed, self.solved, self.tried = True, by == "solution", True
                    self.hints = tuple(given for given in self.hints if not given.for_mistake)
                    self.hint_offered = False
            case LessonFinished():
                self.finished = event
        return frozenset({"header", "guide"})

    def _fold_guide(
        self, event: Checked | QuizAnswered | HintGiven | HintEnded | HintOffered
    ) -> frozenset[Part]:
        match event:
            case Checked(step=step, verdicts=verdicts, asked=asked):
                if self.step is not None and step.id == self.step.id:
                    self.verdicts = verdicts
                    self.tried = self.tried or asked
            case QuizAnswered():
                self.answer, self.tried = event, True
            case HintGiven():
                self.hints = (*(given for given in self.hints if given.hint != event.hint), event)
                self.hint_offered = self.hint_offered and event.for_mistake
            case HintEnded(hint=hint):
                self.hints = tuple(given for given in self.hints if given.hint != hint)
            case HintOffered():
                self.hint_offered = True
        return frozenset({"guide", "panels"} if isinstance(event, QuizAnswered) else {"guide"})

    def _run_under_which(self, call: Call) -> Run | None:
        """Return the command under which the output of a call is shown.

        - its own, also when the next command has been started before the output came
        - the last command, if its own has ended with status 0: a container prints after `create`, because of `start`
        """
        own = next((run for run in reversed(self.runs) if run.call.id == call.id), None)
        if own is None or (own.result is not None and own.result.returncode == 0):
            return self.runs[-1] if self.runs else None
        return own

    def _fold_run(self, event: CommandStarted | Output | CommandFinished | Explained) -> frozenset[Part]:
        match event:
            case CommandStarted(call=call):
                self.runs, self.notice = (*self.runs, Run(call, config=self.config_text)), None
                return frozenset({"output", "status", "notice"})
            case Output(call=call, stream=stream, text=text):
                run = self._run_under_which(call)
                if run is not None:
                    run.add(stream, text)
            case CommandFinished(result=result):
                for run in self.runs:
                    if run.call.id == result.call.id:
                        run.result = result
                        if "create" in result.call.argv and result.returncode == 0:
                            self.created_config = run.config
                self.tried = True
                return frozenset({"output", "status", "guide"})
            case Explained(call=call):
                for run in self.runs:
                    if run.call.id == call.id:
                        run.explained = event
        return frozenset({"output", "status"})
