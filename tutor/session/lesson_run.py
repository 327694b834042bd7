"""One lesson being played: where the learner stands, in which lab, and what has been seen there.

A `LessonRun` is worked by one thread at a time, for which `Session` sees. Its public attributes are values that are swapped whole,
so any thread may read them.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from tutor.course.checks import CheckContext
from tutor.course.model import Task
from tutor.course.progress import LessonProgress, Progress
from tutor.engines.lifecycle import allowed, status_of
from tutor.errors import TutorError
from tutor.observe.poller import Poller
from tutor.session.call_log import CallLog
from tutor.session.container import Container
from tutor.session.doing import doer
from tutor.session.events import (
    CommandFinished,
    CommandStarted,
    ConfigChanged,
    EngineChanged,
    LessonFinished,
    LessonOpened,
    Notice,
    Output,
    SnapshotTaken,
    StateChanged,
    StepEntered,
    StepPassed,
)
from tutor.session.explanation import explain_call
from tutor.session.free_play import claim, workspace_of
from tutor.session.grader import Grader
from tutor.session.lab_setup import unfit
from tutor.session.placeholders import placeholders_of, told, written
from tutor.session.progression import check
from tutor.session.recording import Recording, by_hand, lacking, to_read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Literal

    from tutor.course.checks.verdict import Verdict
    from tutor.course.model import Lesson, Operation, Step
    from tutor.engines.model import Call, CallResult, ContainerState, EngineName, Stream
    from tutor.home import Home
    from tutor.messages import Messages
    from tutor.observe import Delta, Snapshot
    from tutor.session.events import Event


class LessonRun:
    """A lesson with its files, lab, progress and present step.

    `say` publishes an event, from any thread. `stir` asks the session to `refresh` soon; it may be called from any thread.
    """

    def __init__(
        self,
        lesson: Lesson,
        engine: EngineName,
        home: Home,
        messages: Messages,
        *,
        say: Callable[[Event], None],
        stir: Callable[[], None],
    ) -> None:
        """Lock the lesson, lay out its bundle and its lab; `begin` does the rest.

        Raises:
            TutorError: another session has the lesson, the bundle can't be written, the lab can't be laid.
        """
        self._as_read = self._plain = lesson
        self._home, self._messages, self.say, self._stir = home, messages, say, stir
        self._lock = claim(lesson, home)
        self.progress = Progress(home.records)
        recorded = self.progress.of(lesson.id)
        ids = [step.id for step in lesson.steps]
        self.passed = frozenset(recorded.passed) & frozenset(ids)
        self.solved = frozenset(recorded.solved) & frozenset(ids)
        self.read = frozenset(recorded.read) & frozenset(ids)
        self.resumed = recorded.step_id is not None
        self.index = ids.index(recorded.step_id) if recorded.step_id in ids else 0
        try:
            self._placeholders = placeholders_of(lesson, engine, home)
            lesson = self._plain = written(lesson, self._placeholders)
            # Why the lesson is read along with a recording, and not done by hand; None where it is.
            self.read_only = lacking(lesson)
            self.workspace = workspace_of(to_read(lesson) if self.read_only else lesson, home)
            self.workspace.prepare(self.index)
            self._placeholders = replace(self._placeholders, image=self.workspace.origin())
            self.calls = CallLog()
            self.container = self._lay_container_or_read(engine)
        except BaseException:
            self._lock.release()
            raise
        if self.read_only is None:
            self.passed -= self.read  # what was only read so far can be done by hand now
            self.read = frozenset()
        self.lesson = told(self._plain, self._placeholders, self._messages)
        self.grader = Grader(self.step)
        self.state: ContainerState | None = None
        self.snapshot: Snapshot | None = None
        self.config_text = ""
        self.shell_may_be_open = False
        self._config_seen: tuple[int, int, int] | None = None
        self._config_trouble = ""
        self._container_gone = threading.Event()
        self._begun: set[str] = set()  # the steps whose beginning has been brought about in this lab
        self._poller = Poller(self._seen)

    @property
    def step(self) -> Step:
        """The present step."""
        return self.lesson.steps[self.index]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What the present step's checks said last."""
        return self.grader.verdicts

    @property
    def engine(self) -> EngineName:
        """The engine of the lab."""
        return self.container.engine.name

    # Beginning and ending

    def begin(self) -> None:
        """Bring the container to the state in which the present step begins, and tell everything from the start."""
        self.say(
            LessonOpened(
                self.lesson,
                self.resumed,
                self.passed,
                read_only=self.read_only is not None,
                placeholders=self._placeholders,
            )
        )
        self.say(EngineChanged(self.engine, self.container.engine.version))
        self.say(StateChanged(None, allowed(None)))
        if self.progress.damaged:
            self.notice("warning", "course.progress.damaged", kept=self.progress.damaged)
        if self.read_only is not None:
            self.say(Notice("warning", *self.read_only.render(self._messages)))
        self.say_of_docker()
        self.read_config("opened")
        self._poller.watch(None, reference_pid=self.container.lab.keeper_pid)
        self.bring_back()
        if self.resumed and self.step.id not in self.passed:
            # Its config.json is the learner's by now; what a step lays into the lab is gone with the lab before.
            self.begin_step(config=False)
        self.enter(self.index)

    def end(self) -> None:
        """Close the lab and give the lesson free.

        Raises:
            TutorError: `lab.leftover`.
        """
        try:
            self._poller.stop()
            self.container.close()
        finally:
            self._lock.release()

    def bring_back(self) -> None:
        """Bring the container to the state of the present step; `config.json` stays the learner's.

        A failure is told and is not the end: the learner reads, and may `reset`.
        """
        to_replay = any(step.replay for step in self.lesson.steps[: self.index])
        if self.step.requires != "none" or self.state is not None or to_replay:
            try:
                with self.workspace.borrowed():
                    self.container.bring_to(self.index)
            except TutorError as error:
                self.tell(error)
            self._config_seen = self.workspace.signature()
        self.see_state()

    def _lay_container(self, engine: EngineName) -> Container:
        self._placeholders = replace(self._placeholders, engine=engine)
        plain = written(self._as_read, self._placeholders)
        self._plain = to_read(plain) if self.read_only else plain
        self.workspace.use(self._plain)
        return Container(
            self._plain,
            engine,
            self.workspace,
            self._home,
            on_started=self._started,
            on_output=self._printed,
            on_finished=self._finished,
            on_limited=lambda call, limit: self.notice("warning", f"engines.limit.{limit}", typed=call.typed),
            perform=lambda deeds: doer(self, self.workspace.write).do(deeds),
            language=self._messages.language,
        )

    def _lay_container_or_read(self, engine: EngineName) -> Container:
        """Lay the lab; where the lesson can't be done by hand here, it becomes one to read."""
        if self.read_only is None:
            try:
                return self._lay_container(engine)
            except TutorError as error:
                if error.key != "docker.private":
                    raise
                self.read_only = error
        self._by_hand = by_hand(self._plain)
        return self._lay_container(engine)

    def lay_anew(self, engine: EngineName) -> None:
        """Close the lab and lay another, with this engine; when that fails, one with the engine of before.

        Raises:
            TutorError: the engine is missing, or no lab can be laid at all.
        """
        before = self.engine
        try:
            self.container.close()
        except TutorError as error:
            self.tell(error)
        self.calls.forget()
        self._begun.clear()
        try:
            self.container = self._lay_container(engine)
        except TutorError:
            if engine != before:
                self.container = self._lay_container(before)
            raise
        finally:
            self.lesson = told(self._plain, self._placeholders, self._messages)
            self._poller.watch(None, reference_pid=self.container.lab.keeper_pid)
            self.see_state()

    # What the engine and the kernel say

    def _started(self, call: Call) -> None:
        if call.argv[0] != "/bin/sh":
            self.calls.started(call)
        self.say(CommandStarted(call))

    def _printed(self, call: Call, stream: Stream, text: str) -> None:
        self.calls.printed(call, stream, text)
        self.say(Output(call, stream, text))
        self._stir()

    def _finished(self, result: CallResult) -> None:
        self.calls.finished(result)
        self.say(CommandFinished(result))

    def _seen(self, snapshot: Snapshot, delta: Delta) -> None:
        self.snapshot = snapshot
        self.say(SnapshotTaken(snapshot, delta))
        if snapshot.container is not None and not snapshot.container.alive:
            self._container_gone.set()
        self._stir()

    def see_state(self) -> None:
        """Ask the engine for the state, and tell it if it is another than before."""
        self._container_gone.clear()
        before, self.state = self.state, self.container.query() if self.container.lab.alive else None
        if before == self.state:
            return
        pid = self.state.pid if self.state and self.state.pid else None
        if pid != (before.pid if before and before.pid else None):
            self._poller.watch(pid, reference_pid=self.container.lab.keeper_pid)
        self.say(StateChanged(self.state, allowed(self.state)))

    def catch_up(self) -> None:
        """Ask for the state where it may have changed without a command: its process has ended, or a shell is open.

        Nobody else reaches a container in the lab, so there is no need to ask at every step.
        """
        if self._container_gone.is_set() or self.shell_may_be_open:
            self.see_state()

    def read_config(self, origin: Literal["learner", "solution", "reset", "outside", "opened"]) -> None:
        """Read `config.json` and tell its text; trouble with it is told once."""
        self._config_seen = self.workspace.signature()
        try:
            text = self.workspace.read()
            self._config_trouble = ""
        except TutorError as error:
            text = ""
            if error.key != self._config_trouble:
                self._config_trouble = error.key
                self.tell(error)
        if text == self.config_text and origin == "outside":
            return
        self.config_text = text
        self.say(ConfigChanged(str(self.workspace.config), text, origin))

    def see_config(self, origin: Literal["solution", "outside"]) -> None:
        """Read `config.json` if somebody has written it since it was read."""
        if self.workspace.signature() != self._config_seen:
            self.read_config(origin)

    # Commands and checks

    def operate(self, operation: Operation, *arguments: str) -> CallResult:
        """Run one operation and look at everything afterwards."""
        result = self.container.run(operation, *arguments)
        self.look_again()
        if explained := explain_call(self, operation, result, self._messages):
            self.say(explained)
        return result

    def look_again(self) -> None:
        """See what has come of something that was done."""
        self.see_state()
        self._poller.poke()

    def context(self) -> CheckContext:
        """Return what there is to see at this moment, for checks."""
        return CheckContext(
            self._messages,
            self.engine,
            self._plain.lab.container_id,
            self.workspace.bundle,
            self.state,
            self.container.look(self.state),
            self.calls.records(),
            directory=self.workspace.directory,
            answer=self.grader.answer,
            other=self.container.look_at_other,
            run=lambda line: self.container.ask(line, self.state),
            docker=self.container.docker.ask if self.container.docker else lambda _path: None,
        )

    def refresh(self) -> None:
        """Look whether anything has changed without a command: the container, `config.json`, what was printed."""
        if not self.container.lab.alive:
            if self.state is not None:
                self.see_state()
                self.tell(TutorError("session.error.lab_ended"))
            return
        before = self.state
        self.catch_up()
        self.see_config("outside")
        check(self)
        self.warn_if_led_away(before)

    def begin_step(self, *, config: bool = True) -> None:
        """Bring about how the present step begins: its own `config.json` (`config`) and what it lays into the lab.

        A failure is told and is not the end: the learner reads, and may `reset`.
        """
        self._begun.add(self.step.id)
        try:
            if config and self.step.begins is not None:
                kept = self.workspace.replace(self.step.begins)
                self.read_config("reset")
                self.say_kept(kept)
            if self.step.setup:
                self.container.set_up(self.step)
                self.see_state()
        except TutorError as error:
            self.tell(error)

    def pass_step(self) -> None:
        """Record that the present step is passed; nothing happens when it was before."""
        if self.step.id in self.passed:
            return
        self.passed |= {self.step.id}
        if self.read_only is not None and self.step.id in self._by_hand:
            self.read |= {self.step.id}
        self.save()
        self.say(StepPassed(self.index, self.step, "solution" if self.step.id in self.solved else "learner"))

    def enter(self, index: int) -> None:
        """Stand at a step from now on."""
        self.index = index
        self.grader = Grader(self.step)
        self.calls.begin_step()
        self.say(StepEntered(index, self.step, self.step.id in self.passed))
        if self.step.id not in self.passed and self.step.id not in self._begun:
            self.begin_step()
        if self.read_only is not None:
            self._play_recording()
        self.save()  # after the step is told: faces put away what was said before
        self.catch_up()
        check(self)
        if self.step.id not in self.passed and status_of(self.state) != self.step.requires:
            self._say_unfit()

    def _play_recording(self) -> None:
        recording = Recording(self._plain, self.engine)
        if recording.has(self.step.id):
            self.notice("information", "session.read_only.recorded")
            recording.play(self.step.id, self.say)

    def finish(self) -> None:
        """Tell that the lesson is done."""
        self.save()
        self.say(LessonFinished(self.lesson, len(self.solved)))
        if self.read:
            self.notice("information", "session.read_only.finished", count=len(self.read))

    @property
    def finished(self) -> bool:
        """Whether every step has been passed."""
        return all(step.id in self.passed for step in self.lesson.steps)

    def save(self) -> None:
        """Write the progress; that it can't be written is told, and does not stop the lesson."""
        if self.lesson.is_free_play:
            return
        in_order = [step.id for step in self.lesson.steps]
        record = LessonProgress(
            step_id=self.step.id,
            passed=tuple(each for each in in_order if each in self.passed),
            solved=tuple(each for each in in_order if each in self.solved),
            read=tuple(each for each in in_order if each in self.read),
            finished=self.finished,
        )
        try:
            self.progress.save(self.lesson.id, record)
        except TutorError as error:
            self.tell(error)

    # Saying

    def say_of_docker(self) -> None:
        """Say what there is to know of the lab's dockerd, if it has one."""
        self.say_kept(self.container.kept)
        trouble = unfit(self.container.lab) if self.container.docker is not None else None
        if trouble is not None:
            self.say(Notice("warning", *trouble.render(self._messages)))

    def say_kept(self, path: Path | None) -> None:
        """Say where something of the learner's was kept, if it was."""
        if path is not None:
            self.notice("information", "session.notice.kept", path=path)

    def notice(
        self, severity: Literal["information", "warning", "error"], key: str, /, **values: object
    ) -> None:
        """Say something from the catalogue: the entries `KEY.title`, `.body` and `.next`."""
        self.say(Notice(severity, *TutorError(key, **values).render(self._messages)))

    def tell(self, error: TutorError) -> None:
        """Say an expected failure."""
        self.say(Notice("error", *error.render(self._messages)))

    def warn_if_led_away(self, before: ContainerState | None) -> None:
        """Say so when the container has just come into a state from which the step can't go on as it describes.

        A task leads through several states by itself: there it is for its dead ends to say. And where the lesson knows a dead
        end, that has been said in its own words.
        """
        if isinstance(self.step.action, Task) or self.grader.dead_end is not None:
            return
        moved = status_of(self.state) not in (status_of(before), self.step.requires)
        if moved and self.step.id not in self.passed and not self.grader.holds:
            self._say_unfit()

    def _say_unfit(self) -> None:
        word = self._messages(f"session.status.{status_of(self.state)}")
        wanted = self._messages(f"session.status.{self.step.requires}")
        self.notice("warning", "session.notice.unfit", found=word, wanted=wanted)
