"""The session: takes commands, answers with events, and has no user interface. Every face is a thin layer over it."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from tutor.course.model import EditConfig, Quiz, RunOperation, Shell, Task
from tutor.engines.lifecycle import allowed
from tutor.errors import TutorError
from tutor.home import Home
from tutor.messages import Messages
from tutor.session import free_play, progression
from tutor.session.commands.completion import completions
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

log = logging.getLogger(__name__)

_LOOK_EVERY = 1.0  # seconds between two looks at config.json, when nothing else happens
_QUIET = 0.1  # seconds in which further news is waited for, so that a burst of it is one look


class Session:
    """This learner and, once opened, this lesson, this lab, this engine; a context manager.

    `publish` is called from any thread, one event at a time and in order; it must return quickly. The attributes may be read
    from any thread at any time. Commands from several threads are done one after the other.
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
        self._stirred = threading.Event()
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

    # What there is to see

    @property
    def lesson(self) -> Lesson | None:
        """The opened lesson, its texts filled in for the present engine."""
        return self._lesson_run.lesson if self._lesson_run else None

    @property
    def index(self) -> int:
        """Which step of the lesson the learner stands at, from 0."""
        return self._lesson_run.index if self._lesson_run else 0

    @property
    def step(self) -> Step | None:
        """The step that the learner stands at."""
        return self._lesson_run.step if self._lesson_run else None

    @property
    def passed(self) -> frozenset[str]:
        """The ids of the steps passed."""
        return self._lesson_run.passed if self._lesson_run else frozenset()

    @property
    def engine(self) -> EngineName:
        """The engine that runs the containers."""
        return self._lesson_run.engine if self._lesson_run else self._wanted_engine

    @property
    def state(self) -> ContainerState | None:
        """The container as its runtime sees it; None when there is none."""
        return self._lesson_run.state if self._lesson_run else None

    @property
    def can(self) -> tuple[str, ...]:
        """The operations that the container's state allows."""
        return allowed(self._lesson_run.state) if self._lesson_run else ()

    @property
    def snapshot(self) -> Snapshot | None:
        """What the kernel said last."""
        return self._lesson_run.snapshot if self._lesson_run else None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts of the present step's last check."""
        return self._lesson_run.verdicts if self._lesson_run else ()

    @property
    def config_path(self) -> Path:
        """Where the learner's `config.json` lies."""
        return self._lesson_run.workspace.config if self._lesson_run else self.home.labs / "config.json"

    @property
    def config_text(self) -> str:
        """The text of `config.json` as last read; empty when there is none that can be read."""
        return self._lesson_run.config_text if self._lesson_run else ""

    # Lessons

    def open(self, lesson_id: str) -> None:
        """Open a lesson, where it was left; the one that was open is left first. Takes about a second.

        Raises:
            TutorError: there is no such lesson, another session has it, or its bundle or lab can't be made.
        """
        lesson = self.course.lesson(lesson_id)
        if self._wanted_engine not in lesson.engines:
            known = ", ".join(lesson.engines)
            raise TutorError("session.error.unknown_engine", engine=self._wanted_engine, known=known)
        self._open(lesson)

    def play_freely(self, bundle: Path | None) -> None:
        """Open a bundle of somebody's (None: a fresh one) as a lesson in which nothing is checked and nothing recorded.

        Raises:
            TutorError: there is nothing in it to work with, another session has it, or the lab can't be made.
        """
        place = free_play.usable_bundle(bundle or free_play.fresh_bundle(self.home))
        self._open(free_play.free_play_lesson(place, self.messages))
        missing = free_play.missing_rootfs(place, self.config_text)
        if missing is not None:
            self._say(Notice("warning", *missing.render(self.messages)))

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
                    say=self._say,
                    stir=self._stirred.set,
                )
                progression.begin(self._lesson_run)
            except BaseException:
                self.leave()
                raise
            finally:
                self.busy = False

    def leave(self) -> None:
        """Close the lesson: lab down, nothing left. Without one, nothing happens."""
        with self._commands:
            run, self._lesson_run = self._lesson_run, None
            if run is None:
                return
            self._wanted_engine = run.engine
            try:
                run.end()
            except TutorError as error:
                self._tell(error)

    def close(self) -> None:
        """Leave the lesson and stop every thread; a second time nothing happens."""
        self.interrupt()
        self.leave()
        self._closing.set()
        self._stirred.set()
        if self._watcher is not threading.current_thread():
            self._watcher.join()

    # Commands

    def execute(self, line: str) -> None:
        """Do one command, and return when it has ended. Mistakes and failures are told by a `Notice`, never raised."""
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
        """Do what a lesson lists as a known wrong answer, as if the learner had. Failures are told, never raised."""
        with self._guarded():
            run = self._lesson_run
            if run is None:
                raise TutorError("session.error.no_lesson")
            progression.perform(run, actions)
            progression.check(run, tried=True)

    def right_answer(self) -> str | None:
        """Return the right answer to the present quiz at this moment; None where there is no quiz, or it can't be told."""
        right = None
        with self._guarded():
            run = self._lesson_run
            if run is not None and isinstance(run.step.activity, Quiz):
                right = progression.right_answer(run, run.step.activity)
        return right

    def write_config(self, text: str) -> bool:
        """Save `config.json` as the learner wrote it, faulty or not, and check the step. Failures are told, never raised.

        What lay there and could not be read, so that no editor has shown it, is kept beside it. Returns whether the text was
        saved.
        """
        saved = False
        with self._guarded():
            run = self._lesson_run
            if run is None:
                raise TutorError("session.error.no_lesson")
            kept = run.workspace.keep_unread()
            run.workspace.write(text)
            saved = True
            run.read_config("learner")
            run.tell_kept(kept)
            run.see_state()
            progression.check(run, tried=True)
        return saved

    def shell_call(self) -> tuple[tuple[str, ...], str, dict[str, str]]:
        """Return argv, working directory and environment of an interactive shell in the lab, for a face to run.

        Until the next command the container's state is asked for now and then: the learner may do anything in there.

        Raises:
            TutorError: no lesson is open, or its lab has ended.
        """
        run = self._lesson_run
        if run is None:
            raise TutorError("session.error.no_lesson")
        if not run.container.lab.alive:
            raise TutorError("session.error.lab_ended")
        run.shell_may_be_open = True
        argv, folder, environment = run.container.lab.shell_call(run.workspace.directory)
        return argv, folder, environment | run.container.own_environment(run.state)

    def back_from_shell(self) -> None:
        """Check the step, for a face whose shell has ended: what was done in there was a try. Failures are told, never raised."""
        with self._guarded():
            run = self._lesson_run
            if run is not None and isinstance(run.step.activity, EditConfig | RunOperation | Shell | Task):
                run.see_state()
                progression.check(run, tried=True)

    def completions(self, argument: Argument, prefix: str) -> tuple[tuple[str, str], ...]:
        """Return the values of an argument that begin with a prefix, each with a description."""
        return completions(argument, prefix, self.lesson, self.step, self.messages)

    def interrupt(self) -> None:
        """End the running engine command, as Ctrl-C would; from any thread, and safe when none runs."""
        run = self._lesson_run
        if run is not None:
            run.container.interrupt()

    # Inside

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """One command at a time; whatever goes wrong in it is told, and the session lives on."""
        with self._commands:
            self.busy = True
            try:
                yield
            except TutorError as error:
                self._tell(error)
            except Exception as error:
                log.exception("a command failed unexpectedly")
                self._tell_unexpected(error)
            finally:
                self.busy = False

    def _say(self, event: Event) -> None:
        with self._publishing:
            try:
                self._publish(event)
            except Exception:
                # A face that stumbles over one event must not take the lab down with it.
                log.exception("publishing %s failed", type(event).__name__)

    def _tell(self, error: TutorError) -> None:
        self._say(Notice("error", *error.render(self.messages)))

    def _tell_unexpected(self, error: BaseException) -> None:
        self._tell(TutorError("session.error.unexpected", kind=type(error).__name__, reason=error))

    def _watch(self) -> None:
        """Look again whenever something stirs (and at config.json now and then), while no command runs.

        While a check is given time (`within`, `stable_for`) it looks all the time.
        """
        trouble, waiting = "", False
        while not self._closing.is_set():
            if self._stirred.wait(_QUIET if waiting else _LOOK_EVERY):
                self._closing.wait(_QUIET)
            self._stirred.clear()
            while not self._commands.acquire(timeout=_QUIET):
                if self._closing.is_set():
                    return
            try:
                if self._lesson_run is not None:
                    progression.refresh(self._lesson_run)
                    waiting = self._lesson_run.grader.waiting
                trouble = ""
            except TutorError as error:
                # The same trouble comes back with every look; once is enough for the learner.
                if repr(error) != trouble:
                    trouble = repr(error)
                    self._tell(error)
            except Exception as error:
                if repr(error) != trouble:
                    trouble = repr(error)
                    log.exception("the session goes on after an error")
                    self._tell_unexpected(error)
            finally:
                self._commands.release()
