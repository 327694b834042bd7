"""A lesson's container, with the lab that it runs in and the engine that runs it."""

from __future__ import annotations

import itertools
import os
import signal
import tempfile
import time
from contextlib import nullcontext
from typing import IO, TYPE_CHECKING

from tutor import patience
from tutor.course.checks import CommandOutput
from tutor.engines.console import ConsoleSocket
from tutor.engines.engine import find
from tutor.engines.lifecycle import status_of
from tutor.engines.model import Call, CallResult
from tutor.engines.runner import Runner
from tutor.engines.streams import nothing_to_read
from tutor.engines.traits.kept import answers_of, kept
from tutor.engines.traits.table import Table
from tutor.errors import TutorError
from tutor.lab.lab import Lab
from tutor.observe.snapshot import take_snapshot
from tutor.session.device_links import creates, set_aside
from tutor.session.lab_setup import lab_options, start_docker
from tutor.session.terminals import asks_for_terminal, open_shell, wants_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from tutor.course.model import Lesson, Operation
    from tutor.docker.private import PrivateDocker
    from tutor.engines.model import ContainerState, EngineName, Stream
    from tutor.engines.streams import Limit
    from tutor.home import Home
    from tutor.messages import Language
    from tutor.observe import Snapshot
    from tutor.session.terminals import PtyShell
    from tutor.session.workspace import Workspace

_SETTLE_SECONDS = 5.0  # to wait for the state that a command leads to (for an `echo` to end)
_LOOK_EVERY = 0.03
_SCRIPT_SECONDS = 120.0  # for a shell line; one that takes longer is killed
_MOST_READ = 1024 * 1024  # characters of a shell line's output
_SCRIPT_IDS = itertools.count(1_000_000)  # greater than the number of any call of a runner


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read(_MOST_READ)


