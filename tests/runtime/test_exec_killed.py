"""`kill -9` of either process at every step of `exec`: `delete --force` leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from runtime.exec_steps import EXEC_INIT_STEPS, EXEC_STEPS
from tests.support.runt import REPOSITORY

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


def test_steps_have_names_of_their_own_and_say_what_they_do() -> None:
    steps = [*EXEC_STEPS, *EXEC_INIT_STEPS]
    assert len({step.__name__ for step in steps}) == len(steps)
    assert all(step.__doc__ for step in steps)


@pytest.mark.parametrize(
    ("which", "namespaces"), [("runtime", "shared"), ("runtime", "own"), ("process", "shared")]
)
def test_nothing_is_left_whoever_is_killed(bundle: Bundle, runt: Runt, which: str, namespaces: str) -> None:
    if namespaces == "own":
        bundle.namespaces("pid", "cgroup")
    bundle.process["args"] = ["sleep", "1000"]
    bundle.save()
    done = subprocess.run(
        [
            *(sys.executable, str(REPOSITORY / "tests/support/kill_exec_at_step.py")),
            *(str(runt.root), str(bundle.path), which),
        ],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    count = 2 * len(EXEC_STEPS if which == "runtime" else EXEC_INIT_STEPS)
    assert done.stdout == f"{count} moments\n", done.stderr
