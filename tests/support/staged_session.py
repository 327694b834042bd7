"""A session that a scene controls: each method publishes events, as a real session would.

The texts are those of the lessons and the catalogue, in the learner's language; the answers of a kernel and a runtime are in
`tests.support.staged_values`.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.staged_values import GENERATED, LABS, NOTHING, PID, seen
from tests.support.tui import ScriptedSession
from tutor.course.checks.verdict import Evidence, Verdict
from tutor.course.placeholders import fill
from tutor.engines.model import Call, CallResult, ContainerState
from tutor.explain.words import filled
from tutor.session.events import (
    Checked,
    CommandFinished,
    CommandStarted,
    ConfigChanged,
    EngineChanged,
    Event,
    Explained,
    HintGiven,
    HintOffered,
    LessonFinished,
    LessonOpened,
    Notice,
    Output,
    QuizAnswered,
    SnapshotTaken,
    StateChanged,
    StepPassed,
)
from tutor.session.free_play import free_play_lesson
from tutor.session.recording import to_read

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.course.course import Course
    from tutor.course.model import Lesson
    from tutor.engines.model import Status
    from tutor.home import Home
    from tutor.messages import Messages
    from tutor.observe import Snapshot
    from tutor.session.commands.registry import Argument

Found = tuple[str, str, str, str]
"""What a check looked at, what it expected, what it found, and a command that shows it."""


class StagedSession(ScriptedSession):
    """A session in which events happen on request; the opening, and commands of the runtime, can be held."""

    def __init__(
        self, course: Course, publish: Callable[[Event], None], home: Home, messages: Messages
    ) -> None:
        super().__init__(course, publish, home)
        self.m = messages
        self.bundle = ""
        self.opening = threading.Event()
        """If set, a lesson opens at once; if cleared, it stays in preparation."""
        self.opening.set()
        self._calls = 0

    def open(self, lesson_id: str) -> None:
        """Open a lesson at its first step, once it is allowed to open."""
        self.opening.wait(10)
        self.stand_at(lesson_id)

    def stand_at(self, lesson_id: str, step_id: str = "", *, recorded: bool = False) -> None:
        """Open a lesson at a step, those before it done; `recorded`: as one that is read along with a recording."""
        lesson = self._course.lesson(lesson_id)
        lesson = to_read(lesson) if recorded else lesson
        bundle = f"{LABS}/{lesson_id}/{lesson.lab.bundle}"
        words = {
            "engine": "runt",
            "runtime": "runt",
            "container": lesson.lab.container_id,
            "bundle": _told(bundle),
            "config": _told(f"{bundle}/config.json"),
            "work": _told(f"{LABS}/{lesson_id}"),
            "image": self.m("images.origin.mini", reference="alpine:3.9"),
        }
        ids = [step.id for step in lesson.steps]
        at = ids.index(step_id) if step_id else 0
        if self.lesson is not None and self.lesson.id == lesson_id and self.index == at:
            self.enter(at - 1 if at else 1)  # so that the step begins again
        self._show(fill(lesson, words), bundle, at)

    def play_freely(self, bundle: Path | None) -> None:  # noqa: ARG002  (a fresh one)
        """Open a fresh bundle."""
        place = Path(LABS, "play/bundle-1")
        lesson = free_play_lesson(place, self.m)
        self._show(fill(lesson, {"bundle": _told(str(place))}), str(place), 0)

    def _show(self, lesson: Lesson, bundle: str, at: int) -> None:
        self.lesson, self.state, self.bundle = lesson, None, bundle
        self.passed = frozenset(step.id for step in lesson.steps[:at])
        self.config_path = Path(_told(f"{bundle}/config.json"))
        self.config_text = GENERATED
        self.say(
            LessonOpened(lesson, resumed=False, passed=self.passed),
            EngineChanged("runt", "0.1.0"),
            ConfigChanged(f"{bundle}/config.json", GENERATED, "opened"),
            StateChanged(None, ("create",)),
            SnapshotTaken(NOTHING),
        )
        self.enter(at)

    def say(self, *events: Event) -> None:
        """Publish events."""
        for event in events:
            self.publish(event)

    def completions(self, argument: Argument, prefix: str) -> tuple[tuple[str, str], ...]:
        """Return the values of an argument, each with what it is."""
        found = super().completions(argument, prefix)
        return tuple((value, self.m(f"session.{argument.values}.{value}")) for value, _ in found)

    # -- config.json, commands, the container ----------------------------------------------------------------------

    def config(self, text: str, origin: Any = "outside") -> None:
        """`config.json` has a new text, saved by an editor outside, so that the app's editor shows it."""
        self.config_text = text
        self.say(ConfigChanged(f"{self.bundle}/config.json", text, origin))

    def run(
        self, typed: str, printed: str = "", *, code: int = 0, seconds: float = 0.05, recorded: bool = False
    ) -> Call:
        """A command of the runtime runs and ends."""
        self._calls += 1
        call = Call(self._calls, tuple(typed.split()), typed, self.bundle, recorded=recorded)
        self.say(CommandStarted(call))
        if printed:
            self.say(Output(call, "stderr" if code else "stdout", printed))
        self.say(CommandFinished(CallResult(call, code, seconds, printed, "")))
        return call

    def explain(
        self, call: Call, key: str, *, at: str = "", pointer: str = "", clause: str = "", **values: Any
    ) -> None:
        """Why a command failed: an entry of the catalogue, the place in `config.json` (`at`) and the clause, if there are such."""
        title, cause, fix = (
            filled(self.m, f"explain.{key}.{part}", values) for part in ("title", "cause", "fix")
        )
        place = f"{self.config_path}:{at}" if at else ""
        expected = bool(values.get("expected"))
        self.say(Explained(call, key, title, cause, fix, place, pointer, clause=clause, expected=expected))

    def container(self, status: Status, *can: str, shows: Snapshot) -> None:
        """The container has another state, and the kernel shows this about it."""
        state = ContainerState("alpine-test", status, PID, self.bundle)
        self.say(StateChanged(state, can), SnapshotTaken(shows))

    def create(self) -> None:
        """`create` is run and succeeds."""
        self.run("runt create alpine-test")
        self.container("created", "start", "kill", shows=seen())

    def created_before(self, shows: Snapshot | None = None) -> None:
        """The container existed before this step: nothing about it is marked as new."""
        self.container("created", "start", "kill", shows=shows or seen())
        self.enter(self.index)

    # -- the step --------------------------------------------------------------------------------------------------

    @property
    def check_texts(self) -> list[str]:
        """The results of the step's checks."""
        return [check.text for check in self._now.checks]

    def judge(self, *found: Found | None) -> None:
        """The learner asks for the step's checks: what each found where it failed, None where it passed."""
        self._judged(
            *(
                Verdict(check.id, check.text, each is None, () if each is None else (Evidence(*each),))
                for check, each in zip(self._now.checks, found, strict=True)
            )
        )

    def pass_all(self, *found: Found) -> None:
        """The step's checks have passed; what each found."""
        pairs = zip(self._now.checks, found, strict=True)
        self._judged(*(Verdict(check.id, check.text, True, (Evidence(*each),)) for check, each in pairs))

    def _judged(self, *verdicts: Verdict) -> None:
        passed = all(verdict.passed for verdict in verdicts)
        self.say(Checked(self._now, verdicts, passed, asked=True))

    def solve(self) -> None:
        """The step's solution has been applied."""
        self.passed |= {self._now.id}
        self.say(StepPassed(self.index, self._now, "solution"))

    def hint(self, hint_id: str, number: int = 0, total: int = 0) -> None:
        """A hint is given: asked for, the `number`th; or, where there is no number, for a mistake."""
        hint = next(hint for hint in self._now.hints if hint.id == hint_id)
        self.say(HintGiven(hint, number, total, for_mistake=not number))

    def offer_hint(self) -> None:
        """A hint is offered."""
        self.say(HintOffered(sum(hint.when is None for hint in self._now.hints)))

    def answer(self, choice: str, *, correct: bool) -> None:
        """The quiz has been answered."""
        action: Any = self._now.activity
        chosen = [each.feedback for each in action.choices if each.id == choice]
        self.say(QuizAnswered(self._now, choice, correct, next(iter(chosen), action.feedback)))

    def finish(self, solved: int) -> None:
        """The lesson is finished."""
        assert self.lesson is not None
        self.say(LessonFinished(self.lesson, solved))

    def notice(self, severity: Any, key: str, **values: object) -> None:
        """Publish a notice of the catalogue."""
        self.say(notice_of(self.m, severity, key, **values))

    @property
    def _now(self) -> Any:
        """The present step."""
        assert self.step is not None
        return self.step


def notice_of(messages: Messages, severity: Any, key: str, **values: object) -> Notice:
    """Return an entry of the catalogue as a notice."""
    keys = (f"{key}.{part}" for part in ("title", "body", "next"))
    return Notice(severity, *(messages(each, **values) if messages.has(each) else "" for each in keys))


def _told(path: str) -> str:
    return path.replace("/root", "~", 1)
