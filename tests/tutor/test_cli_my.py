"""`oci-tutor my`: the learner's own runtime at the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.own_runtime import model_file
from tutor import patience
from tutor.own_steps.exercises import EXERCISES

TUTOR = str(Path(sys.executable).parent / "oci-tutor")
RIGHT = """

def set_hostname(c):
    for name, call in (("hostname", sethostname), ("domainname", setdomainname)):
        if name in c.config:
            if c.namespace("uts") is None:
                raise ContainerError("no uts namespace")
            call(c.config[name])
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def _my(home: Path, *words: str, language: str = "en") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TUTOR, "--lang", language, "my", *words],
        env={**os.environ, "OCI_TUTOR_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=patience.scaled(120),
        check=False,
    )


def _file(home: Path) -> Path:
    return home / "labs/build-your-own/my_runtime.py"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_status_lists_every_exercise_before_anything_is_written(home: Path, language: str) -> None:
    said = _my(home, "status", language=language)
    assert said.returncode == 0, said.stderr
    assert [each.id for each in EXERCISES if f" {each.id} " not in said.stdout] == []
    assert "ids" in said.stdout.splitlines()[-1], "what comes next"


@pytest.mark.root
def test_exercise_from_its_skeleton_to_the_comparison_with_ours(home: Path) -> None:
    begun = _my(home, "run", "hostname")
    assert begun.returncode == 1
    assert "def set_hostname" in _file(home).read_text(), "the skeleton is there to be filled in"
    with _file(home).open("a") as file:
        file.write("\n\ndef set_hostname(c):\n    sethostnam('mine')\n")
    wrong = _my(home, "run", "hostname")
    assert wrong.returncode == 1
    assert "NameError" in wrong.stdout
    assert "my_runtime.py:" in wrong.stdout, "the line of their own code"
    hidden = _my(home, "diff", "hostname")
    assert hidden.returncode == 1
    assert "def set_hostname" not in hidden.stdout + hidden.stderr, (
        "ours is not shown before theirs has passed"
    )
    _file(home).write_text(
        f"from container import ContainerError\nfrom syscalls import setdomainname, sethostname\n{RIGHT}"
    )
    right = _my(home, "run", "set_hostname")
    assert right.returncode == 0, right.stdout + right.stderr
    compared = _my(home, "diff", "hostname").stdout
    assert '-             if c.namespace("uts") is None:' not in compared
    assert "+ " in compared
    assert "- " in compared
    status = _my(home, "status").stdout
    assert [line for line in status.splitlines() if "hostname" in line and "passed" in line]
    reset = _my(home, "reset", "hostname").stdout
    kept = next(each for each in _file(home).parent.iterdir() if each.name.startswith("my_runtime.py.bak"))
    assert str(kept) in reset
    assert RIGHT.strip() in kept.read_text()


def test_export_is_a_script_that_runs_by_itself_and_is_not_written_over_another_file(
    home: Path, tmp_path: Path
) -> None:
    _file(home).parent.mkdir(parents=True)
    _file(home).write_text(model_file())
    target = tmp_path / "mine"
    said = _my(home, "export", str(target))
    assert said.returncode == 0, said.stderr
    alone = subprocess.run(
        [target, "--root", tmp_path / "root", "list"], capture_output=True, text=True, check=False, env={}
    )
    assert (alone.returncode, alone.stderr) == (0, "")
    assert alone.stdout.split() == ["ID", "PID", "STATUS", "BUNDLE"]
    assert _my(home, "export", str(target)).returncode == 0, "its own script may be replaced"
    target.write_text("mine")
    refused = _my(home, "export", str(target))
    assert refused.returncode == 1
    assert target.read_text() == "mine"


def test_bad_input_is_one_message(home: Path) -> None:
    unknown = _my(home, "run", "nothing")
    assert unknown.returncode == 1
    assert "hostname" in unknown.stderr
    assert "Traceback" not in unknown.stderr
    _file(home).parent.mkdir(parents=True)
    _file(home).write_text("def set_hostname(c:\n")
    broken = _my(home, "status")
    assert broken.returncode == 1
    assert "ine 1" in broken.stderr
    assert "Traceback" not in broken.stderr
