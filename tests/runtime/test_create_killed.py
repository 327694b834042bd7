"""`kill -9` of either process at every step of `create`: `delete --force` leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from runtime.steps import INIT_STEPS, RUNTIME_STEPS
from tests.support.runt import REPOSITORY

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


def test_steps_have_names_of_their_own_and_say_which_clause_they_serve() -> None:
    steps = [*RUNTIME_STEPS, *INIT_STEPS]
    assert len({step.__name__ for step in steps}) == len(steps)
    assert all(step.__doc__ for step in steps)


@pytest.mark.parametrize("namespaces", ["none", "own"])
@pytest.mark.parametrize("which", ["runtime", "init"])
def test_nothing_is_left_whoever_is_killed(bundle: Bundle, runt: Runt, which: str, namespaces: str) -> None:
    if namespaces == "none":
        bundle.linux.clear()
    else:
        bundle.namespaces("pid", "network")
    bundle.save()
    done = subprocess.run(
        [
            *("unshare", "--mount", "--propagation", "private"),
            *(sys.executable, str(REPOSITORY / "tests/support/kill_at_step.py")),
            *(str(runt.root), str(bundle.path), which),
        ],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    count = 2 * len(RUNTIME_STEPS if which == "runtime" else INIT_STEPS)
    assert done.stdout == f"{count} moments\n", done.stderr


def test_nothing_is_left_when_create_is_killed_at_any_other_moment(bundle: Bundle, runt: Runt) -> None:
    bundle.namespaces("pid", "network", "ipc", "uts").save()
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    for delay in range(20):
        with subprocess.Popen(
            runt.command("create", "-b", str(bundle.path), f"any-{os.getpid()}"),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            # Any moment will do: this spreads them over the time that a creation takes.
            time.sleep(0.02 + delay * 0.008)
            process.send_signal(signal.SIGKILL)
        listed = runt.ok("list", "-q").split()
        for container_id in listed:
            assert runt.state(container_id)["status"] in ("created", "stopped")
        runt.ok("delete", "--force", f"any-{os.getpid()}")
        assert runt.ok("list", "-q") == ""
    left = subprocess.run(
        ["find", "/sys/fs/cgroup", "-name", f"any-{os.getpid()}*"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert left.stdout == ""
