"""`oci-tutor verify` on every lesson and every engine; and on a lesson that does not work any more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support.session import LESSON, every_engine, home
from tutor.course.course import Course
from tutor.course.find import lessons_folder
from tutor.verify.player import play

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from tutor.engines.model import EngineName

pytestmark = pytest.mark.root


@every_engine
def test_the_whole_course(tmp_path: Path, engine: EngineName) -> None:
    """On this engine each check fails at first, each known wrong answer gets its hint, and the solution passes."""
    done = subprocess.run(
        [sys.executable, "-m", "tutor", "verify", "--lang", "en", "--engine", engine],
        env=os.environ | {"OCI_TUTOR_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    verified = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("✓")}
    assert verified == {lesson.id for lesson in Course.load("en").lessons}


def _spoil(steps: dict[str, Any]) -> None:
    steps["echo-config"]["solution"] = "sleep.json"


def _ask_for_what_is_there(steps: dict[str, Any]) -> None:
    steps["create"]["checks"][0]["state"]["is"] = "none"


def _misplace(steps: dict[str, Any]) -> None:
    steps["operations"]["requires"] = "created"


def _guard_what_is_not_there(steps: dict[str, Any]) -> None:
    steps["create"]["checks"][0]["guard"] = True


@pytest.mark.parametrize(
    ("spoil", "step", "key"),
    [
        (_spoil, "echo-config", "not_passed"),
        (_ask_for_what_is_there, "create", "holds"),
        (_misplace, "operations", "state"),
        (_guard_what_is_not_there, "create", "guard"),
    ],
)
def test_what_no_longer_works_is_reported(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], step: str, key: str
) -> None:
    folder = tmp_path / "course" / LESSON
    shutil.copytree(lessons_folder() / LESSON, folder)
    logic = yaml.safe_load((folder / "lesson.yaml").read_text(encoding="utf-8"))
    spoil({each["id"]: each for each in logic["steps"]})
    (folder / "lesson.yaml").write_text(yaml.safe_dump(logic, sort_keys=False), encoding="utf-8")

    played = play(Course.load("en", tmp_path / "course"), LESSON, "runt", home(tmp_path), patience=1.0)

    assert not played.good
    assert key in {problem.key for each in played.steps if each.step.id == step for problem in each.problems}
