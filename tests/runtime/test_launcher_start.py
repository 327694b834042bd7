"""How `runt` starts: with few modules, from its launcher and from everywhere else."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.runt import Bundle

SLOW = frozenset(
    [
        "argparse",
        "collections",
        "contextlib",
        "ctypes",
        "dataclasses",
        "enum",
        "functools",
        "json",
        "pathlib",
        "re",
        "signal",
        "socket",
    ]
)
"""Each of these takes a millisecond or more to import."""


@pytest.mark.root
def test_a_whole_run_imports_nothing_slow(bundle: Bundle, tmp_path: Path) -> None:
    bundle.save()
    code = "import sys; from runtime.cli import main; main(sys.argv[1:]); print(*sys.modules)"
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            code,
            "--root",
            tmp_path / "state",
            "run",
            "-b",
            bundle.path,
            "few-modules",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "runtime.steps" in loaded
    assert not loaded & SLOW
