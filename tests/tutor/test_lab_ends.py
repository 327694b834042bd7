"""However a lab ends, nothing of it is left: no process, mount, cgroup, state or journal."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Traces, bundle, home, until, until_nothing
from tutor import patience
from tutor.engines.engine import find
from tutor.engines.runner import Runner
from tutor.lab.journal import Journal
from tutor.lab.lab import Lab, sweep
from tutor.lab.processes import Identity, boot_id, identity, is_alive, pid_namespace, send_signal

if TYPE_CHECKING:
    from types import FrameType

pytestmark = pytest.mark.root

ENGINES = [
    "runt",
    pytest.param("runc", marks=pytest.mark.peer("runc")),
    pytest.param("crun", marks=pytest.mark.peer("crun")),
]
STATES = ["created", "running"]

# The client in a process of its own, so that it can be killed: it brings a container to a state, says so, and waits.
CLIENT = """
import os, sys, time
from pathlib import Path
from tutor.home import Home
from tutor.engines.engine import find
from tutor.engines.runner import Runner
from tutor.lab.lab import Lab
root, engine, bundle, state, ending = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4], sys.argv[5]
home = Home(root / "labs", root / "state", root / "cache")
nothing = lambda *_: None
with Lab.start(home=home, engine=engine, workdir=bundle) as lab:
    runner = Runner(find(engine), lab, on_started=nothing, on_output=nothing, on_finished=nothing)
    created = runner.run("create", "box", cwd=bundle)
    assert created.returncode == 0, created
    if state == "running":
        started = runner.run("start", "box", cwd=bundle)
        assert started.returncode == 0, started
    master, slave = os.openpty()  # the terminal beside the text, with a program that ignores a hangup
    lab.shell_on(slave, bundle, {})
    os.write(master, b"trap '' HUP; echo u''p; sleep 1000\\n")
    said = b""
    while b"up\\r" not in said:
        said += os.read(master, 4096)
    print("ready", flush=True)
    sys.stdin.readline()
    if ending == "exception":
        raise RuntimeError("a defect in a face")
    runner.close()
