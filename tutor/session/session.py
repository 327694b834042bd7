"""The session: it takes commands, publishes events, and has no user interface. Every face is a thin layer over it."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from tutor.course.model import EditConfig, OwnStep, Quiz, RunOperation, Shell, Task
from tutor.engines.lifecycle import allowed
from tutor.errors import TutorError
from tutor.home import Home
from tutor.messages import Messages
from tutor.session import free_play, progression
from tutor.session.commands.completion import completions, files
from tutor.session.commands.dispatch import dispatch
from tutor.session.commands.parser import parse
from tutor.session.events import Notice
from tutor.session.lesson_run import LessonRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

    from tutor.course.checks.verdict import Verdict
    from tutor.course.course import Course
    from tutor.course.model import Action, Lesson, Step
    from tutor.engines.model import ContainerState, EngineName
    from tutor.observe import Snapshot
    from tutor.session.commands.registry import Argument
    from tutor.session.events import Event
    from tutor.session.terminals import PtyShell

log = logging.getLogger(__name__)

_LOOK_EVERY = 1.0  # seconds between two looks at config.json, when nothing wakes the watcher
_QUIET = 0.1  # seconds to wait for more to happen, so that a burst is handled once


class Session:
    """One learner's session: the lesson that is open, its lab, its engine; a context manager that closes it.

    `publish` is called from any thread, with one event at a time and in order; it must return quickly. Attributes may be read from
    any thread at any time. Commands from several threads run one after the other.
    """

    def __init__(
        self,
        *,
        course: Course,
        engine: EngineName,
        publish: Callable[[Event], None],
        home: Home | None = None,
    ) -> None:
        self.course = course
        self.messages = Messages.load(course.language)
        self.home = home or Home.default()
        self.busy = False
        self._wanted_engine: EngineName = engine
        self._publish = publish
        self._publishing = threading.RLock()
        self._commands = threading.RLock()
        self._lesson_run: LessonRun | None = None
        self._take_terminal: Callable[[int], None] | None = None
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="session", daemon=True)
        self._watcher.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def beside(self, publish: Callable[[Event], None]) -> Session:
        """Return another session, for free play, on the same engine; this one keeps its lesson, its lab and its container."""
        return Session(course=self.course, engine=self.engine, publish=publish, home=self.home)

    # State

    @property
    def lesson(self) -> Lesson | None:
        """The opened lesson, its texts filled in for the present engine."""
        return self._lesson_run.lesson if self._lesson_run else None

    @property
    def index(self) -> int:
        """The index of the present step, from 0."""
        return self._lesson_run.index if self._lesson_run else 0

    @property
    def step(self) -> Step | None:
        """The present step."""
        return self._lesson_run.step if self._lesson_run else None

    @property
    def passed(self) -> frozenset[str]:
        """The ids of the steps passed."""
        return self._lesson_run.passed if self._lesson_run else frozenset()

    @property
    def only_read(self) -> frozenset[str]:
        """The ids of the steps that can't be done by hand here, and are read instead."""
        return self._lesson_run.only_read if self._lesson_run else frozenset()

    @property
    def engine(self) -> EngineName:
        """The engine that runs the containers."""
        return self._lesson_run.engine if self._lesson_run else self._wanted_engine

    @property
    def state(self) -> ContainerState | None:
        """The container's state, as the runtime reports it; None when there is no container."""
        return self._lesson_run.state if self._lesson_run else None

    @property
    def can(self) -> tuple[str, ...]:
        """The operations that the container's state allows."""
        return allowed(self._lesson_run.state) if self._lesson_run else ()

    @property
    def snapshot(self) -> Snapshot | None:
        """The last snapshot."""
        return self._lesson_run.snapshot if self._lesson_run else None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts of the present step's last check."""
        return self._lesson_run.verdicts if self._lesson_run else ()

    @property
    def config_path(self) -> Path:
        """The path of the file that the learner edits: `config.json`, or a runtime of their own."""
        return self._lesson_run.document.edited_path if self._lesson_run else self.home.labs / "config.json"

    @property
    def config_text(self) -> str:
        """The text of `config.json` as last read; empty when it cannot be read."""
        return self._lesson_run.config_text if self._lesson_run else ""

    # Lessons

    def open(self, lesson_id: str) -> None:
        """Open a lesson at the step where it was left, and leave the one that was open. This takes about a second.

        Raises:
            TutorError: there is no such lesson, another session has it, or its bundle or lab can't be made.
        """
        lesson = self.course.lesson(lesson_id)
        if self._wanted_engine not in lesson.engines:
            known = ", ".join(lesson.engines)
            raise TutorError("session.error.unknown_engine", engine=self._wanted_engine, known=known)
        self._open(lesson)

    def play_freely(self, bundle: Path | None) -> None:
        """Open a bundle (None: a new one) as a lesson in which nothing is checked and nothing recorded.

        Raises:
            TutorError: the bundle can't be used, another session has it, or the lab can't be started.
        """
        place = free_play.usable_bundle(bundle or free_play.fresh_bundle(self.home))
        self._open(free_play.free_play_lesson(place, self.messages))
        missing = free_play.missing_rootfs(place, self.config_text)
        if missing is not None:
            self._deliver(Notice.of("warning", missing, self.messages))

    def _open(self, lesson: Lesson) -> None:
        with self._commands:
            self.leave()
            self.busy = True
            try:
                self._lesson_run = LessonRun(
                    lesson,
                    self._wanted_engine,
                    self.home,
                    self.messages,
                    publish=self._deliver,
                    wake=self._woken.set,
                )
                self._lesson_run.take_terminal = self._take_terminal
                progression.begin(self._lesson_run)
            except BaseException:
                self.leave()
                raise
            finally:
                self.busy = False

    def leave(self) -> None:
        """Close the lesson and its lab. Without a lesson, do nothing."""
        with self._commands:
            run, self._lesson_run = self._lesson_run, None
            if run is None:
                return
            self._wanted_engine = run.engine
            try:
                run.end()
            except TutorError as error:
                self._report(error)

    def close(self) -> None:
        """Leave the lesson and stop every thread; a second call does nothing."""
        self.interrupt()
        self.leave()
        self._closing.set()
        self._woken.set()
        if self._watcher is not threading.current_thread():
            self._watcher.join()

    # Commands

    def execute(self, line: str) -> None:
        """Run one command, and return when it has ended. Mistakes and failures become a `Notice`, and are never raised."""
        with self._guarded():
            run = self._lesson_run
            if run is None:
                raise TutorError("session.error.no_lesson")
            run.catch_up()
            run.shell_may_be_open = False
            parsed = parse(line, engine=run.engine, container_id=run.lesson.lab.container_id)
            if parsed is not None:
                dispatch(run, parsed)

    def do(self, actions: tuple[Action, ...]) -> None:
        """Run the actions of a known wrong answer, as if the learner had. A failure becomes a `Notice`, and is never raised."""
        with self._guarded():
            run = self._lesson_run
            if run is None:
                raise TutorError("session.error.no_lesson")
            progression.perform(run, actions)
            progression.check(run, tried=True)

    def right_answer(self) -> str | None:
        """Return the right answer to the present quiz at this moment; None where there is no quiz, or it can't be determined."""
        right = None
        with self._guarded():
            run = self._lesson_run
            if run is not None and isinstance(run.step.activity, Quiz):
                right = progression.right_answer(run, run.step.activity)
        return right

    def write_config(self, text: str, seen: str | None = None) -> bool:
        """Save `config.json` as the learner wrote it, faulty or not, and check the step; return whether it was saved.

        A file there that no editor has shown (another text than `seen`, or none that can be read) is copied first. A failure becomes
        a `Notice`, and is never raised.
        """
        saved = False
        with self._guarded():
            run = self._lesson_run
            if run is None:
                raise TutorError("session.error.no_lesson")
            kept = run.document.keep_unseen(text, seen)
            run.document.write(text)
            saved = True
            run.read_config("learner")
            run.report_kept(kept)
            run.update_state()
            progression.check(run, tried=True)
        return saved

    def keep_edits(self, text: str, before: str) -> Path | None:
        """Keep edits of a learner who can't be asked any more; return where, None if that failed.

        They are saved to `config.json`; beside it, if `before`, the text that was edited, is not the one on disk any more. A failure
        becomes a `Notice`, and is never raised.
        """
        kept = None
        with self._guarded():
            run = self._lesson_run
            if run is not None:
                kept = run.document.keep_edits(text, before)
                log.info("edits that were not saved are kept in %s", kept)
        return kept

    def shell_call(self, line: str = "") -> tuple[tuple[str, ...], str, dict[str, str]]:
        """Return argv, working directory and environment of a shell in the lab, for a face to run: interactive, or for a line.

        Until the next command the engine is asked for the container's state now and then: the learner may do anything in the shell.

        Raises:
            TutorError: no lesson is open, or its lab has ended.
        """
        run = self._open_run()
        run.shell_may_be_open = True
        argv, folder, environment = run.container.lab.shell_call(run.workspace.directory, line)
        return argv, folder, environment | run.container.own_environment(run.state)

    def open_shell(self, size: tuple[int, int], term: str) -> PtyShell:
        """Start a shell in the lab on a pseudoterminal, for a face that shows it beside the text; the lab ends it.

        Args:
            size: columns and rows.
            term: the terminal that the face emulates, as terminfo(5) names it.

        Raises:
            TutorError: no lesson is open, its lab has ended, there is no pseudoterminal, or the shell can't be started.
        """
        run = self._open_run()
        return run.container.open_shell(size, term, run.state)

    def line_entered(self) -> None:
        """Look at the container and the step soon, and again until the next command: a line was entered in such a shell."""
        run = self._lesson_run
        if run is not None:
            run.shell_may_be_open = True
            self._woken.set()

    def show_terminals(self, take: Callable[[int], None]) -> None:
        """Have `create` hand the terminal of a container (`process.terminal`) to `take`, from any thread, as the master."""
        self._take_terminal = take
        if self._lesson_run is not None:
            self._lesson_run.take_terminal = take

    def _open_run(self) -> LessonRun:
        run = self._lesson_run
        if run is None:
            raise TutorError("session.error.no_lesson")
        if not run.container.lab.alive:
            raise TutorError("session.error.lab_ended")
        return run

    def back_from_shell(self) -> None:
        """Check the step after a shell has ended: what was done in it counts as a try. A failure becomes a `Notice`."""
        with self._guarded():
            run = self._lesson_run
            if run is not None and isinstance(
                run.step.activity, EditConfig | OwnStep | RunOperation | Shell | Task
            ):
                run.update_state()
                progression.check(run, tried=True)

    def completions(self, argument: Argument, prefix: str) -> tuple[tuple[str, str], ...]:
        """Return the values of an argument that begin with a prefix, each with a description."""
        if argument.values == "file":
            run = self._lesson_run
            return files(prefix, run.workspace.directory) if run is not None else ()
        return completions(argument, prefix, self.lesson, self.step, self.messages)

    def interrupt(self) -> None:
        """End the running engine command, as Ctrl-C would; from any thread, and safe when none runs."""
        run = self._lesson_run
        if run is not None:
            run.container.interrupt()
            if run.own is not None:
                run.own.interrupt()

    # Private

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Run one command at a time; report whatever fails in it, and go on."""
        with self._commands:
            self.busy = True
            try:
                yield
            except TutorError as error:
                self._report(error)
            except Exception as error:
                log.exception("a command failed unexpectedly")
                self._report_unexpected(error)
            finally:
                self.busy = False

    def _deliver(self, event: Event) -> None:
        with self._publishing:
            try:
                self._publish(event)
            except Exception:
                # A face that fails on one event must not end the lab.
                log.exception("publishing %s failed", type(event).__name__)

    def _report(self, error: TutorError) -> None:
        self._deliver(Notice.of("error", error, self.messages))

    def _report_unexpected(self, error: BaseException) -> None:
        self._report(TutorError("session.error.unexpected", kind=type(error).__name__, reason=error))

    def _watch(self) -> None:
        """Refresh the lesson whenever something wakes this thread (and look at config.json now and then), while no command runs.

        While a check has time left (`within`, `stable_for`), refresh all the time.
        """
        trouble, waiting = "", False
        while not self._closing.is_set():
            if self._woken.wait(_QUIET if waiting else _LOOK_EVERY):
                self._closing.wait(_QUIET)
            self._woken.clear()
            while not self._commands.acquire(timeout=_QUIET):
                if self._closing.is_set():
                    return
            try:
                if self._lesson_run is not None:
                    progression.refresh(self._lesson_run)
                    waiting = self._lesson_run.grader.waiting
                trouble = ""
            except TutorError as error:
                # The same error comes back at every look; report it once.
                if repr(error) != trouble:
                    trouble = repr(error)
                    self._report(error)
            except Exception as error:
                if repr(error) != trouble:
                    trouble = repr(error)
                    log.exception("the session goes on after an error")
                    self._report_unexpected(error)
            finally:
                self._commands.release()
