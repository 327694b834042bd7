"""`kill -9` of `create` between its steps too: `delete --force` leaves nothing behind (`tests.faults` has the steps)."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from runtime.steps.create import INIT_STEPS, RUNTIME_STEPS
from runtime.steps.delete import DELETE_STEPS
from runtime.steps.exec import EXEC_INIT_STEPS, EXEC_STEPS
from runtime.steps.start import START_STEPS
from tests.support.runt import REPOSITORY

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


def test_steps_have_names_of_their_own_and_say_which_clause_they_serve() -> None:
    for steps in (
        [*RUNTIME_STEPS, *INIT_STEPS, *START_STEPS, *DELETE_STEPS],
        [*EXEC_STEPS, *EXEC_INIT_STEPS],
    ):
        assert len({step.__name__ for step in steps}) == len(steps)
        assert all(step.__doc__ for step in steps)


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
