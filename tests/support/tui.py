"""What the tests of the TUI share: a session that publishes prepared events, and values as a kernel and a runtime give them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import signal
import threading
import time
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tutor import patience
from tutor.course.course import Course
from tutor.engines.model import Call, CallResult, ContainerState
from tutor.messages import Messages
from tutor.observe import (
    ContainerView,
    HostView,
    Mount,
    Namespace,
    NamespaceView,
    Process,
    Snapshot,
    Wait,
)
from tutor.session.events import (
    Checked,
    CommandFinished,
    CommandStarted,
    ConfigChanged,
    EngineChanged,
    LessonOpened,
    Notice,
    Output,
    QuizAnswered,
    SnapshotTaken,
    StateChanged,
    StepEntered,
    StepPassed,
)
from tutor.session.free_play import free_play_lesson
from tutor.session.terminals import PtyShell
from tutor.tui.app import TutorApp
from tutor.tui.screens.lesson import LessonScreen

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from textual.app import App
    from textual.pilot import Pilot

    from tutor.course.checks.verdict import Verdict
    from tutor.course.model import Lesson, Step
    from tutor.engines.model import EngineName
    from tutor.errors import TutorError
    from tutor.home import Home
    from tutor.messages import Language
    from tutor.session.commands.registry import Argument
    from tutor.session.events import Event
    from tutor.session.protocol import SessionProtocol

BUNDLE = "/root/labs/first-container/alpine-bundle"
CONFIG = """\
{
  "ociVersion": "1.0.0",
  "process": {
    "terminal": false,
    "user": {"uid": 0, "gid": 0},
    "args": ["echo", "alpine"],
    "cwd": "/"
  },
  "root": {"path": "rootfs"},
  "linux": {}
}
"""
OWN = {"mnt": 4026532201, "pid": 4026532203}
HOST = {
    "mnt": 4026531841,
    "pid": 4026531836,
    "net": 4026531840,
    "ipc": 4026531839,
    "uts": 4026531838,
    "user": 4026531837,
    "cgroup": 4026531835,
    "time": 4026531834,
}


def mount(id: int, parent: int, target: str, fstype: str, source: str, *options: str) -> Mount:  # noqa: A002
    return Mount(id, parent, "0:1", "/", target, options or ("rw",), ("private",), fstype, source, ("rw",))


MOUNTS = (
    mount(700, 1, "/", "ext4", "/dev/vda1", "rw", "relatime"),
    mount(701, 700, "/proc", "proc", "proc", "rw", "nosuid", "nodev", "noexec"),
    mount(702, 700, "/dev", "tmpfs", "tmpfs", "rw", "nosuid"),
    mount(703, 702, "/dev/pts", "devpts", "devpts", "rw", "nosuid", "noexec"),
)
WAIT = Wait(
    tid=29017,
    syscall="openat",
    number=257,
    arguments=("AT_FDCWD", '"/run/runt/alpine-test/exec.fifo"', "O_WRONLY|O_CLOEXEC"),
    summary='openat("exec.fifo", O_WRONLY)',
    path="/run/runt/alpine-test/exec.fifo",
    fd=None,
    wchan="wait_for_partner",
    key="observe.wait.openat_exec_fifo",
)
INIT = Process(29017, 1, 29001, "S", "runt", ("runt", "init"), "/usr/bin/python3.11", 1, 0, WAIT)


def snapshot(*, own: bool = True, mounts: tuple[Mount, ...] = MOUNTS, container: bool = True) -> Snapshot:
    host = HostView(1, tuple(Namespace(kind, inode) for kind, inode in HOST.items()), ())  # type: ignore[arg-type]  # the keys are kinds
    if not container:
        return Snapshot(0.0, host, None)
    views = tuple(
        NamespaceView(kind, OWN.get(kind, inode) if own else inode, inode, shared=not own or kind not in OWN)  # type: ignore[arg-type]  # the keys are kinds
        for kind, inode in HOST.items()
    )
    view = ContainerView(
        29017, alive=True, namespaces=views, mounts=mounts, processes=(INIT,), root="/", cwd="/"
    )
    return Snapshot(0.0, host, view)


class ScriptedSession:
    """A session that answers with prepared events. Only for tests of what the screen shows."""

    def __init__(self, course: Course, publish: Callable[[Event], None], home: Home) -> None:
        self._course = course
        self._publish = publish
        self.home = home
        self.lesson: Lesson | None = None
        self.index = 0
        self.passed: frozenset[str] = frozenset()
        self.engine: EngineName = "runt"
        self.snapshot: Snapshot | None = None
        self.config_path = Path(BUNDLE) / "config.json"
        self.state: ContainerState | None = None
        self.config_text = CONFIG
        self.executed: list[str] = []
        self.written: list[str] = []
        self.seen: list[str | None] = []
        self.kept: list[tuple[str, str]] = []
        self.closed = 0
        self.interrupted = threading.Event()
        self.hold = threading.Event()
        """While it is set, commands end at once; a test clears it to keep one running."""
        self.hold.set()
        self.failure: Exception | None = None
        self.unopened: TutorError | None = None
        self.played: list[Path | None] = []
        self.disk_full = False
        self._calls = 0
        self.shells: list[int] = []
        self.looked = self.lines = 0

    @property
    def step(self) -> Step | None:
        return self.lesson.steps[self.index] if self.lesson else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def publish(self, event: Event) -> None:
        if isinstance(event, SnapshotTaken):
            self.snapshot = event.snapshot
        self._publish(event)

    def play_freely(self, bundle: Path | None) -> None:
        self.played.append(bundle)
        messages = Messages.load(self._course.language)
        self._open(free_play_lesson(bundle or self.home.labs, messages))

    def beside(self, publish: Callable[[Event], None]) -> ScriptedSession:
        return ScriptedSession(self._course, publish, self.home)

    def open(self, lesson_id: str) -> None:
        self._open(self._course.lesson(lesson_id))

    def _open(self, lesson: Lesson) -> None:
        if self.unopened is not None:
            raise self.unopened
        self.lesson = lesson
        self.publish(LessonOpened(self.lesson, resumed=False, passed=self.passed))
        self.publish(EngineChanged("runt", "0.1.0"))
        self.publish(ConfigChanged(f"{BUNDLE}/config.json", CONFIG, "opened"))
        self.publish(StateChanged(None, ("create",)))
        empty = snapshot(container=False)
        self.publish(SnapshotTaken(empty))
        self.enter(0)

    def enter(self, index: int) -> None:
        assert self.lesson is not None
        self.index = index
        step = self.lesson.steps[index]
        self.publish(StepEntered(index, step, step.id in self.passed))

    def enter_kind(self, kind: str) -> Step:
        """Go to the first step of a kind."""
        assert self.lesson is not None
        self.enter(next(i for i, step in enumerate(self.lesson.steps) if step.kind == kind))
        assert self.step is not None
        return self.step

    def execute(self, line: str) -> None:
        self.executed.append(line)
        if self.failure is not None:
            raise self.failure
        words = line.split()
        if words[0] in ("next", "back"):
            assert self.lesson is not None
            move = 1 if words[0] == "next" else -1
            self.enter(max(0, min(self.index + move, len(self.lesson.steps) - 1)))
        elif words[0] == "answer":
            assert self.step is not None
            self.publish(QuizAnswered(self.step, words[1], correct=True, feedback=f"({words[1]})"))
            self.pass_step()
        elif words[0] in ("create", "start", "state", "list", "kill", "delete"):
            self.call(words[0])

    def pass_step(self) -> None:
        assert self.step is not None
        self.passed |= {self.step.id}
        self.publish(StepPassed(self.index, self.step, "learner"))

    def call(self, operation: str, printed: str = "", code: int = 0) -> None:
        self._calls += 1
        typed = f"runt {operation} alpine-test"
        call = Call(self._calls, tuple(typed.split()), typed, BUNDLE)
        self.publish(CommandStarted(call))
        if printed:
            self.publish(Output(call, "stderr" if code else "stdout", printed))
        self.hold.wait(10)
        self.publish(CommandFinished(CallResult(call, code, 0.02, printed, "")))
        if operation == "create" and not code:
            self.created()

    def created(self, shot: Snapshot | None = None) -> None:
        self.state = ContainerState("alpine-test", "created", 29017, BUNDLE)
        self.publish(StateChanged(self.state, ("start", "kill")))
        now = shot or snapshot()
        self.publish(SnapshotTaken(now))

    def check(self, *verdicts: Verdict, asked: bool = True) -> None:
        assert self.step is not None
        self.publish(Checked(self.step, verdicts, all(v.passed for v in verdicts), asked))

    def write_config(self, text: str, seen: str | None = None) -> bool:
        if self.disk_full:
            self.publish(Notice("error", "no space"))
            return False
        self.written.append(text)
        self.seen.append(seen)
        self.config_text = text
        self.publish(ConfigChanged(f"{BUNDLE}/config.json", text, "learner"))
        return True

    def keep_edits(self, text: str, before: str) -> Path | None:
        self.kept.append((text, before))
        return Path(f"{BUNDLE}/config.json")

    def change_outside(self, text: str) -> None:
        self.config_text = text
        self.publish(ConfigChanged(f"{BUNDLE}/config.json", text, "outside"))

    def shell_call(self, line: str = "") -> tuple[tuple[str, ...], str, dict[str, str]]:
        return ("/bin/sh", *(("-c", line) if line else ())), "/", {}

    def back_from_shell(self) -> None:
        self.looked += 1

    def open_shell(self, size: tuple[int, int], term: str) -> PtyShell:
        """Start a real shell, outside of a lab."""
        self.shell_size = size
        if self.failure is not None:
            raise self.failure
        pid, master = pty.fork()
        if pid == 0:
            os.environ.update({"TERM": term, "PS1": "lab $ ", "LANG": "C.UTF-8"})
            os.execv("/bin/sh", ["/bin/sh", "-i"])
        self.shells.append(pid)
        return PtyShell(master, pid)

    def line_entered(self) -> None:
        self.lines += 1

    def show_terminals(self, take: Callable[[int], None]) -> None:
        self.take_terminal = take

    def completions(self, argument: Argument, prefix: str) -> tuple[tuple[str, str], ...]:
        values = {"engine": ("runt", "runc", "crun"), "signal": ("TERM", "KILL"), "choice": ("a", "b")}
        return tuple((value, "") for value in values.get(argument.values, ()) if value.startswith(prefix))

    def interrupt(self) -> None:
        self.interrupted.set()
        self.hold.set()

    def leave(self) -> None:
        self.lesson = None

    def close(self) -> None:
        self.closed += 1
        for pid in self.shells:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.shells.clear()


class ScriptedApp(TutorApp):
    """The app with scripted sessions; `script` is the newest of `scripts`, `unopened` the error with which its lesson fails."""

    scripts: tuple[ScriptedSession, ...] = ()
    unopened: TutorError | None = None

    def __init__(
        self, course: Course, engine: EngineName, messages: Messages, lesson_id: str | None, home: Home
    ) -> None:
        super().__init__(course, engine, messages, home, _Ahead(self, lesson_id) if lesson_id else None)

    def make_session(
        self,
        engine: EngineName,  # noqa: ARG002  (the script is what answers)
        publish: Callable[[Event], None],
    ) -> SessionProtocol:
        self.script = ScriptedSession(self._course, publish, self.home)
        self.script.unopened = self.unopened
        self.scripts = (*self.scripts, self.script)
        return self.script


class _Ahead:
    """What opens the first lesson of a scripted app, as `SessionAhead` does that of a real one."""

    def __init__(self, app: ScriptedApp, lesson_id: str) -> None:
        self._app = app
        self._lesson_id = lesson_id
        self._take: Callable[[Event], None] = lambda _event: None

    @cached_property
    def session(self) -> SessionProtocol:
        return self._app.make_session("runt", lambda event: self._take(event))

    def hand_over(self, take: Callable[[Event], None]) -> None:
        self._take = take
        self.session.open(self._lesson_id)


def scripted_app(
    home: Path, language: Language = "ja", lesson_id: str | None = "first-container"
) -> ScriptedApp:
    from tutor.home import Home

    place = Home(home / "labs", home / "state", home / "cache")
    course = Course.load(language)
    # Of another folder, no other course is installed beside it.
    course = replace(course, folder=home, lessons=(course.lesson("first-container"),))
    return ScriptedApp(course, "runt", Messages.load(language), lesson_id, place)


def screen_text(app: App[Any]) -> str:
    """Return the text on the screen, line by line."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def settled(pilot: Pilot[Any], ready: Callable[[], bool]) -> None:
    """Wait until a condition holds; fail after ten seconds with the text on the screen."""
    deadline = time.monotonic() + patience.scaled(10)
    while time.monotonic() < deadline:
        await pilot.pause()
        if ready():
            return
        await asyncio.sleep(0.025)
    raise AssertionError(f"it never came to pass; the screen:\n{screen_text(pilot.app)}")


async def opened(pilot: Pilot[Any]) -> LessonScreen:
    """Wait until the lesson is on the screen."""
    app: Any = pilot.app
    await settled(pilot, lambda: isinstance(app.screen, LessonScreen) and app.screen.view.step is not None)
    await settled(pilot, lambda: not app.screen.bridge.busy and not app.screen.preparing)
    screen: LessonScreen = app.screen
    return screen
