"""Run engine commands in a lab: each is the real command line, its output streamed, its end reported."""

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

from tutor.engines.answers import means_absent, parse_list, parse_state
from tutor.engines.model import Call, CallResult
from tutor.engines.streams import CHUNK, Limit, StreamReader
from tutor.errors import TutorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.engines.engine import Engine
    from tutor.engines.model import ContainerState, Stream
    from tutor.lab.lab import Lab, LabProcess

GRACE = 2.0  # seconds between SIGINT and SIGKILL
# `start` reports its end after the output of a container that ends at once: a face then shows what happened in its order.
# It waits no longer for one that lives on: one that has slept through ASLEEP_LOOKS looks, LOOK seconds apart.
LOOK, ASLEEP_LOOKS = 0.02, 5
START_PATIENCE = 2.0  # seconds, for a container that neither ends nor sleeps
_QUERY_SECONDS = 20.0
_QUERY_BYTES = 8 * 1024 * 1024


class Runner:
    """Runs one engine's commands in one lab.

    `on_started` and `on_finished` are called by the thread that calls `run`, `on_output` and `on_limited` by the reader's, in
    order: all that a command printed itself is delivered before `on_finished`. They must return quickly.
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
        """Run a command and wait for its own end; a container that it leaves behind goes on printing into the same call.

        Raises:
            TutorError: `lab.ended`, `lab.spawn`. A command that fails is no error: its return code and stderr tell.
        """
        with self._one_at_a_time:
            call = Call(
                next(self._ids),
                self.engine.argv(operation, container_id, arguments),
                self.engine.typed(operation, container_id, arguments),
                str(cwd),
            )
            began = time.perf_counter()
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
        """Start a program with nothing to read; return it and the ends from which its streams are read."""
        nowhere = os.open(os.devnull, os.O_RDONLY)
        stdout_read, stdout_write = os.pipe()
        stderr_read, stderr_write = os.pipe()
        try:
            process = self._lab.spawn(argv, cwd=cwd, stdin=nowhere, stdout=stdout_write, stderr=stderr_write)
        except BaseException:
            os.close(stdout_read)
            os.close(stderr_read)
            raise
        finally:
            # The write ends are the program's now; were they kept here, the streams would never end.
            for descriptor in (nowhere, stdout_write, stderr_write):
                os.close(descriptor)
        return process, {"stdout": stdout_read, "stderr": stderr_read}

    def query_state(self, container_id: str) -> ContainerState | None:
        """Ask for a container's state, unseen by the callbacks; None when there is no such container. From any thread.

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
        """Ask for all containers of the lab, unseen by the callbacks. From any thread.

        Raises:
            TutorError: `engines.query_failed`, `engines.bad_answer`, `lab.ended`, `lab.spawn`.
        """
        returncode, stdout, stderr = self._ask(self.engine.argv("list", "", ["--format=json"]))
        if returncode != 0:
            raise self._failed("list", stderr)
        return parse_list(self.engine.name, stdout)

    def _wait_for_output(self, container_id: str) -> None:
        if self._reader.drain(2 * LOOK):
            return  # it has ended, and no question need be asked
        try:
            state = self.query_state(container_id)
        except TutorError:
            return  # whoever asks next hears of it
        deadline, quiet = time.monotonic() + START_PATIENCE, 0
        while quiet < ASLEEP_LOOKS and time.monotonic() < deadline and not self._reader.drain(LOOK):
            activity = _activity(state.pid) if state else "ended"
            if activity == "ended":
                break
            quiet = quiet + 1 if activity == "asleep" else 0
        self._reader.flush()

    def interrupt(self) -> None:
        """End the running command: SIGINT, and SIGKILL if it still runs after GRACE seconds. From any thread; safe when none runs."""
        process = self._current
        if process is None:
            return
        process.signal(signal.SIGINT)
        killer = threading.Timer(GRACE, process.signal, (signal.SIGKILL,))
        killer.daemon = True
        self._killer = killer
        killer.start()

    def drain(self, timeout: float) -> bool:
        """Wait till no container holds an output stream any more and all output is delivered; False after `timeout` seconds."""
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
            return process.wait(_QUERY_SECONDS), *texts
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
    """Look what a process's threads do now; a runnable one counts as busy though the processor is another's, proc(5)."""
    try:
        stats = [(task / "stat").read_text(errors="replace") for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return "ended"
    states = {stat.rpartition(") ")[2][:1] for stat in stats}
    if states <= set("ZX"):
        return "ended"
    return "asleep" if states <= set("STtZ") else "busy"


def _read_both(stdout: int, stderr: int) -> tuple[str, str]:
    """Read two streams to their ends; TimeoutError when that takes too long or is too much."""
    deadline = time.monotonic() + _QUERY_SECONDS
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
