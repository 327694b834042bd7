"""`exec --tty`: the program's terminal is one of the container's, connected to the caller's or sent to a socket."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.consoles import TERMINAL_MOUNTS, at_a_terminal, console_socket, receive
from tests.support.runt import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


@pytest.fixture
def running(runt: Runt, bundle: Bundle) -> Runt:
    """Start the container "test", which sleeps and has a devpts."""
    bundle.namespaces("pid")
    bundle.config["mounts"] += TERMINAL_MOUNTS
    bundle.process["args"] = ["sleep", "1000"]
    runt.create(bundle)
    runt.ok("start", "test")
    return runt


def test_what_is_typed_and_printed_passes_both_ways(running: Runt) -> None:
    script = "stty size; tty; echo to the tty > /dev/tty; read line; echo got $line; exit 3"
    with at_a_terminal(running.command("exec", "-t", "test", "sh", "-c", script)) as (terminal, process):
        before = terminal.settings()
        terminal.wait_for("to the tty")
        wait_for(lambda: terminal.settings() != before)
        terminal.type("something\n")
        terminal.wait_for("got something")
        assert process.wait(10) == 3
        assert terminal.settings() == before
        assert terminal.seen.decode().splitlines()[:2] == ["30 100", "/dev/pts/0"]


def test_keys_and_a_change_of_size_are_the_programs(running: Runt) -> None:
    script = "trap 'stty size' WINCH; trap 'echo int; exit 5' INT; echo ready; while :; do sleep 0.05; done"
    with at_a_terminal(running.command("exec", "-t", "test", "sh", "-c", script)) as (terminal, process):
        terminal.wait_for("ready")
        terminal.resize(40, 120)
        process.send_signal(signal.SIGWINCH)
        terminal.wait_for("40 120")
        terminal.type("\x03")
        terminal.wait_for("int")
        assert process.wait(10) == 5


def test_a_console_socket_gets_the_master(running: Runt, tmp_path: Path) -> None:
    file = tmp_path / "process.json"
    script = "stty size; id -u; stat -c %u $(tty); read line; echo got $line"
    size = {"height": 17, "width": 71}
    process = {"terminal": True, "consoleSize": size, "user": {"uid": 5, "gid": 5}, "cwd": "/"}
    file.write_text(json.dumps({**process, "env": ["PATH=/bin"], "args": ["sh", "-c", script]}))
    with console_socket(tmp_path / "console") as listener:
        words = ["exec", "-d", "--console-socket", f"{tmp_path}/console", "--pid-file", f"{tmp_path}/pid"]
        running.ok(*words, "--process", str(file), "test")
        master, name = receive(listener)
    assert name
    assert (tmp_path / "pid").read_text().isdigit()
    seen = b""
    while seen.count(b"\n") < 3:
        seen += os.read(master, 4096)
    os.write(master, b"hello\n")
    with contextlib.suppress(OSError):
        while data := os.read(master, 4096):
            seen += data
    os.close(master)
    assert seen.decode().split()[:4] == ["17", "71", "5", "5"]
    assert b"got hello" in seen


@pytest.mark.parametrize("fake", ["ln -s /proc/self/mem ptmx", "touch ptmx", "mknod ptmx c 5 2"])
def test_a_multiplexer_that_the_container_has_replaced_is_refused(
    runt: Runt, bundle: Bundle, fake: str
) -> None:
    """CVE-2025-52565 and similar ones: a terminal of anything but a devpts is an error."""
    bundle.namespaces("pid").sh("sleep 1000")
    bundle.config["mounts"] += TERMINAL_MOUNTS[:1]
    runt.create(bundle)
    runt.ok("start", "test")
    runt.ok(
        "exec", "--cap", "CAP_MKNOD", "test", "sh", "-c", f"mkdir -p /dev/pts; cd /dev/pts; busybox {fake}"
    )
    done = runt("exec", "-t", "test", "true")
    assert done.returncode == 255
    assert "terminal" in done.stderr
    assert "Traceback" not in done.stderr
