"""The debugger on a real `create` of runt: where it stops, how it goes on, what is left after an abort."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.runt import REPOSITORY, Bundle, Runt
from tutor import patience
from tutor.debugger.breakpoints import Breakpoints
from tutor.debugger.debugger import Debugger, Done, Stop
from tutor.debugger.observer import Observer
from tutor.debugger.protocol import ProtocolError, read
from tutor.observe import take_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.debugger.debugger import Way

pytestmark = pytest.mark.root


class Create:
    """A `create` under a debugger."""

    def __init__(self, tmp_path: Path, *, way: Way = "continue", breaks: tuple[str, ...] = ()) -> None:
        self.bundle = Bundle(tmp_path / "bundle").namespaces("pid", "uts")
        self.bundle.config["hostname"] = "birth"
        self.bundle.save()
        self.runt = Runt(tmp_path / "state")
        self.breakpoints = Breakpoints()
        for each in breaks:
            self.breakpoints.add(each)
        self.said: list[str] = []
        self.debugger = Debugger(
            self.breakpoints,
            take_snapshot,
            on_table=lambda table, _pid: self.said.append(f"table {table.process}"),
            on_entered=lambda place: self.said.append(f"> {place.step}"),
            on_left=lambda done: self.said.append(f"< {done.place.step}"),
            on_stopped=lambda stop: self.said.append(f"stop {stop.place.step}"),
            way=way,
        )
        self.observer = Observer(self.debugger.take, self.debugger.gone)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "runtime", "--root", str(self.runt.root)),
                *("--observe", self.observer.path, "create", "-b", str(self.bundle.path), "test"),
            ],
            cwd=REPOSITORY,
            env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._await_end, daemon=True).start()

    def _await_end(self) -> None:
        self.process.wait()
        self.debugger.end()

    def stop(self) -> Stop:
        found = self.debugger.wait(patience.scaled(10))
        assert found is not None, "".join(self.process.stderr or ())
        return found

    def go(self, way: Way, until: str = "") -> Stop | None:
        assert self.debugger.go_on(way, until)
        return self.debugger.wait(patience.scaled(10))

    def done(self, step: str) -> Done:
        return next(each for each in self.debugger.taken if each.place.step == step)

    def close(self) -> None:
        self.debugger.abort()
        self.observer.close()
        self.process.wait(patience.scaled(10))
        assert self.process.stderr is not None
        self.process.stderr.close()
        self.runt("delete", "--force", "test")
        assert not self.runt.root.exists() or not list(self.runt.root.glob("test*"))


@pytest.fixture
def make(tmp_path: Path) -> Iterator[list[Create]]:
    made: list[Create] = []
    yield made
    for each in made:
        each.close()


def _mounts(done: Done) -> list[str]:
    assert done.snapshot is not None
    assert done.snapshot.container is not None
    return [each.target for each in done.snapshot.container.mounts]


def test_it_stops_at_a_breakpoint_in_init_and_each_step_shows_what_it_did(
    tmp_path: Path, make: list[Create]
) -> None:
    create = Create(tmp_path, breaks=("pivot_root",))
    make.append(create)
    stop = create.stop()
    assert (stop.place.process, stop.place.step, stop.breakpoint) == ("init", "pivot_root", 1)
    assert create.debugger.under_way["init"] == stop.place
    # The pid is the host's, though init is number 1 of its own PID namespace.
    assert "NSpid:\t" + str(stop.place.pid) + "\t1\n" in Path(f"/proc/{stop.place.pid}/status").read_text()
    after = create.go("next")
    assert after is not None
    assert after.place.step == "close_own_descriptors"
    before, there = _mounts(create.done("mask_paths")), _mounts(create.done("pivot_root"))
    assert len(before) > len(there)
    assert "/" in there
    assert "/proc" in there
    assert create.go("continue") is None
    assert create.process.wait(patience.scaled(10)) == 0
    assert '"status": "created"' in create.runt.ok("state", "test")


def test_next_stays_in_a_process_and_finish_comes_to_the_other(tmp_path: Path, make: list[Create]) -> None:
    create = Create(tmp_path, way="step")
    make.append(create)
    assert create.stop().place.step == "compile_filter"
    waiting = create.go("until", "wait_until_mounted")
    assert waiting is not None
    over = create.go("next")
    assert over is not None
    assert over.place.step == "end_placeholder"
    assert "< mount_filesystems" in create.said
    # While it is stopped, init is held at its next boundary.
    assert create.said[-1] == "stop end_placeholder"
    entered = create.go("finish")
    assert entered is not None
    assert entered.place.process == "init"
    out = create.go("finish")
    assert out is not None
    assert out.place.process == "runtime"


@pytest.mark.parametrize("step", ["make_exec_fifo", "journal_init", "mount_filesystems", "pivot_root"])
def test_an_abort_fails_the_operation_and_leaves_nothing(
    tmp_path: Path, make: list[Create], step: str
) -> None:
    mounts = Path("/proc/self/mountinfo").read_text()
    create = Create(tmp_path, breaks=(step,))
    make.append(create)
    pid = create.stop().place.pid
    create.debugger.abort()
    assert create.process.wait(patience.scaled(10)) == 1
    assert create.process.stderr is not None
    assert step in create.process.stderr.read()
    assert not Path(f"/proc/{pid}").exists()
    assert not create.runt.root.exists() or not list(create.runt.root.glob("test*"))
    assert Path("/proc/self/mountinfo").read_text() == mounts


def test_an_observer_that_vanishes_is_an_abort(tmp_path: Path, make: list[Create]) -> None:
    create = Create(tmp_path, breaks=("pivot_root",))
    make.append(create)
    create.stop()
    create.observer.close()
    assert create.process.wait(patience.scaled(10)) == 1


def test_breakpoints_are_numbered_and_a_temporary_one_is_hit_once() -> None:
    breaks = Breakpoints()
    first, second = breaks.add("pivot_root"), breaks.add("set_user", temporary=True)
    assert breaks.add("pivot_root") is first
    assert [breaks.hit("set_user"), breaks.hit("set_user")] == [second, None]
    assert [breaks.hit("pivot_root"), breaks.hit("pivot_root")] == [first, first]
    assert breaks.delete("pivot_root") == (first,)
    assert breaks.add("pivot_root").number == 3


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"[]",
        b'{"type": "hello", "process": "runtime", "version": 2}',
        b'{"type": "before", "process": "keeper", "table": "T", "step": "s", "position": 0}',
        b'{"type": "after", "process": "init", "table": "T", "step": 3, "position": 0}',
        b"[" * 100_000,
    ],
)
def test_a_packet_of_another_form_is_refused(packet: bytes) -> None:
    with pytest.raises(ProtocolError):
        read(packet)
