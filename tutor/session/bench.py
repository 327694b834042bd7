"""Where a lesson's container is worked on: the lab, the engine in it and the one container that the lesson is about."""

from __future__ import annotations

import itertools
import os
import time
from typing import TYPE_CHECKING

from tutor.course.model import EditConfig, RunOperation
from tutor.engines.engine import find
from tutor.engines.model import Call, CallResult
from tutor.engines.runner import Runner
from tutor.errors import TutorError
from tutor.lab.lab import Lab
from tutor.observe.snapshot import take_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.course.model import Lesson, Operation
    from tutor.engines.model import ContainerState, EngineName, Stream
    from tutor.engines.streams import Limit
    from tutor.home import Home
    from tutor.observe import Snapshot
    from tutor.session.workspace import Workspace

_SETTLE_SECONDS = 5.0  # for a container to reach the state that a command leads to (an `echo` to end)
_LOOK_EVERY = 0.03
_CAN: dict[str, tuple[str, ...]] = {
    "none": ("create",),
    "creating": (),
    "created": ("start", "kill"),
    "running": ("kill",),
    "paused": ("kill",),
    "stopped": ("delete",),
}
_SCRIPT_IDS = itertools.count(1_000_000)  # beyond any number that a runner gives to its calls


def status_of(state: ContainerState | None) -> str:
    """Return the status, `none` when there is no container."""
    return state.status if state else "none"


def allowed(state: ContainerState | None) -> tuple[str, ...]:
    """Return the operations that the specification allows in this state (runtime.md, Operations)."""
    return _CAN[status_of(state)]


class Bench:
    """A lab with one engine. All but `interrupt` are called by one thread at a time.

    The callbacks are those of `Runner`.
    """

    def __init__(
        self,
        lesson: Lesson,
        engine: EngineName,
        workspace: Workspace,
        home: Home,
        *,
        on_started: Callable[[Call], None],
        on_output: Callable[[Call, Stream, str], None],
        on_finished: Callable[[CallResult], None],
        on_limited: Callable[[Call, Limit], None],
    ) -> None:
        """Lay the lab.

        Raises:
            TutorError: the engine is missing (`engines.*`) or the lab can't be laid (`lab.*`).
        """
        self._lesson = lesson
        self._workspace = workspace
        self._id = lesson.lab.container_id
        self.engine = find(engine)
        # Queries run in a folder that nobody removes under our feet, unlike the learner's bundle.
        self.lab = Lab.start(home=home, engine=engine, workdir=home.state)
        self._on_started, self._on_output, self._on_finished = on_started, on_output, on_finished
        self._runner = Runner(
            self.engine,
            self.lab,
            on_started=on_started,
            on_output=on_output,
            on_finished=on_finished,
            on_limited=on_limited,
        )

    def run(self, operation: Operation, *arguments: str) -> CallResult:
        """Run one operation on the lesson's container, in the bundle, as a person would type it."""
        if not self.lab.alive:
            raise TutorError("session.error.lab_ended")
        container_id = "" if operation == "list" else self._id
        try:
            return self._runner.run(operation, container_id, *arguments, cwd=self._workspace.bundle)
        except TutorError as error:
            if error.key == "lab.spawn" and not self._workspace.bundle.is_dir():
                raise TutorError("session.bundle.missing", path=self._workspace.bundle) from error
            raise

    def script(self, line: str) -> CallResult:
        """Run a shell command line in the lab, in the lesson's directory: a shell step's solution."""
        call = Call(next(_SCRIPT_IDS), ("/bin/sh", "-c", line), line, str(self._workspace.directory))
        nowhere = os.open(os.devnull, os.O_RDONLY)
        reading, writing = os.pipe()
        began = time.perf_counter()
        try:
            process = self.lab.spawn(
                call.argv, cwd=self._workspace.directory, stdin=nowhere, stdout=writing, stderr=writing
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(nowhere)
            os.close(writing)
        self._on_started(call)
        with os.fdopen(reading, encoding="utf-8", errors="replace") as output:
            text = output.read()
        if text:
            self._on_output(call, "stdout", text)
        result = CallResult(call, process.wait(), time.perf_counter() - began, text, "")
        self._on_finished(result)
        return result

    def query(self) -> ContainerState | None:
        """Return the container's state, quietly."""
        return self._runner.query_state(self._id)

    def await_status(self, *wanted: str) -> ContainerState | None:
        """Return the state once it is one of these, or as it is when that takes too long."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while status_of(state := self.query()) not in wanted and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY)
        return state

    def look(self, state: ContainerState | None) -> Snapshot:
        """Return what the kernel says at this moment, measured against the lab."""
        return take_snapshot(state.pid if state and state.pid else None, reference_pid=self.lab.keeper_pid)

    def bring_to(self, index: int) -> ContainerState | None:
        """Bring the container to the state in which a step begins, by the solutions of the steps before it.

        `config.json` is written as these steps have it; the caller keeps the learner's.

        Raises:
            TutorError: `session.error.replay`, it can't be brought there.
        """
        steps = self._lesson.steps
        if self.query() is not None:
            self._clear_away()
        first = next(each for each in range(index, -1, -1) if steps[each].requires == "none")
        if first < index:
            self._workspace.write(self._workspace.begins_with(first))
        for number in range(first, index):
            match steps[number].action:
                case EditConfig(file="config.json", solution=solution):
                    self._workspace.write(solution)
                case (
                    RunOperation(
                        operation="create" | "start" | "kill" | "delete" as operation, fails=False
                    ) as action
                ):
                    self.run(operation, *action.arguments)
                    self.await_status(steps[number + 1].requires)
        wanted = steps[index].requires
        state = self.await_status(wanted)
        if status_of(state) != wanted:
            raise TutorError(
                "session.error.replay", wanted=wanted, found=status_of(state), engine=self.engine.name
            )
        return state

    def _clear_away(self) -> None:
        result = self.run("delete", "--force")
        if status_of(self.await_status("none")) != "none":
            reason = result.stderr.strip().splitlines()[-1:] or ["?"]
            raise TutorError("session.error.clear_away", engine=self.engine.name, reason=reason[0])

    def interrupt(self) -> None:
        """End the running command; from any thread."""
        self._runner.interrupt()

    def drain(self, seconds: float) -> None:
        """Wait till the container that has ended is heard to its last word."""
        self._runner.drain(seconds)

    def close(self) -> None:
        """End the lab and everything in it."""
        self._runner.close()
        self.lab.close()
