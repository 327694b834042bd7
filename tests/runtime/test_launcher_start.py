"""The start of `runt`: few modules, from its launcher and from every directory."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from runtime.commands import COMMANDS
from runtime.install import launcher
from tests.support.runt import REPOSITORY
from tutor import patience

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
    assert "runtime.steps.create" in loaded
    assert not loaded & SLOW


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package, to be changed, with a launcher `runt` beside it."""
    shutil.copytree(
        REPOSITORY / "runtime", tmp_path / "runtime", ignore=shutil.ignore_patterns("__pycache__")
    )
    install = [sys.executable, "-m", "runtime.install.launcher", "install-plain", "runt"]
    subprocess.run(install, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def run(copy: Path, *words: str) -> str:
    done = subprocess.run([copy / "runt", *words], capture_output=True, text=True, check=False, cwd="/")
    return done.stdout + done.stderr


def test_the_launcher_loads_what_was_compiled_for_each_command(copy: Path) -> None:
    arguments = {"kill": "x 9", "exec": "x true", "create": "-b /nowhere x", "run": "-b /nowhere x"}
    arguments |= {"restore": "-b /nowhere x", "spec": "-b /nowhere", "list": "", "features": "", "steps": ""}
    lines = (copy / "runt").read_text().splitlines()[:-2]
    # What `command` does before an operation whose processes a container can see.
    lines += ["from runtime.install import protection"]
    lines += ["from runtime.cli import main", "main(sys.argv[1:])", "print()", "print(*sys.modules)"]
    (copy / "runt").write_text("\n".join(lines))
    for command in COMMANDS:
        words = (command.name, *arguments.get(command.name, "x").split())
        lines = run(copy, "--root", f"{copy}/none", *words).splitlines()
        loaded = next(line for line in lines if " runtime.cli " in line).split()
        # Python's own way of importing has found no module of the runtime: each imports this one first.
        assert "__future__" not in loaded, command.name


def test_the_launcher_runs_a_changed_module_at_once(copy: Path) -> None:
    package = copy / "runtime/__init__.py"
    package.write_text(package.read_text().replace('__version__ = "', '__version__ = "changed-'))
    assert run(copy, "--version").startswith("runt version changed-")
    listing = copy / "runtime/operations/listing.py"
    listing.write_text("def query(root):\n    return []\ndef table(states):\n    return 'changed too'\n")
    assert run(copy, "list") == "changed too"


def test_the_launcher_works_without_what_was_compiled(copy: Path) -> None:
    files = list((copy / "runtime/__pycache__").glob("*.code"))
    for number, file in enumerate(files):
        if number % 2:
            file.unlink()
        else:
            file.write_bytes(file.read_bytes()[:-9])
    assert files
    assert run(copy, "--version").startswith("runt version")
    assert run(copy, "--root", str(copy / "none"), "state", "x").endswith('msg="container does not exist"\n')


def test_an_interrupt_at_any_moment_of_the_start_is_no_traceback(copy: Path) -> None:
    for tenths in range(200):
        process = subprocess.Popen(
            [copy / "runt", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        # The signal is to arrive at every moment of the start.
        time.sleep(tenths / 10_000)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=patience.scaled(30))
        assert said == ""
        assert process.returncode in (0, 130, -signal.SIGINT)


def test_a_question_for_help_is_no_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert launcher.run(["install-plain", "--help"]) == 2
    assert capsys.readouterr().out.startswith("usage: python -m runtime.install.launcher install [PATH]")
    assert not list(tmp_path.iterdir())
