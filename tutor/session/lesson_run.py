"""The state of a lesson that is open: its present step, its lab, and what was last seen there.

A `LessonRun` holds the state and publishes what it sees; `tutor.session.progression` decides what follows. One thread at a time calls
its methods, which `Session` ensures. Its public attributes are values that are replaced whole, so any thread may read them.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from tutor.course.checks import CheckContext
from tutor.course.placeholders import traits_in
from tutor.course.progress import LessonProgress, Progress
from tutor.engines.lifecycle import allowed
from tutor.errors import TutorError
from tutor.home import shown
from tutor.lab.user_namespace import is_ordinary_user
from tutor.observe.poller import Poller
from tutor.session.call_log import CallLog
from tutor.session.container import Container
from tutor.session.events import (
    CommandFinished,
    CommandStarted,
    ConfigChanged,
    EngineChanged,
    LessonOpened,
    Notice,
    NoticeEnded,
    Output,
    SnapshotTaken,
    StateChanged,
)
from tutor.session.grader import Grader
from tutor.session.lab_setup import unfit
from tutor.session.lesson_lock import lock_of
from tutor.session.own_bundle import workspace_of
from tutor.session.own_runtime import OwnRuntime
from tutor.session.placeholders import for_display, for_execution, placeholders_of
from tutor.session.recording import by_hand, lacking, to_read
from tutor.session.without import without

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Literal

    from tutor.course.checks.verdict import Verdict
    from tutor.course.model import Lesson, Step
    from tutor.engines.model import Call, CallResult, ContainerState, EngineName, Stream
    from tutor.home import Home
    from tutor.messages import Messages
    from tutor.observe import Snapshot
    from tutor.session.events import Event, Severity
    from tutor.session.workspace import Workspace


class LessonRun:
    """A lesson with its files, lab, progress and present step.

    `publish` takes an event, `wake` asks the session to refresh the lesson soon; both may be called from any thread.
    """

    def __init__(
        self,
        lesson: Lesson,
        engine: EngineName,
        home: Home,
        messages: Messages,
        *,
        publish: Callable[[Event], None],
        wake: Callable[[], None],
    ) -> None:
        """Lock the lesson, create its bundle and start its lab; `progression.begin` does the rest.

        Raises:
            TutorError: another session has the lesson, the bundle can't be written, the lab can't be started.
        """
        self._unfilled = lesson
        self.home, self.messages, self.publish, self._wake = home, messages, publish, wake
        self._lock = lock_of(lesson, home)
        self.progress = Progress(home.records)
        recorded = self.progress.of(lesson.id)
        ids = [step.id for step in lesson.steps]
        self.passed = frozenset(recorded.passed) & frozenset(ids)
        self.solved = frozenset(recorded.solved) & frozenset(ids)
        self.read = frozenset(recorded.read) & frozenset(ids)
        self.resumed = recorded.step_id is not None
        self.index = ids.index(recorded.step_id) if recorded.step_id in ids else 0
        self.by_hand: frozenset[str] = (
            frozenset()
        )  # the steps that are read here instead, along with a recording
        self.impossible: frozenset[str] = frozenset()  # those that this lab can't show, and that are read too
        try:
            self._placeholders = placeholders_of(lesson, engine, home)
            self.to_execute = for_execution(lesson, self._placeholders)
            # Why the lesson is read along with a recording; None: it is done by hand.
            self.read_only = lacking(self.to_execute)
            self.workspace = workspace_of(
                to_read(self.to_execute) if self.read_only else self.to_execute, home
            )
            self.workspace.prepare(self.index)
            self.own = (
                OwnRuntime(home, messages, on_trial=self._show_trial, wake=wake) if lesson.is_own else None
            )
            if self.own is not None:
                self.own.create()
            # What the learner edits: config.json, or a runtime of their own.
            self.document: Workspace | OwnRuntime = self.own or self.workspace
            self._placeholders = replace(self._placeholders, image=self.workspace.origin())
            self.calls = CallLog()
            self.container = self._start_lab_or_read(engine)
        except BaseException:
            self._lock.release()
            raise
        if self.read_only is None:
            # Steps that were only read so far can be done by hand now, if this lab can show them.
            self.passed -= self.read - self.impossible
            self.read &= self.impossible
        self._ask_engine()
        self.lesson = for_display(self.to_execute, self._placeholders, messages)
        self.grader = Grader(self.step)
        self._trial_told = False
        self.state: ContainerState | None = None
        self.snapshot: Snapshot | None = None
        self.config_text = ""
        self.shell_may_be_open = False
        self.take_terminal: Callable[[int], None] | None = (
            None  # a face that shows the container's terminal; it owns the master that it is given
        )
        self.begun: set[str] = set()  # the steps that were set up in this lab
        self._config_seen: tuple[int, int, int] | None = None
        self._config_trouble = ""
        self._container_gone = threading.Event()
        self._poller = Poller(self._seen)

    @property
    def step(self) -> Step:
        """The present step."""
        return self.lesson.steps[self.index]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts of the present step's last check."""
        return self.grader.verdicts

    @property
    def engine(self) -> EngineName:
        """The engine of the lab."""
        return self.container.engine.name

    @property
    def finished(self) -> bool:
        """Whether every step has been passed."""
        return all(step.id in self.passed for step in self.lesson.steps)

    @property
    def only_read(self) -> frozenset[str]:
        """The ids of the steps that can't be done by hand here, and are read instead."""
        return self.impossible if self.read_only is None else self.by_hand

    # The lab

    def _start_lab(self, engine: EngineName) -> Container:
        self._placeholders = replace(self._placeholders, engine=engine)
        lesson = for_execution(self._unfilled, self._placeholders)
        self.to_execute = to_read(lesson) if self.read_only else lesson
        self.workspace.use(self.to_execute)
        container = Container(
            self.to_execute,
            engine,
            self.workspace,
            self.home,
            on_started=self._started,
            on_output=self._printed,
            on_finished=self._finished,
            on_limited=lambda call, limit: self.notice("warning", f"engines.limit.{limit}", typed=call.typed),
            language=self.messages.language,
        )
        self.to_execute, self.impossible = without(self.to_execute, container.lab.lacks, self.messages)
        return container

    def _start_lab_or_read(self, engine: EngineName) -> Container:
        """Start the lab; where the lesson can't be done by hand here, make it one to read."""
        if self.read_only is None:
            try:
                return self._start_lab(engine)
            except TutorError as error:
                if error.key != "docker.private":
                    raise
                self.read_only = error
        self.by_hand = by_hand(self.to_execute)
        return self._start_lab(engine)

    def replace_lab(self, engine: EngineName) -> None:
        """Close the lab and start another with this engine; when that fails, one with the engine before it.

        Raises:
            TutorError: the engine is missing, or no lab can be started at all.
        """
        before = self.engine
        try:
            self.container.close()
        except TutorError as error:
            self.report(error)
        self.calls.forget()
        self.begun.clear()
        try:
            self.container = self._start_lab(engine)
        except TutorError:
            if engine != before:
                self.container = self._start_lab(before)
            raise
        finally:
            self._ask_engine()
            self.lesson = for_display(self.to_execute, self._placeholders, self.messages)
            self.watch()
            self.update_state()
            if self.container.lab.alive:
                self.publish(NoticeEnded("session.error.lab_ended"))

    def _ask_engine(self) -> None:
        """Have the texts say what this very engine does, where that is not recorded."""
        engine = self.container.engine
        found = self.container.unrecorded(traits_in(self._unfilled))
        traits = " ".join(f"{name}={answer}" for name, answer in found.items())
        self._placeholders = replace(
            self._placeholders, version=engine.version if traits else "", traits=traits
        )

    def end(self) -> None:
        """Close the lab and unlock the lesson.

        Raises:
            TutorError: `lab.leftover`.
        """
        try:
            self._poller.stop()
            self.container.close()
        finally:
            self._lock.release()

    # Reports of the engine, the kernel and the disk

    def _started(self, call: Call) -> None:
        if call.argv[0] != "/bin/sh":
            self.calls.started(call)
        self.publish(CommandStarted(call))

    def _printed(self, call: Call, stream: Stream, text: str) -> None:
        self.calls.printed(call, stream, text)
        self.publish(Output(call, stream, text))
        self._wake()

    def _finished(self, result: CallResult) -> None:
        self.calls.finished(result)
        self.publish(CommandFinished(result))

    def _seen(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.publish(SnapshotTaken(snapshot))
        if snapshot.container is not None and not snapshot.container.alive:
            self._container_gone.set()
        self._wake()

    def _show_trial(self, snapshot: Snapshot) -> None:
        """Show the container of a trial of the learner's own runtime in the panels, unless the lab has one."""
        if self.state is not None:
            return
        self.publish(SnapshotTaken(snapshot, trial=True))
        if not self._trial_told:
            self._trial_told = True
            self.notice("information", "session.notice.trial_shown")

    def watch(self, pid: int | None = None) -> None:
        """Take snapshots of a process from now on (None: of the lab alone), compared with the lab."""
        self._poller.watch(pid, reference_pid=self.container.lab.keeper_pid)

    def update_state(self) -> None:
        """Ask the engine for the state, and publish it if it has changed."""
        self._container_gone.clear()
        before, self.state = self.state, self.container.query() if self.container.lab.alive else None
        if before == self.state:
            return
        pid = self.state.pid if self.state and self.state.pid else None
        if pid != (before.pid if before and before.pid else None):
            self.watch(pid)
        self.publish(StateChanged(self.state, allowed(self.state)))

    def catch_up(self) -> None:
        """Ask for the state where it may have changed without a command: the container has ended, or a shell is open.

        Nothing else reaches a container in the lab, so there is no need to ask every time.
        """
        if self._container_gone.is_set() or self.shell_may_be_open:
            self.update_state()

    def look_again(self) -> None:
        """Ask for the state and take a snapshot, after something was done."""
        self.update_state()
        self._poller.poke()

    def read_config(self, origin: Literal["learner", "solution", "reset", "outside", "opened"]) -> None:
        """Read the file that the learner edits and publish its text; report a failure once."""
        self.mark_config_read()
        try:
            text = self.document.read()
            self._config_trouble = ""
        except TutorError as error:
            text = ""
            if error.key != self._config_trouble:
                self._config_trouble = error.key
                self.report(error)
        if text == self.config_text and origin == "outside":
            return
        self.config_text = text
        self.publish(ConfigChanged(str(self.document.edited_path), text, origin))

    def reread_config(self, origin: Literal["solution", "outside"]) -> None:
        """Read the file that the learner edits if it was written since it was read."""
        if self.document.signature() != self._config_seen:
            self.read_config(origin)

    def mark_config_read(self) -> None:
        """Take the file on disk as read: it was overwritten and restored."""
        self._config_seen = self.document.signature()

    def context(self) -> CheckContext:
        """Return the state of the lab at this moment, for checks."""
        return CheckContext(
            self.messages,
            self.engine,
            self.to_execute.lab.container_id,
            self.workspace.bundle,
            self.state,
            self.container.look(self.state),
            self.calls.records(),
            directory=self.workspace.directory,
            answer=self.grader.answer,
            other=self.container.look_at_other,
            run=lambda line: self.container.ask(line, self.state),
            docker=self.container.docker.ask if self.container.docker else lambda _path: None,
            trait=self.container.trait,
            **({"own": self.own.judgement} if self.own is not None else {}),
        )

    # Progress

    def save(self) -> None:
        """Write the progress; report a failure, and go on."""
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
            self.report(error)

    # Publishing

    def publish_opened(self) -> None:
        """Publish everything that is known when the lesson was opened."""
        self.publish(
            LessonOpened(
                self.lesson,
                self.resumed,
                self.passed,
                read_only=self.read_only is not None,
                placeholders=self._placeholders,
            )
        )
        self.publish(EngineChanged(self.engine, self.container.engine.version))
        self.publish(StateChanged(None, allowed(None)))
        if self.progress.damaged:
            self.notice("warning", "course.progress.damaged", kept=self.progress.damaged)
        if self.read_only is not None:
            self.publish(Notice.of("warning", self.read_only, self.messages))
        self._report_ordinary_user()
        self._report_places()
        self.report_docker()

    def _report_ordinary_user(self) -> None:
        if not is_ordinary_user() or self.read_only is not None:
            return
        if self.impossible:
            self.notice("information", "session.ordinary_user_some", count=len(self.impossible))
        else:
            self.notice("information", "session.ordinary_user")

    def _report_places(self) -> None:
        """Report where the host's mount options hinder containers, and whether the lab could take them off."""
        for path, freed, left, copied in self.container.lab.places:
            if freed:
                self.notice("information", "lab.place.freed", path=shown(path), options=", ".join(freed))
            if copied:
                roots = ", ".join(map(shown, copied))
                self.notice(
                    "information", "lab.place.copied", path=shown(path), options=", ".join(left), roots=roots
                )
            elif left:
                self.notice("warning", "lab.place.hindered", path=shown(path), options=", ".join(left))

    def report_docker(self) -> None:
        """Report what the learner should know of the lab's dockerd, if it has one."""
        self.report_kept(self.container.kept)
        trouble = unfit(self.container.lab) if self.container.docker is not None else None
        if trouble is not None:
            self.publish(Notice.of("warning", trouble, self.messages))

    def report_kept(self, path: Path | None) -> None:
        """Report where a copy of the learner's file is, if there is one."""
        if path is not None:
            self.notice("information", "session.notice.kept", path=path)

    def notice(self, severity: Severity, key: str, /, **values: object) -> None:
        """Publish a notice from the catalogue: the entries `KEY.title`, `.body` and `.next`."""
        self.publish(Notice.of(severity, TutorError(key, **values), self.messages))

    def report(self, error: TutorError) -> None:
        """Report an expected failure."""
        self.publish(Notice.of("error", error, self.messages))
