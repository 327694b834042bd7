"""A poller that reads again only what may have changed sees what one that reads everything sees."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.lab import until
from tutor.observe import known_processes, one_process, processes, take_snapshot
from tutor.observe.cgroups import KnownCgroupFiles, OwnCgroup
from tutor.observe.known_processes import KnownProcesses
from tutor.observe.model import CgroupMembership

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tutor.observe.model import Process


class Container:
    """A shell that stands for a container's init, and a poller's memory of it. `sh` runs a command and waits for its end."""

    def __init__(self) -> None:
        self.known = KnownProcesses()
        self._shell = subprocess.Popen(
            ["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def sh(self, line: str) -> None:
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{line}\necho done\n")
        self._shell.stdin.flush()
        assert self._shell.stdout.readline() == "done\n"

    def look(self, known: KnownProcesses) -> tuple[Process, ...]:
        view = take_snapshot(self._shell.pid, known=known).container
        assert view is not None
        return view.processes

    def both(self) -> tuple[tuple[Process, ...], tuple[Process, ...]]:
        """Return what the poller sees, and what there is to see."""
        return self.look(self.known), self.look(KnownProcesses())

    def end(self) -> None:
        os.killpg(self._shell.pid, signal.SIGKILL)  # those that have left it, too
        self._shell.wait()
        for stream in (self._shell.stdin, self._shell.stdout):
            assert stream is not None
            stream.close()


@pytest.fixture
def container() -> Iterator[Container]:
    made = Container()
    yield made
    made.end()


def _sees_the_same(container: Container) -> bool:
    seen, there = container.both()
    return seen == there


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param("sleep 1000 &", id="a process is born"),
        pytest.param("kill $B; wait $B", id="one ends and is waited for"),
        pytest.param("kill -STOP $B", id="one stops"),
        pytest.param("kill $C", id="one with a child ends"),
        pytest.param("sh -c 'sleep 1000 & exit' &", id="a process is left by its parent"),
        pytest.param("printf renamed >/proc/$$/comm", id="a process takes another name"),
    ],
)
def test_what_happens_between_two_looks_is_seen(container: Container, happens: str) -> None:
    container.sh("sleep 1000 & sleep 1000 & B=$!; sh -c 'sleep 1000; :' & C=$!")
    until(lambda: len(container.both()[1]) == 5)
    container.both()
    before = container.both()[0]
    container.sh(happens)
    until(lambda: _sees_the_same(container) and container.both()[0] != before)


def test_processes_that_sleep_are_not_read_again(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    container.sh("sleep 1000 & sleep 1000 &")
    until(lambda: len(container.both()[1]) == 3 and all(p.state == "S" for p in container.both()[0]))
    read: list[int] = []

    def reading(process: Any, *rest: Any) -> Process:
        read.append(process.pid)
        return one(process, *rest)

    one = one_process.read_process
    for module in (processes, known_processes):
        monkeypatch.setattr(module, "read_process", reading)
    before = container.look(container.known)
    assert container.look(container.known) is before
    assert read == []
    container.sh(":")
    container.look(container.known)
    assert len(read) == 1, "the shell"


def test_what_a_cgroup_uses_is_read_now_and_then_and_at_once_when_something_was_done(tmp_path: Path) -> None:
    """Each change is drawn, and memory changes with every program that starts."""
    group = OwnCgroup(CgroupMembership(0, (), "/own"), str(tmp_path / "own"))
    (tmp_path / "own").mkdir()
    file = tmp_path / "own/memory.current"
    file.write_text("1\n")
    known = KnownCgroupFiles()
    assert [each.value for each in known.of(iter([group]), os.getpid())] == ["1"]
    file.write_text("2\n")
    assert [each.value for each in known.of(iter([group]), os.getpid())] == ["1"]
    known.forget()
    assert [each.value for each in known.of(iter([group]), os.getpid())] == ["2"]
