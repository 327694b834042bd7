"""Ctrl-C, a closed terminal and SIGTERM in the middle of a command: what was begun is undone, without a message."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.runt import REPOSITORY, Bundle, Runt, wait_for
from tutor import patience

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


def begin(runt: Runt, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        runt.command(*words),
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def hang(bundle: Bundle, tmp_path: Path, kind: str) -> Path:
    """Add a hook that hangs; return the file that it makes then."""
    here = tmp_path / "here"
    script = f"echo $$ >{here}.new; mv {here}.new {here}; exec sleep 1000"
    bundle.config["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", script]}]}
    bundle.save()
    return here


@pytest.mark.parametrize("signum", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("prestart", ["create"]),
        ("createContainer", ["create"]),
        ("createRuntime", ["run"]),
        ("poststart", ["run", "--detach"]),
    ],
)
def test_a_command_that_is_interrupted_leaves_nothing(
    bundle: Bundle, runt: Runt, tmp_path: Path, kind: str, command: list[str], signum: signal.Signals
) -> None:
    here = hang(bundle.sh("sleep 1000"), tmp_path, kind)
    process = begin(runt, *command, "-b", str(bundle.path), "test")
    wait_for(here.exists)
    process.send_signal(signum)
    said, _ = process.communicate(timeout=patience.scaled(20))
    assert (process.returncode, said) == (128 + signum, "")
    assert runt.ok("list", "-q") == ""


def test_a_signal_that_the_caller_ignores_interrupts_nothing(
    bundle: Bundle, runt: Runt, tmp_path: Path
) -> None:
    here = hang(bundle, tmp_path, "prestart")
    process = subprocess.Popen(
        ["nohup", *runt.command("run", "-b", str(bundle.path), "test")],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(here.exists)
    process.send_signal(signal.SIGHUP)
    os.kill(int(here.read_text()), signal.SIGTERM)
    # It has ended with the hook, not with the signal.
    assert process.wait(timeout=patience.scaled(20)) == 1


def test_the_program_of_the_container_has_no_signal_held_back(bundle: Bundle, runt: Runt) -> None:
    assert runt.run(bundle.sh("grep SigBlk /proc/self/status")).split() == ["SigBlk:", "0000000000000000"]
