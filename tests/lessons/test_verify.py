"""`oci-tutor verify` on every lesson and every engine, of this machine and of sid; and on a lesson that does not work any more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.conftest import CI
from tests.support.session import LESSON, every_engine, home
from tutor.course.course import Course
from tutor.course.find import lessons_folder
from tutor.verify.player import play

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from tutor.engines.model import EngineName
    from tutor.session.protocol import PlayerSession

pytestmark = pytest.mark.root


_WITHOUT_CONTAINERS = ("docker-archive", "image-layout")
SID_ENGINES = Path(__file__).parents[2] / "script/sid-engines"


SOME_OF_ONES_OWN = ("own-hostname", "own-fifo", "own-delete")


@every_engine
def test_the_whole_course(tmp_path: Path, engine: EngineName) -> None:
    _verify(engine, tmp_path, lessons=[each.id for each in Course.load("en").lessons])


def test_some_lessons_on_a_runtime_of_ones_own(tmp_path: Path) -> None:
    """What runs in these is the learner's runtime, whatever engine is chosen."""
    _verify("runt", tmp_path, lessons=SOME_OF_ONES_OWN)


@pytest.mark.long
@pytest.mark.peer("dockerd", "docker", "containerd", "ctr", "runc")
def test_every_lesson_on_a_runtime_of_ones_own(tmp_path: Path) -> None:
    lessons = [each.id for course in Course.load("en").every[1:] for each in course.lessons]
    _verify("runt", tmp_path, lessons=lessons)


@pytest.fixture(scope="session")
def sid_engines() -> str:
    """The command that runs another with sid's runc and crun; they are fetched if need be."""
    if release := os.environ.get("OCI_TUTOR_PEERS"):
        pytest.skip(f"the engines here are those of {release} already")
    done = subprocess.run([SID_ENGINES, "runc", "--version"], capture_output=True, text=True, check=False)
    why = done.stderr.strip() if done.returncode != 0 else ""
    if (
        done.stdout
        == subprocess.run(["runc", "--version"], capture_output=True, text=True, check=False).stdout
    ):
        why = f"not unlike the machine's own: {done.stdout.splitlines()[0]}"
    if why:
        (pytest.fail if CI else pytest.skip)(f"sid's engines: {why}")
    return str(SID_ENGINES)


@pytest.mark.peer("runc")
def test_the_whole_course_on_the_runc_of_today(tmp_path: Path, sid_engines: str) -> None:
    """On sid's; its crun is tried by script/test --peers sid. Lessons that run no container say nothing of it."""
    lessons = [lesson.id for lesson in Course.load("en").lessons if lesson.id not in _WITHOUT_CONTAINERS]
    _verify("runc", tmp_path, sid_engines, lessons=lessons)


def _verify(engine: EngineName, home: Path, *before: str, lessons: Sequence[str] = ()) -> None:
    """See that each check fails at first, each known wrong answer gets its hint, and the solution passes."""
    done = subprocess.run(
        [*before, sys.executable, "-m", "tutor", "verify", "--lang", "en", "--engine", engine, *lessons],
        env=os.environ | {"OCI_TUTOR_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    verified = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("✓")}
    assert verified == set(lessons or [lesson.id for lesson in Course.load("en").every_lesson])


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


def test_a_hint_for_a_mistake_on_the_way_to_the_solution_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / "course/process"
    shutil.copytree(lessons_folder() / "process", folder)
    logic = yaml.safe_load((folder / "lesson.yaml").read_text(encoding="utf-8"))
    steps = {each["id"]: each for each in logic["steps"]}
    (hint,) = (each for each in steps["args"]["hints"] if each["id"] == "one-word")
    del hint["after"]
    # So the try fails only when the learner pauses.
    steps["args"]["checks"][0]["within"] = 0.3
    (folder / "lesson.yaml").write_text(yaml.safe_dump(logic, sort_keys=False), encoding="utf-8")
    sessions: list[PlayerSession] = []

    played = play(
        Course.load("en", tmp_path / "course"),
        "process",
        "runt",
        home(tmp_path),
        opened=sessions.append,
        go_on=lambda: "args" not in sessions[0].passed,
    )

    found = {each.step.id: {problem.key for problem in each.problems} for each in played.steps}
    assert found["args"] == {"hint_on_the_way"}
