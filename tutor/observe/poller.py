"""Polls the kernel in a thread of its own and publishes what changed."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Self

from tutor.lazy_dataclass import dataclass, field
from tutor.observe.cgroups import KnownCgroupFiles
from tutor.observe.difference import diff
from tutor.observe.known_processes import KnownProcesses
from tutor.observe.processes import Strangers
from tutor.observe.snapshot import take_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tutor.observe.model import Snapshot

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Target:
    """The process that is watched; a new object for each `watch`, so that a snapshot of the old one is known to be stale."""

    pid: int | None
    start_time: int | None
    reference_pid: int | None
    strangers: Strangers = field(default_factory=Strangers)
    known: KnownProcesses = field(default_factory=KnownProcesses)
    files: KnownCgroupFiles = field(default_factory=KnownCgroupFiles)


class Poller:
    """Publishes a snapshot whenever something changed (`diff`); a context manager.

    - `publish` is called in the poller's thread: with the first snapshot, later only with one that differs.
    - An error in `publish` is logged, and the same change is published again with the next snapshot.
    - The thread starts with the first `watch` and ends with `stop`.
    """

    def __init__(self, publish: Callable[[Snapshot], None], interval: float = 0.25) -> None:
        self._publish = publish
        self._interval = interval
        self._wake = threading.Condition()
        self._target = _Target(None, None, None)
        self._look_now = False
        self._paused = False
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._published: Snapshot | None = None
        self._last_failure = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def published(self) -> Snapshot | None:
        """The snapshot that was published last, None before the first."""
        return self._published

    def watch(self, pid: int | None, start_time: int | None = None, reference_pid: int | None = None) -> None:
        """Watch this process from now on, beginning at once; the arguments are those of `take_snapshot`.

        Raises:
            RuntimeError: the poller was stopped.
        """
        with self._wake:
            if self._stopped:
                raise RuntimeError("the poller was stopped")
            self._target = _Target(pid, start_time, reference_pid)
            self._look_now = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="observe-poller", daemon=True)
                self._thread.start()
            self._wake.notify()

    def poke(self) -> None:
        """Take a snapshot now, also while paused: after an operation, so that its effect is shown without delay."""
        with self._wake:
            self._look_now = True
            self._wake.notify()

    def pause(self) -> None:
        """Take no more snapshots until `resume`."""
        with self._wake:
            self._paused = True

    def resume(self) -> None:
        """Take snapshots again, beginning at once."""
        with self._wake:
            self._paused = False
            self._look_now = True
            self._wake.notify()

    def stop(self) -> None:
        """End the thread and wait for it; called from within `publish`, it does not wait (that would never end)."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while (target := self._next_target()) is not None:
            try:
                self._look(target)
                self._last_failure = ""
            except Exception as error:
                failure = repr(error)
                if failure != self._last_failure:
                    log.exception("the poller goes on after an error")
                self._last_failure = failure

    def _next_target(self) -> _Target | None:
        def called() -> bool:
            return self._look_now or self._stopped

        with self._wake:
            self._wake.wait_for(called, self._interval)
            if self._paused:
                self._wake.wait_for(called)
            if self._look_now:
                self._target.files.forget()
            self._look_now = False
            return None if self._stopped else self._target

    def _look(self, target: _Target) -> None:
        snapshot = take_snapshot(
            target.pid,
            start_time=target.start_time,
            reference_pid=target.reference_pid,
            strangers=target.strangers,
            known=target.known,
            files=target.files,
        )
        with self._wake:
            stale = self._stopped or target is not self._target
        if stale or (self._published is not None and not diff(self._published, snapshot)):
            return
        self._publish(snapshot)
        self._published = snapshot
