"""Descriptors that are passed on: those that the caller preserves to the program, and a pidfd of the program to the caller."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.consoles import console_socket, receive
from tests.support.runt import REPOSITORY, wait_for
from tutor import patience

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

SCRIPT = "echo $LISTEN_FDS $((LISTEN_PID == $$)); cat <&3; cat <&4; for fd in /proc/self/fd/*; do echo ${fd##*/}; done"


def with_descriptors(bundle: Bundle, command: list[str]) -> Path:
    """Run a command with one socket as if from systemd, and two more files; return the file of its output."""
    for name in ("listen", "extra", "secret"):
        (bundle.path / name).write_text(f"{name}\n")
    script = 'exec 3<listen 4<extra 5<secret; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
    output = bundle.path / "output"
    with output.open("w") as file:
        # Where `runtime` is found: from the bundle, in which the files are.
        env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        command = ["sh", "-c", script, "sh", *command]
        subprocess.run(
            command,
            cwd=bundle.path,
            env=env,
            stdout=file,
            stderr=file,
            timeout=patience.scaled(30),
            check=True,
        )
    return output


@pytest.mark.parametrize("command", ["create", "run", "exec"])
def test_the_program_gets_what_systemd_passes_and_what_is_preserved(
    runt: Runt, bundle: Bundle, command: str
) -> None:
    options = ["--preserve-fds", "1"]
    bundle.namespaces("pid")
    if command == "exec":
        bundle.process["args"] = ["sleep", "1000"]
        runt.create(bundle)
        runt.ok("start", "test")
        words = [*options, "test", "sh", "-c", SCRIPT]
    else:
        bundle.sh(SCRIPT).save()
        words = ["-b", str(bundle.path), *options, "test"]
    output = with_descriptors(bundle, runt.command(command, *words))
    if command == "create":
        runt.ok("start", "test")
        runt.wait_until_stopped()
    said = output.read_text()
    assert said.split("\n")[:3] == ["1 1", "listen", "extra"]
    assert said.split("\n")[3:8] == ["0", "1", "2", "3", "4"]
    assert "secret" not in said


@pytest.mark.parametrize("command", ["create", "run", "exec"])
def test_a_pidfd_is_sent_to_the_socket_of_the_caller(
    runt: Runt, bundle: Bundle, tmp_path: Path, command: str
) -> None:
    bundle.namespaces("pid").process["args"] = ["sleep", "1000"]
    with console_socket(tmp_path / "pidfd") as listener:
        words = ["--pidfd-socket", f"{tmp_path}/pidfd"]
        if command == "create":
            runt.create(bundle, "test", *words)
        elif command == "run":
            bundle.save()
            runt.ok("run", "-d", *words, "-b", str(bundle.path), "test", capture_output=False)
        else:
            runt.create(bundle)
            words += ["-d", "--pid-file", f"{tmp_path}/pid", "test", "sleep", "1000"]
            runt.ok("exec", *words, capture_output=False)
        pidfd, text = receive(listener)
    pid = (tmp_path / "pid").read_text() if command == "exec" else str(runt.state()["pid"])
    assert f"\nPid:\t{pid}\n" in Path(f"/proc/self/fdinfo/{pidfd}").read_text()
    assert text == (b"setns" if command == "exec" else b"standard")
    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    os.close(pidfd)
    wait_for(lambda: not Path(f"/proc/{pid}/exe").exists())
