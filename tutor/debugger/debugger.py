"""Step through one operation of runt: where it is, where it stops, how it goes on, and what each step did. No user interface in it.

Two processes may be at work. When one stops, the other is held at its next boundary, as a debugger of threads does ("all-stop"). It
is stopped before a step, or after a step that has failed.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Literal

from tutor.debugger.protocol import After, Before, Hello, Table
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.debugger.breakpoints import Breakpoints
    from tutor.debugger.observer import Peer
    from tutor.debugger.protocol import Packet, Role, SystemCall
    from tutor.observe import Snapshot

Way = Literal["step", "next", "finish", "until", "continue"]
"""How to go on; all let the present step run, and stop earlier at a breakpoint or a failure.

- step: stop before the next step, whichever process takes it
- next: stop before the next step of the same process; the other one works meanwhile
- finish: stop before the next step of the other process, that waits for this one
- until: stop before the step that is named
- continue: run to the end
"""
Reason = Literal["step", "breakpoint", "failed"]


@dataclass(frozen=True, slots=True)
class Place:
    """A step of a table, and the process that takes it; `pid` as the host sees it."""

    process: Role
    pid: int
    table: str
    step: str
    position: int


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was taken: how long it took, what it called, why it failed (empty: it did not), and the kernel afterwards."""

    place: Place
    nanoseconds: int
    calls: tuple[SystemCall, ...]
    more: int
    error: str
    snapshot: Snapshot | None


@dataclass(frozen=True, slots=True)
class Stop:
    """Where and why it has stopped; `breakpoint` is the number of the one that was hit, 0 for none."""

    place: Place
    reason: Reason
    breakpoint: int = 0


class Debugger:
    """The debugger of one operation: hand `take` and `gone` to an `Observer`.

    Args of the constructor:
        breakpoints: where to stop.
        look: take a snapshot of a process of the container (None: there is none yet); called while runt waits.
        on_table, on_entered, on_left, on_stopped: called in the observer's thread, in order; they must return quickly.
        way, until: how the operation begins: `step` stops before its first step.
    """

    def __init__(
        self,
        breakpoints: Breakpoints,
        look: Callable[[int | None], Snapshot | None],
        *,
        on_table: Callable[[Table, int], None],
        on_entered: Callable[[Place], None],
        on_left: Callable[[Done], None],
        on_stopped: Callable[[Stop], None],
        way: Way = "continue",
        until: str = "",
    ) -> None:
        self._breakpoints, self._look = breakpoints, look
        self._on_table, self._on_entered = on_table, on_entered
        self._on_left, self._on_stopped = on_left, on_stopped
        self._changed = threading.Condition(threading.RLock())
        self._way, self._until = way, until
        self._from: Role = "runtime"
        self._aborting = False
        self._ended = False
        self._stopped: Stop | None = None
        self._waiting: Peer | None = None  # the process that waits for the answer to `stopped`
        self._held: deque[tuple[Peer, Packet]] = deque()
        self._pid: int | None = None  # of the container's process
        self._taken: list[Done] = []
        self._under_way: dict[Role, Place] = {}

    # What is known; safe from any thread

    @property
    def stopped(self) -> Stop | None:
        """Where it has stopped; None while it runs, and after the end."""
        return self._stopped

    @property
    def ended(self) -> bool:
        """Whether the operation has ended."""
        return self._ended

    @property
    def taken(self) -> tuple[Done, ...]:
        """The steps that were taken, in their order."""
        with self._changed:
            return tuple(self._taken)

    @property
    def under_way(self) -> dict[Role, Place]:
        """The step that each process has come to and not left: one works or waits, or is stopped before it."""
        with self._changed:
            return dict(self._under_way)

    # How it goes on

    def go_on(self, way: Way, until: str = "") -> bool:
        """Let it go on from where it has stopped; return False if it has not. Return at once: see `wait`."""
        with self._changed:
            stop, peer = self._stopped, self._waiting
            if stop is None or peer is None:
                return False
            self._way, self._until, self._from = way, until, stop.place.process
            self._stopped = self._waiting = None
            self._release(peer)
            return True

    def abort(self) -> None:
        """Let the step fail, and every later one that asks; the runtime then undoes what it has made. Without effect after the end."""
        with self._changed:
            self._aborting = True
            peer, self._stopped, self._waiting = self._waiting, None, None
            if peer is not None:
                self._release(peer)

    def end(self) -> None:
        """Note that the operation's command has ended: called by whoever waits for it."""
        with self._changed:
            self._ended = True
            self._stopped = self._waiting = None
            self._held.clear()
            self._under_way.clear()
            self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> Stop | None:
        """Wait until it stops (return where) or has ended (None), at most `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._stopped is not None, timeout)
            return self._stopped

    def _release(self, peer: Peer) -> None:
        peer.answer("abort" if self._aborting else "go")
        while self._held and self._stopped is None:
            self._handle(*self._held.popleft())

    # For the observer

    def take(self, peer: Peer, packet: Packet) -> None:
        """Take a packet; answer it, now or when the process is to go on."""
        with self._changed:
            if self._stopped is not None and not self._aborting and isinstance(packet, Before | After):
                self._held.append((peer, packet))
            else:
                self._handle(peer, packet)

    def gone(self, peer: Peer) -> None:
        """Note that a process has closed its connection: it has executed the program, or ended."""
        with self._changed:
            self._held = deque(each for each in self._held if each[0] is not peer)
            if peer.hello is not None:
                self._under_way.pop(peer.hello.process, None)
            if peer is self._waiting:  # it was killed while it was stopped
                self._stopped = self._waiting = None
                while self._held and self._stopped is None:
                    self._handle(*self._held.popleft())

    def _handle(self, peer: Peer, packet: Packet) -> None:
        match packet:
            case Hello(process=process):
                self._pid = peer.pid if process != "runtime" else self._pid
            case Table():
                self._on_table(packet, peer.pid)
            case Before():
                self._before(peer, packet)
            case After():
                self._after(peer, packet)

    def _before(self, peer: Peer, packet: Before) -> None:
        place = Place(packet.process, peer.pid, packet.table, packet.step, packet.position)
        self._under_way[packet.process] = place
        self._on_entered(place)
        hit = self._breakpoints.hit(place.step)
        if not self._aborting and (hit is not None or self._stops_at(place)):
            stop = Stop(place, "breakpoint" if hit else "step", hit.number if hit else 0)
            self._stop(peer, stop)
        else:
            peer.answer("abort" if self._aborting else "go")

    def _stops_at(self, place: Place) -> bool:
        match self._way:
            case "step":
                return True
            case "next":
                return place.process == self._from
            case "finish":
                return place.process != self._from
            case "until":
                return place.step == self._until
            case "continue":
                return False

    def _after(self, peer: Peer, packet: After) -> None:
        place = Place(packet.process, peer.pid, packet.table, packet.step, packet.position)
        self._under_way.pop(packet.process, None)
        done = Done(place, packet.nanoseconds, packet.calls, packet.more, packet.error, self._look(self._pid))
        self._taken.append(done)
        self._on_left(done)
        if packet.error and not self._aborting:
            self._stop(peer, Stop(place, "failed"))
        else:
            peer.answer("abort" if self._aborting else "go")

    def _stop(self, peer: Peer, stop: Stop) -> None:
        self._stopped, self._waiting = stop, peer
        self._on_stopped(stop)
        self._changed.notify_all()
