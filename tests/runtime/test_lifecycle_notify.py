"""NOTIFY_SOCKET: the caller's service manager is told when the container's program is ready (sd_notify(3))."""

from __future__ import annotations

import array
import os
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.runt import REPOSITORY, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket of a service manager, whose address every command gets."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "manager"))
        manager.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", manager.getsockname())
        yield manager


def say(pid: int, text: bytes) -> None:
    """Send what the program of the container, process `pid`, would send to its socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(f"/proc/{pid}/root/run/notify/notify.sock")
        sender.send(text)


def read_barrier(manager: socket.socket) -> None:
    """Read BARRIER, and let the sender go on by closing what came with it."""
    text, ancillary, _flags, _address = manager.recvmsg(100, socket.CMSG_SPACE(4))
    assert text == b"BARRIER=1"
    os.close(array.array("i", ancillary[0][2])[0])


def started(runt: Runt, *words: str) -> subprocess.Popen[bytes]:
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(runt.command(*words), env=env, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("way", ["start", "run", "detached"])
def test_readiness_of_the_program_is_passed_on(
    bundle: Bundle, runt: Runt, manager: socket.socket, tmp_path: Path, way: str
) -> None:
    bundle.config["mounts"].append({"destination": "/run", "type": "tmpfs", "source": "tmpfs"})
    bundle.sh("echo $NOTIFY_SOCKET >/told; exec sleep 1000").save()
    if way == "start":
        runt.create(bundle)
    bundle_option = ("-b", str(bundle.path))
    words = {
        "start": ("start", "test"),
        "run": ("run", *bundle_option, "test"),
        "detached": ("run", "--detach", *bundle_option, "test"),
    }
    with started(runt, *words[way]) as command:
        told = bundle.rootfs / "told"
        wait_for(lambda: told.exists() and told.read_text() == "/run/notify/notify.sock\n")
        pid = runt.state()["pid"]
        # The caller's socket is not within reach.
        assert str(tmp_path) not in Path(f"/proc/{pid}/environ").read_text()
        say(pid, b"STATUS=half")
        say(pid, b"STATUS=whole\nREADY=1\nMAINPID=7")
        assert [manager.recv(100), manager.recv(100)] == [b"READY=1\n", b"MAINPID=%d\n" % pid]
        read_barrier(manager)
        if way == "run":
            runt.ok("kill", "test", "KILL")
        assert command.wait(30) == (137 if way == "run" else 0)
    if way != "run":
        runt.ok("delete", "--force", "test")
    assert list(runt.root.glob("test*")) == []


@pytest.mark.usefixtures("manager")
def test_program_that_ends_without_a_word_ends_the_waiting(bundle: Bundle, runt: Runt) -> None:
    bundle.sh("exit 3").save()
    with started(runt, "run", "-b", str(bundle.path), "test") as command:
        assert command.wait(30) == 3


def test_service_manager_that_is_gone_is_a_warning(
    bundle: Bundle, runt: Runt, manager: socket.socket
) -> None:
    runt.create(bundle.sh("exec sleep 1000"))
    Path(manager.getsockname()).unlink()
    with started(runt, "start", "test") as command:
        pid = runt.state()["pid"]
        wait_for(lambda: Path(f"/proc/{pid}/root/run/notify/notify.sock").exists())
        say(pid, b"READY=1")
        assert command.wait(30) == 0
    assert runt.state()["status"] == "running"
