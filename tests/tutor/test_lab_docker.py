"""A dockerd of the lab's own: it runs containers, and however the lab ends, nothing of daemon, shims and containers is left."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Traces, home, until_nothing
from tests.support.runt import REPOSITORY
from tutor import patience
from tutor.images.mini import build
from tutor.lab.lab import sweep
from tutor.lab.processes import send_signal, wait_for_end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.root, pytest.mark.peer("dockerd", "docker", "containerd", "runc")]

# The client in a process of its own, so that it can be killed: it has a container of Docker's running, says so, and waits.
# Before, it sees that a program of the lab reaches none of the sockets that the lab hides.
CLIENT = """
import errno
import socket
import sys
from pathlib import Path
from tutor.docker.private import LAB_OPTIONS, PrivateDocker
from tutor.home import Home
from tutor.lab.lab import Lab
root, archive = Path(sys.argv[1]), sys.argv[2]
home = Home(root / "labs", root / "state", root / "cache")
home.state.mkdir(parents=True)
config = root / "daemon.json"
config.write_text("{}")
bus = socket.socket(socket.AF_UNIX)
bus.bind(str(root / "bus"))
bus.listen()
bus_of_lab = f"import socket, sys; sys.exit(socket.socket(socket.AF_UNIX).connect_ex({str(root / 'bus')!r}))"
hides = LAB_OPTIONS._replace(hides=(*LAB_OPTIONS.hides, str(root / "bus"), str(root / "absent")))
with Lab.start(home=home, engine="runt", workdir=home.state, options=hides) as lab:
    process = lab.spawn([sys.executable, "-c", bus_of_lab], cwd=root, stdin=0, stdout=2, stderr=2)
    assert process.wait() == errno.ECONNREFUSED
    socket.socket(socket.AF_UNIX).connect(str(root / "bus"))
    docker = PrivateDocker(lab, config)
    docker.start()
    line = f"docker load --quiet --input {archive} && docker run --detach --network=none --name box mini sleep 1000"
    process = lab.spawn(["sh", "-c", line], cwd=root, stdin=0, stdout=2, stderr=2)
    assert process.wait() == 0
    assert docker.ask("/containers/box/json")["State"]["Status"] == "running"
    print("ready", flush=True)
    sys.stdin.readline()
"""


class Client:
    def __init__(self, tmp_path: Path) -> None:
        self.home = home(tmp_path)
        archive = tmp_path / "mini.tar"
        build(archive)
        self._process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, str(tmp_path), str(archive)],
            cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        if ready != b"ready\n":
            self._process.kill()
            pytest.fail(self._process.communicate()[1].decode())
        self.traces = Traces(self.home.state, tmp_path)
        members = self.traces.note_members()
        assert len(members) == 5, f"keeper, dockerd, containerd, shim and container: {members}"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def go_on(self) -> str:
        """Let the client leave the lab; return what it wrote on stderr."""
        return self._process.communicate(b"\n", timeout=patience.scaled(60))[1].decode()

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(name="client")
def _client(tmp_path: Path) -> Iterator[Client]:
    client = Client(tmp_path)
    yield client
    client.end()


def test_closing_leaves_nothing(client: Client) -> None:
    assert "Error" not in client.go_on()
    assert client.traces.left() == []


def test_a_killed_client_leaves_nothing(client: Client) -> None:
    client.kill()
    until_nothing(client.traces.left)


def test_what_is_left_when_all_are_killed_goes_with_the_next_start(client: Client) -> None:
    owners = (client.traces.keeper, client.traces.guard)
    for owner in owners:
        send_signal(owner, signal.SIGSTOP)
    for owner in owners:
        send_signal(owner, signal.SIGKILL)
    for owner in owners:
        # A lab with an owner that is still about to die is in use.
        assert wait_for_end(owner, 10)
    client.kill()
    assert client.traces.left(), "something must be left to sweep"
    sweep(client.home)
    assert client.traces.left() == []
