"""The benchmark runs; its numbers are not checked."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.support.daemons import PATH
from tests.support.runt import REPOSITORY
from tutor import patience


@pytest.mark.root
@pytest.mark.peer("runc", "crun", "busybox")
def test_the_benchmark_compares_all_three_and_leaves_nothing() -> None:
    command = [sys.executable, "-m", "tests.bench", "--hot", "1", "--cold", "1", "--no-docker"]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={"PATH": PATH},
        capture_output=True,
        text=True,
        check=False,
        timeout=patience.scaled(120),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(
        r"^\| \| runt \S+ \| runc \S+ \| crun \S+ \| runt / runc \| runt / crun \|$",
        done.stdout,
        re.MULTILINE,
    )
    # Which steps are the longest, which are shown, depends on what else the machine does.
    assert re.search(r"^\| init \| `\w+` \| [0-9.]+ \|$", done.stdout, re.MULTILINE)
    left = subprocess.run(
        ["pgrep", "-f", "bench-(runt|runc|crun)"], capture_output=True, text=True, check=False
    )
    assert left.stdout == ""
