"""One lesson as it runs: which step the learner stands at, in which lab, and what has been seen there.

A `LessonRun` holds the state and tells what it sees; `tutor.session.progression` decides what follows from it. It is worked by
one thread at a time, for which `Session` sees. Its public attributes are values that are swapped whole, so any thread may
read them.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from tutor.course.checks import CheckContext
from tutor.course.progress import LessonProgress, Progress
from tutor.engines.lifecycle import allowed
from tutor.errors import TutorError
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
    Output,
    SnapshotTaken,
    StateChanged,
)
from tutor.session.grader import Grader
from tutor.session.lab_setup import unfit
from tutor.session.lesson_lock import lock_of
from tutor.session.own_bundle import workspace_of
from tutor.session.placeholders import placeholders_of, told, written
from tutor.session.recording import by_hand, lacking, to_read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Literal

    from tutor.course.checks.verdict import Verdict
    from tutor.course.model import Lesson, Step
    from tutor.engines.model import Call, CallResult, ContainerState, EngineName, Stream
    from tutor.home import Home
    from tutor.messages import Messages
    from tutor.observe import Delta, Snapshot
    from tutor.session.events import Event


class LessonRun:
    """A lesson with its files, lab, progress and present step.

    `say` publishes an event, from any thread. `stir` asks the session to look again soon; it may be called from any thread.
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
        """Lock the lesson, lay out its bundle and its lab; `progression.begin` does the rest.

        Raises:
            TutorError: another session has the lesson, the bundle can't be written, the lab can't be laid.
        """
        self._unfilled = lesson
        self._home, self.messages, self.say, self._stir = home, messages, say, stir
        self._lock = lock_of(lesson, home)
        self.progress = Progress(home.records)
        recorded = self.progress.of(lesson.id)
        ids = [step.id for step in lesson.steps]
        self.passed = frozenset(recorded.passed) & frozenset(ids)
        self.solved = frozenset(recorded.solved) & frozenset(ids)
        self.read = frozenset(recorded.read) & frozenset(ids)
        self.resumed = recorded.step_id is not None
        self.index = ids.index(recorded.step_id) if recorded.step_id in ids else 0
        self.by_hand: frozenset[str] = frozenset()  # the steps that are read here instead
        try:
            self._placeholders = placeholders_of(lesson, engine, home)
            self.written = written(lesson, self._placeholders)
            # Why the lesson is read along with a recording, and not done by hand; None where it is.
            self.read_only = lacking(self.written)
            self.workspace = workspace_of(to_read(self.written) if self.read_only else self.written, home)
            self.workspace.prepare(self.index)
            self._placeholders = replace(self._placeholders, image=self.workspace.origin())
            self.calls = CallLog()
            self.container = self._lay_lab_or_read(engine)
        except BaseException:
            self._lock.release()
            raise
        if self.read_only is None:
            self.passed -= self.read  # what was only read so far can be done by hand now
            self.read = frozenset()
        self.lesson = told(self.written, self._placeholders, messages)
        self.grader = Grader(self.step)
        self.state: ContainerState | None = None
        self.snapshot: Snapshot | None = None
        self.config_text = ""
        self.shell_may_be_open = False
        self.begun: set[str] = set()  # the steps whose beginning has been brought about in this lab
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
        """What the present step's checks said last."""
        return self.grader.verdicts

    @property
    def engine(self) -> EngineName:
        """The engine of the lab."""
        return self.container.engine.name

    @property
    def finished(self) -> bool:
        """Whether every step has been passed."""
        return all(step.id in self.passed for step in self.lesson.steps)

    # The lab

    def _lay_lab(self, engine: EngineName) -> Container:
        self._placeholders = replace(self._placeholders, engine=engine)
        lesson = written(self._unfilled, self._placeholders)
        self.written = to_read(lesson) if self.read_only else lesson
        self.workspace.use(self.written)
        return Container(
            self.written,
            engine,
            self.workspace,
            self._home,
            on_started=self._started,
            on_output=self._printed,
            on_finished=self._finished,
            on_limited=lambda call, limit: self.notice("warning", f"engines.limit.{limit}", typed=call.typed),
            language=self.messages.language,
        )

    def _lay_lab_or_read(self, engine: EngineName) -> Container:
        """Lay the lab; where the lesson can't be done by hand here, it becomes one to read."""
        if self.read_only is None:
            try:
                return self._lay_lab(engine)
            except TutorError as error:
                if error.key != "docker.private":
                    raise
                self.read_only = error
        self.by_hand = by_hand(self.written)
        return self._lay_lab(engine)

    def change_lab(self, engine: EngineName) -> None:
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
        self.begun.clear()
        try:
            self.container = self._lay_lab(engine)
        except TutorError:
            if engine != before:
                self.container = self._lay_lab(before)
            raise
        finally:
            self.lesson = told(self.written, self._placeholders, self.messages)
            self.watch()
            self.see_state()

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

    # What the engine, the kernel and the disk say

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

    def watch(self, pid: int | None = None) -> None:
        """Take snapshots of a process from now on (None: of the lab alone), measured against the lab."""
        self._poller.watch(pid, reference_pid=self.container.lab.keeper_pid)

    def see_state(self) -> None:
        """Ask the engine for the state, and tell it if it is another than before."""
        self._container_gone.clear()
        before, self.state = self.state, self.container.query() if self.container.lab.alive else None
        if before == self.state:
            return
        pid = self.state.pid if self.state and self.state.pid else None
        if pid != (before.pid if before and before.pid else None):
            self.watch(pid)
        self.say(StateChanged(self.state, allowed(self.state)))

    def catch_up(self) -> None:
        """Ask for the state where it may have changed without a command: its process has ended, or a shell is open.

        Nothing else reaches a container in the lab, so there is no need to ask at every step.
        """
        if self._container_gone.is_set() or self.shell_may_be_open:
            self.see_state()

    def look_again(self) -> None:
        """See what has come of something that was done."""
        self.see_state()
        self._poller.poke()

    def read_config(self, origin: Literal["learner", "solution", "reset", "outside", "opened"]) -> None:
        """Read `config.json` and tell its text; trouble with it is told once."""
        self.skip_config()
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
        """Read `config.json` if it was written since it was read."""
        if self.workspace.signature() != self._config_seen:
            self.read_config(origin)

    def skip_config(self) -> None:
        """Take the file on disk as read: it was written, and its text is the same again."""
        self._config_seen = self.workspace.signature()

    def context(self) -> CheckContext:
        """Return what there is to see at this moment, for checks."""
        return CheckContext(
            self.messages,
            self.engine,
            self.written.lab.container_id,
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

    # Progress

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

    # Telling

    def tell_opened(self) -> None:
        """Tell everything that is known when the lesson has been opened."""
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
            self.say(Notice("warning", *self.read_only.render(self.messages)))
        self.tell_of_docker()

    def tell_of_docker(self) -> None:
        """Tell what there is to know of the lab's dockerd, if it has one."""
        self.tell_kept(self.container.kept)
        trouble = unfit(self.container.lab) if self.container.docker is not None else None
        if trouble is not None:
            self.say(Notice("warning", *trouble.render(self.messages)))

    def tell_kept(self, path: Path | None) -> None:
        """Tell where something of the learner's was kept, if it was."""
        if path is not None:
            self.notice("information", "session.notice.kept", path=path)

    def notice(
        self, severity: Literal["information", "warning", "error"], key: str, /, **values: object
    ) -> None:
        """Tell something from the catalogue: the entries `KEY.title`, `.body` and `.next`."""
        self.say(Notice(severity, *TutorError(key, **values).render(self.messages)))

    def tell(self, error: TutorError) -> None:
        """Tell an expected failure."""
        self.say(Notice("error", *error.render(self.messages)))
