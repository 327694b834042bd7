"""Whichever process is killed, and whatever fails, at whichever step: nothing is left, and the id can be used again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.containers import VARIANTS
from tests.faults.experiments import OPERATIONS
from tests.faults.world import MARK, World
from tests.support.runt import REPOSITORY, wait_for
from tutor import patience

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


def inject(variant: str, *operations: str, every: int = 1) -> str:
    """Return the table of the experiments with a container of `variant`; fail with what was found."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.faults", variant, f"--every={every}"),
            *(f"--operation={name}" for name in operations),
        ],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience.scaled(600),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "operation",
    ["start", "delete", *(pytest.param(each, marks=pytest.mark.long) for each in ("create", "exec"))],
)
def test_nothing_is_left_at_any_step(operation: str) -> None:
    table = inject("full", operation)
    rows = re.findall(r"^  (?:before \w+|after the last) .*$", table, re.MULTILINE)
    assert len(rows) == sum(len(one.steps) for one in OPERATIONS if one.name == operation)
    # Every boundary has been tried with an error and with a killed runtime at least.
    assert all(re.search(r" 0 +[0-] +[0-] +0$", row) for row in rows)


@pytest.mark.parametrize(("operation", "every"), [("create", 3), ("exec", 4)])
def test_nothing_is_left_at_some_steps_of_the_long_tables(operation: str, every: int) -> None:
    table = inject("full", operation, every=every)
    assert re.search(r"^[0-9]{2,3} experiments, 0 findings$", table, re.MULTILINE)


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if variant != "full"])
def test_nothing_is_left_of_a_creation_with_other_namespaces(variant: str) -> None:
    # Most steps do the same as in the full container, where each is tried; `python -m tests.faults` tries all of all.
    table = inject(variant, "create", every=5)
    assert re.search(r"^[0-9]{2,3} experiments, 0 findings$", table, re.MULTILINE)


def test_the_experiments_would_see_what_is_left(tmp_path: Path) -> None:
    root, bundle = tmp_path / "state", tmp_path / "bundle"
    root.mkdir()
    bundle.mkdir()
    name = f"left-{os.getpid()}"
    world = World(root, bundle, name, name)
    before = world.look()
    cgroup = Path(f"/sys/fs/cgroup/pids/{name}")
    if not cgroup.parent.is_dir():
        cgroup = Path(f"/sys/fs/cgroup/{name}")
    cgroup.mkdir()
    (root / "state.json").touch()
    (bundle / "file").touch()
    with subprocess.Popen(["sleep", "100"], env={MARK: name}) as process:
        try:
            # The kernel shows the environment a moment after the execution.
            wait_for(lambda: bool(world.processes()))
            left = world.left_since(before, 0)
        finally:
            process.kill()
            cgroup.rmdir()
    assert {line.split(" ")[0] for line in left} == {"cgroup", "file", "process", "state"}
