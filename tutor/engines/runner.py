"""Run engine commands in a lab: execute the real command line, stream its output, report its end."""

from __future__ import annotations

import errno
import itertools
import os
import select
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tutor import patience
from tutor.engines.answers import means_absent, parse_list, parse_state
from tutor.engines.model import Call, CallResult
from tutor.engines.streams import CHUNK, Limit, StreamReader, nothing_to_read
from tutor.errors import TutorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.engines.engine import Engine
    from tutor.engines.model import ContainerState, Stream
    from tutor.lab.lab import Lab, LabProcess

GRACE = 2.0  # seconds between SIGINT and SIGKILL
# `start` reports its end after the output of a container that ends at once, so that a face shows events in order.
# It stops waiting for a container that goes on running: one found asleep ASLEEP_LOOKS times in a row, LOOK seconds apart.
LOOK, ASLEEP_LOOKS = 0.02, 5
START_PATIENCE = 2.0  # seconds to wait for a container that neither ends nor sleeps
_QUERY_SECONDS = 20.0
_QUERY_BYTES = 8 * 1024 * 1024


class Runner:
    """Runs one engine's commands in one lab.

    The thread that calls `run` calls `on_started` and `on_finished`; the reader's thread calls `on_output` and `on_limited`. Calls
    come in order: all that the command itself printed is delivered before `on_finished`. Callbacks must return quickly.
    """

    def __init__(
        self,
        engine: Engine,
        lab: Lab,
        *,
        on_started: Callable[[Call], None],
        on_output: Callable[[Call, Stream, str], None],
        on_finished: Callable[[CallResult], None],
        on_limited: Callable[[Call, Limit], None] | None = None,
    ) -> None:
        self.engine = engine
        self._lab = lab
        self._on_started = on_started
        self._on_finished = on_finished
        self._reader = StreamReader(on_output, on_limited or (lambda _call, _limit: None))
        self._ids = itertools.count(1)
        self._one_at_a_time = threading.Lock()
        self._current: LabProcess | None = None
        self._killer: threading.Timer | None = None

    def run(self, operation: str, container_id: str = "", *arguments: str, cwd: Path) -> CallResult:
        """Run a command and wait until it ends; a container that it leaves running goes on printing into the same call.

        Raises:
            TutorError: `lab.ended`, `lab.spawn`. A command that fails raises nothing: see its return code and stderr.
        """
        with self._one_at_a_time:
            call = Call(
                next(self._ids),
                self.engine.argv(operation, container_id, arguments),
                self.engine.typed(operation, container_id, arguments),
                str(cwd),
            )
            began = time.perf_counter()
            # A container may print before `spawn` returns.
            with self._reader.held():
                process, streams = self._spawn(call.argv, cwd)
                self._current = process
                self._on_started(call)
            for name, descriptor in streams.items():
                self._reader.add(call, name, descriptor)
            try:
                returncode = process.wait()
            finally:
                self._current = None
                if self._killer:
                    self._killer.cancel()
                seconds = time.perf_counter() - began
                stdout, stderr = self._reader.settle(call)
            if operation == "start":
                self._wait_for_output(container_id)
            result = CallResult(call, returncode, seconds, stdout, stderr)
            self._on_finished(result)
            return result

    def _spawn(self, argv: tuple[str, ...], cwd: Path) -> tuple[LabProcess, dict[Stream, int]]:
        """Start a program with an empty standard input; return it and the read ends of its output pipes."""
        nowhere = nothing_to_read()
        stdout_read, stdout_write = os.pipe()
        stderr_read, stderr_write = os.pipe()
        try:
            process = self._lab.spawn(argv, cwd=cwd, stdin=nowhere, stdout=stdout_write, stderr=stderr_write)
        except BaseException:
            os.close(stdout_read)
            os.close(stderr_read)
            raise
        finally:
            # The program has copies of the write ends; while one is open here, the streams do not end.
            for descriptor in (nowhere, stdout_write, stderr_write):
                os.close(descriptor)
        return process, {"stdout": stdout_read, "stderr": stderr_read}

    def query_state(self, container_id: str) -> ContainerState | None:
        """Query a container's state; None when there is no such container. Calls no callback; safe from any thread.

        Raises:
            TutorError: `engines.query_failed`, `engines.bad_answer`, `lab.ended`, `lab.spawn`.
        """
        returncode, stdout, stderr = self._ask(self.engine.argv("state", container_id))
        if returncode == 0:
            return parse_state(self.engine.name, stdout)
        if means_absent(stderr):
            return None
        raise self._failed("state", stderr)

    def query_list(self) -> tuple[ContainerState, ...]:
        """Query all containers of the lab. Calls no callback; safe from any thread.

        Raises:
            TutorError: `engines.query_failed`, `engines.bad_answer`, `lab.ended`, `lab.spawn`.
        """
        returncode, stdout, stderr = self._ask(self.engine.argv("list", "", ["--format=json"]))
        if returncode != 0:
            raise self._failed("list", stderr)
        return parse_list(self.engine.name, stdout)

    def _wait_for_output(self, container_id: str) -> None:
        if self._reader.drain(2 * LOOK):
            return  # it has ended: no need to query the state
        try:
            state = self.query_state(container_id)
        except TutorError:
            return  # the next query reports it
        deadline, quiet = time.monotonic() + patience.scaled(START_PATIENCE), 0
        while quiet < ASLEEP_LOOKS and time.monotonic() < deadline and not self._reader.drain(LOOK):
            activity = _activity(state.pid) if state else "ended"
            if activity == "ended":
                break
            quiet = quiet + 1 if activity == "asleep" else 0
        self._reader.flush()

    def interrupt(self) -> None:
        """Send SIGINT to the running command, and SIGKILL if it still runs after GRACE seconds; do nothing when none runs.

        Safe from any thread.
        """
        process = self._current
        if process is None:
            return
        process.signal(signal.SIGINT)
        killer = threading.Timer(GRACE, process.signal, (signal.SIGKILL,))
        killer.daemon = True
        self._killer = killer
        killer.start()

    def drain(self, timeout: float) -> bool:
        """Wait until every output stream is closed and all output is delivered; return False after `timeout` seconds."""
        return self._reader.drain(timeout)

    def close(self) -> None:
        """Stop reading. Close the runner before its lab."""
        if self._killer:
            self._killer.cancel()
        self._reader.close()

    def _ask(self, argv: tuple[str, ...]) -> tuple[int, str, str]:
        process, streams = self._spawn(argv, self._lab.workdir)
        try:
            texts = _read_both(streams["stdout"], streams["stderr"])
            return process.wait(patience.scaled(_QUERY_SECONDS)), *texts
        except TimeoutError as error:
            process.signal(signal.SIGKILL)
            raise self._failed(argv[1], os.strerror(errno.ETIMEDOUT)) from error
        finally:
            for descriptor in streams.values():
                os.close(descriptor)

    def _failed(self, operation: str, stderr: str) -> TutorError:
        lines = stderr.strip().splitlines()
        reason = lines[-1] if lines else ""
        return TutorError("engines.query_failed", engine=self.engine.name, operation=operation, reason=reason)


