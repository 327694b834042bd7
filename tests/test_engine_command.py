"""`script/test --engine`: its errors before it runs anything."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "script/test"


def _run(tmp_path: Path, language: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", SCRIPT, "--engine", *words],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": language},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [(), ("",), ("/usr/sbin/runc", "tests/tutor")])
@pytest.mark.parametrize(("language", "says"), [("ja_JP.UTF-8", "使い方"), ("en_US.UTF-8", "usage")])
def test_it_takes_one_path(tmp_path: Path, words: tuple[str, ...], language: str, says: str) -> None:
    done = _run(tmp_path, language, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{says}: script/test --engine PATH\n")


@pytest.mark.parametrize("name", ["missing", "a directory", "-data"])
def test_what_cannot_be_run_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "a directory").mkdir()
    (tmp_path / "-data").write_text("runc version 1.5.1\n")
    done = _run(tmp_path, "en_US.UTF-8", f"{tmp_path}/{name}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{tmp_path}/{name} is not a program that can be run.")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("version", ["echo youki version 0.5", "echo crunch version 1", "exit 1", "cat"])
def test_a_program_that_is_neither_runc_nor_crun_is_refused(tmp_path: Path, version: str) -> None:
    program = tmp_path / "runc"
    program.write_text(f"#!/bin/sh\n{version}\n")
    program.chmod(0o755)
    done = _run(tmp_path, "en_US.UTF-8", str(program))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{program} is neither runc nor crun")
    assert len(done.stderr.splitlines()) == 1