"""


class Client:
    def __init__(self, tmp_path: Path, engine: str, state: str, ending: str) -> None:
        self.home = home(tmp_path)
        path = bundle(tmp_path, ["sleep", "1000"])
        self._process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, str(tmp_path), engine, str(path), state, ending],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        if ready != b"ready\n":
            self._process.kill()
            pytest.fail(self._process.communicate()[1].decode())
        self.traces = Traces(self.home.state, tmp_path)
        members = self.traces.note_members()
        assert len(members) >= 3, f"keeper, container, shell: {members}"
        assert self.traces.left(), "the search finds nothing even while the lab exists"

    def kill(self, number: int) -> None:
        self._process.send_signal(number)
        self._process.wait()

    def go_on(self) -> str:
        """Let the client leave the lab; return what it wrote on stderr."""
        _stdout, stderr = self._process.communicate(b"\n", timeout=patience.scaled(60))
        return stderr.decode()

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


Start = Callable[..., Client]


@pytest.fixture(name="start")
def _start(tmp_path: Path) -> Iterator[Start]:
    with contextlib.ExitStack() as stack:

        def start(engine: str, state: str, ending: str = "") -> Client:
            client = Client(tmp_path, engine, state, ending)
            stack.callback(client.end)
            return client

        yield start


def kill(process: Identity, number: int = signal.SIGKILL) -> None:
    assert send_signal(process, number)
    until(lambda: not is_alive(process))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("engine", ENGINES)
def test_closing_leaves_nothing(start: Start, engine: str, state: str) -> None:
    client = start(engine, state)
    assert client.go_on() == ""
    assert client.traces.left() == []


def test_an_exception_leaves_nothing(start: Start) -> None:
    client = start("runt", "running", "exception")
    assert "a defect in a face" in client.go_on()
    assert client.traces.left() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_client_that_gets_sigterm_leaves_nothing(start: Start, number: int) -> None:
    client = start("runt", "running")
    client.kill(number)
    until_nothing(client.traces.left)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_client_leaves_nothing(start: Start, engine: str, state: str) -> None:
    client = start(engine, state)
    client.kill(signal.SIGKILL)
    until_nothing(client.traces.left)


def until_only_the_client_is_left(client: Client) -> None:
    until_nothing(lambda: [trace for trace in client.traces.left() if str(client.traces.client) not in trace])
    assert client.go_on() == ""  # it can still close the lab, and hears of no error
    assert client.traces.left() == []


def test_a_keeper_that_gets_sigterm_leaves_nothing(start: Start) -> None:
    client = start("runt", "running")
    kill(client.traces.keeper, signal.SIGTERM)
    until_only_the_client_is_left(client)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_keeper_leaves_nothing(start: Start, engine: str, state: str) -> None:
    client = start(engine, state)
    kill(client.traces.keeper)
    until_only_the_client_is_left(client)


@pytest.mark.parametrize("engine", ENGINES)
def test_without_its_guard_a_lab_still_works_and_closes(start: Start, engine: str) -> None:
    client = start(engine, "running")
    kill(client.traces.guard)
    assert is_alive(client.traces.keeper)
    assert client.go_on() == ""
    assert client.traces.left() == []


@pytest.mark.parametrize("engine", ENGINES)
def test_without_guard_and_client_the_keeper_cleans_up(start: Start, engine: str) -> None:
    client = start(engine, "running")
    kill(client.traces.guard)
    client.kill(signal.SIGKILL)
    until_nothing(client.traces.left)


@pytest.mark.parametrize("engine", ENGINES)
def test_without_guard_and_keeper_the_client_cleans_up(start: Start, engine: str) -> None:
    client = start(engine, "running")
    kill(client.traces.guard)
    kill(client.traces.keeper)
    assert client.go_on() == ""
    assert client.traces.left() == []


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("engine", ENGINES)
def test_the_next_start_cleans_up_when_all_three_processes_are_killed(
    start: Start, engine: str, state: str
) -> None:
    client = start(engine, state)
    # Stopped first, so that none of them can clean up after another.
    owners = (client.traces.guard, client.traces.keeper, client.traces.client)
    for owner in owners:
        send_signal(owner, signal.SIGSTOP)
    for owner in owners[:2]:
        kill(owner)
    client.kill(signal.SIGKILL)
    assert client.traces.left(), "something must be left to sweep"
    sweep(client.home)
    assert client.traces.left() == []


def test_a_sweep_leaves_a_lab_in_use_alone(start: Start) -> None:
    client = start("runt", "running")
    before = client.traces.left()
    sweep(client.home)
    assert client.traces.left() == before
    assert client.go_on() == ""


def test_a_sweep_kills_no_process_that_has_a_pid_of_the_journal_by_chance(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "1000"]) as innocent:
        process = identity(innocent.pid)
        assert process is not None
        folder = home(tmp_path).state / "labs"
        folder.mkdir(parents=True)
        name = "oci-tutor-0123456789ab"
        dead = Identity(2**22 + 1, 1)
        reused = Identity(process.pid, process.start - 1)
        Journal(str(folder / f"{name}.json"), name, boot_id(), pid_namespace(), [dead], [reused], []).write()
        sweep(home(tmp_path))
        assert is_alive(process)
        assert list(folder.iterdir()) == []
        innocent.kill()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"name": "oci-tutor-1"}',
        '{"name":"x","boot":"","owners":[],"strays":[],"cgroups":["/sys"]}',
    ],
)
def test_a_sweep_drops_a_journal_that_a_crash_truncated(tmp_path: Path, text: str) -> None:
    folder = home(tmp_path).state / "labs"
    folder.mkdir(parents=True)
    (folder / "oci-tutor-0123456789ab.json").write_text(text)
    sweep(home(tmp_path))
    assert list(folder.iterdir()) == []


def test_two_labs_do_not_disturb_each_other(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    path = bundle(one, ["sleep", "1000"])
    second = bundle(other, ["sleep", "1000"])
    said: list[str] = []
    with Lab.start(home=home(other), engine="runt", workdir=second) as staying:
        runner = _runner(staying, said)
        assert runner.run("create", "box", cwd=second).returncode == 0
        assert runner.run("start", "box", cwd=second).returncode == 0
        with Lab.start(home=home(one), engine="runt", workdir=path) as passing:
            guest = _runner(passing, said)
            assert guest.query_list() == ()
            assert guest.run("create", "box", cwd=path).returncode == 0
            guest.close()
        state = runner.query_state("box")
        assert state is not None
        assert state.status == "running"
        runner.close()


def test_a_close_that_is_interrupted_leaves_no_timer_to_wait_for(tmp_path: Path) -> None:
    class InterruptedByTestError(Exception):
        """What the handler of a second signal raises."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        guard.send_signal(signal.SIGCONT)
        raise InterruptedByTestError

    before = signal.signal(signal.SIGALRM, interrupt)
    lab = Lab.start(home=home(tmp_path), engine="runt", workdir=tmp_path)
    guard = lab._guard
    try:
        guard.send_signal(signal.SIGSTOP)  # it will not answer before the signal
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(InterruptedByTestError):
            lab.close()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert guard.returncode == 0
    # The interpreter waits at its end for every thread that is not a daemon.
    until(lambda: not any(isinstance(thread, threading.Timer) for thread in threading.enumerate()))


def _runner(lab: Lab, said: list[str]) -> Runner:
    return Runner(
        find("runt"),
        lab,
        on_started=lambda call: said.append(call.typed),
        on_output=lambda _call, _stream, text: said.append(text),
        on_finished=lambda result: said.append(result.stderr),
    )