def _activity(pid: int) -> Literal["ended", "asleep", "busy"]:
    """Return what the threads of a process do now; a runnable one counts as busy, whether or not it has a processor, proc(5)."""
    try:
        stats = [(task / "stat").read_text(errors="replace") for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return "ended"
    states = {stat.rpartition(") ")[2][:1] for stat in stats}
    if states <= set("ZX"):
        return "ended"
    return "asleep" if states <= set("STtZ") else "busy"


def _read_both(stdout: int, stderr: int) -> tuple[str, str]:
    """Read two streams until they end.

    Raises:
        TimeoutError: it takes more than _QUERY_SECONDS, or they hold more than _QUERY_BYTES.
    """
    deadline = time.monotonic() + patience.scaled(_QUERY_SECONDS)
    chunks: dict[int, list[bytes]] = {stdout: [], stderr: []}
    poller = select.poll()
    for descriptor in chunks:
        poller.register(descriptor, select.POLLIN)
    still_open, total = len(chunks), 0
    while still_open:
        ready = poller.poll(max(0.0, deadline - time.monotonic()) * 1000)
        for descriptor, _events in ready:
            data = os.read(descriptor, CHUNK)
            chunks[descriptor].append(data)
            total += len(data)
            if not data:
                poller.unregister(descriptor)
                still_open -= 1
        if not ready or total > _QUERY_BYTES:
            raise TimeoutError
    out, err = (b"".join(parts).decode(errors="replace") for parts in chunks.values())
    return out, err