class Container:
    """A container in a lab with one engine. One thread at a time may call its methods, but for `interrupt`.

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
        language: Language,
    ) -> None:
        """Start the lab; `language` is that of an `oci-tutor` in it.

        Raises:
            TutorError: the engine is missing (`engines.*`), the lab can't be started (`lab.*`), or its dockerd does not start
                (`docker.private`).
        """
        self._workspace, self._home = workspace, home
        self._traits: dict[str, str] = {}  # the answers that were asked for so far
        self._id = lesson.lab.container_id
        self.engine = find(engine)
        # Queries run in a folder that stays, unlike the learner's bundle.
        self.lab = Lab.start(
            home=home,
            engine=engine,
            workdir=home.state,
            options=lab_options(lesson, engine, language)._replace(places=(str(workspace.work),)),
        )
        self.docker: PrivateDocker | None = None
        self.kept: Path | None = None  # the copy of a daemon.json of the learner's that dockerd refused
        if lesson.lab.daemon:
            try:
                self.docker, self.kept = start_docker(lesson, self.lab, workspace.directory)
            except BaseException:
                self.lab.close()
                raise
        self._on_started, self._on_output, self._on_finished = on_started, on_output, on_finished
        self._runner = Runner(
            self.engine,
            self.lab,
            on_started=on_started,
            on_output=on_output,
            on_finished=on_finished,
            on_limited=on_limited,
        )

    def run(
        self, operation: Operation, *arguments: str, take_terminal: Callable[[int], None] | None = None
    ) -> CallResult:
        """Run one operation on the lesson's container, in the bundle, as a person would type it.

        `take_terminal` is given the master of the terminal that `create` makes where `config.json` asks for one, or `exec` with `-t`,
        and owns it. Such an `exec` does not wait for its program: an engine that does takes no socket.
        """
        if not self.lab.alive:
            raise TutorError("session.error.lab_ended")
        of_create = operation == "create" and wants_terminal(self._workspace.config)
        of_exec = operation == "exec" and asks_for_terminal(arguments)
        if take_terminal is not None and (of_create or of_exec):
            detached = ("--detach",) if of_exec else ()
            with ConsoleSocket() as console:
                result = self._run(operation, f"--console-socket={console.path}", *detached, *arguments)
                master = console.take()
            if master is not None:
                take_terminal(master)
            return result
        return self._run(operation, *arguments)

    def _run(self, operation: Operation, *arguments: str) -> CallResult:
        container_id = "" if operation == "list" else self._id
        bundle = self._workspace.bundle
        try:
            with set_aside(bundle, self.lab.detach_devices) if operation == "create" else nullcontext():
                return self._runner.run(operation, container_id, *arguments, cwd=bundle)
        except TutorError as error:
            if error.key == "lab.spawn" and not self._workspace.bundle.is_dir():
                raise TutorError("session.bundle.missing", path=self._workspace.bundle) from error
            raise

    def open_shell(self, size: tuple[int, int], term: str, state: ContainerState | None) -> PtyShell:
        """Start a shell on a pseudoterminal of its own, in the lab's directory; see `terminals.open_shell`."""
        return open_shell(self.lab, self._workspace.directory, self.own_environment(state), size, term)

    def script(self, line: str) -> CallResult:
        """Run a shell line of a solution in the lab's directory, and report it as any other call."""
        call = Call(next(_SCRIPT_IDS), ("/bin/sh", "-c", line), line, str(self._workspace.directory))
        self._on_started(call)
        began = time.perf_counter()
        output = self.ask(line)
        for stream, text in (("stdout", output.stdout), ("stderr", output.stderr)):
            if text:
                self._on_output(call, "stdout" if stream == "stdout" else "stderr", text)
        seconds = time.perf_counter() - began
        result = CallResult(call, output.status, seconds, output.stdout, output.stderr)
        self._on_finished(result)
        return result

    def ask(self, line: str, state: ContainerState | None = None) -> CommandOutput:
        """Run a shell line of a check in the lab's directory, without a report, and return its output.

        Raises:
            TutorError: `lab.ended`, `lab.spawn`.
        """
        with (
            set_aside(self._workspace.bundle, self.lab.detach_devices) if creates(line) else nullcontext(),
            tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stdout,
            tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr,
            os.fdopen(nothing_to_read()) as nowhere,
        ):
            # Files, not pipes: a container that the line leaves running may hold its output open.
            process = self.lab.spawn(
                ("/bin/sh", "-c", line),
                cwd=self._workspace.directory,
                env=self.lab.environment | self.own_environment(state),
                stdin=nowhere.fileno(),
                stdout=stdout.fileno(),
                stderr=stderr.fileno(),
            )
            try:
                status = process.wait(patience.scaled(_SCRIPT_SECONDS))
            except TimeoutError:
                process.signal(signal.SIGKILL)
                status = process.wait()
            return CommandOutput(status, _read(stdout), _read(stderr))

    def trait(self, name: str) -> str:
        """Return the engine's answer to the question of a trait; the first time it is asked, in another lab. Empty: it is not known."""
        if name not in self._traits:
            try:
                self._traits[name] = answers_of(self._home, self.engine, {name}).get(name)
            except TutorError:
                recorded = Table.load().recorded(self.engine.name, self.engine.version)
                self._traits[name] = recorded.answers.get(name, "") if recorded else ""
        return self._traits[name]

    def unrecorded(self, names: Collection[str]) -> dict[str, str]:
        """Return the engine's answers to these traits that are not as recorded for its version, or whose version is not recorded."""
        recorded = Table.load().recorded(self.engine.name, self.engine.version)
        if recorded is None:
            found = {name: self.trait(name) for name in sorted(names)}
        else:
            known = kept(self._home, self.engine)
            found = {name: known.get(name) for name in sorted(names)} if known else {}
        before = recorded.answers if recorded else {}
        return {name: answer for name, answer in found.items() if answer and answer != before.get(name)}

    def own_environment(self, state: ContainerState | None = None) -> dict[str, str]:
        """Return environment variables for shell lines and the learner's shell: engine, bundle, container, pid."""
        own = {
            "OCI_TUTOR_ENGINE": self.engine.name,
            "CONTAINER": self._id,
            "BUNDLE": str(self._workspace.bundle),
        }
        return own | ({"PID": str(state.pid)} if state and state.pid else {})

    def look_at_other(self, container_id: str) -> tuple[ContainerState | None, Snapshot]:
        """Return another container's state, and a snapshot of it, without a report."""
        state = self._runner.query_state(container_id)
        return state, self.look(state)

    def query(self) -> ContainerState | None:
        """Return the container's state, without a report."""
        return self._runner.query_state(self._id)

    def other_ids(self) -> tuple[str, ...]:
        """Return the ids of the other containers in the lab, without a report."""
        return tuple(each.id for each in self._runner.query_list() if each.id != self._id)

    def await_status(self, *wanted: str) -> ContainerState | None:
        """Wait until the status is one of these, at most _SETTLE_SECONDS; return the state then."""
        deadline = time.monotonic() + patience.scaled(_SETTLE_SECONDS)
        while status_of(state := self.query()) not in wanted and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY)
        return state

    def look(self, state: ContainerState | None) -> Snapshot:
        """Take a snapshot of the container, compared with the lab."""
        return take_snapshot(state.pid if state and state.pid else None, reference_pid=self.lab.keeper_pid)

    def interrupt(self) -> None:
        """End the running command; from any thread."""
        self._runner.interrupt()

    def drain(self, seconds: float) -> None:
        """Wait until all output of a container that has ended is delivered, at most `seconds`."""
        self._runner.drain(seconds)

    def close(self) -> None:
        """End the lab and everything in it."""
        self._runner.close()
        self.lab.close()
