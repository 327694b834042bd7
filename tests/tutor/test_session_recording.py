"""A lesson that can't be done by hand here is read along with its recording, and the progress and the listing say so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.runt import REPOSITORY
from tutor.course.course import Course
from tutor.course.model import Quiz

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.model import Step

pytestmark = [pytest.mark.root, pytest.mark.peer("dockerd", "docker", "containerd", "ctr")]

LESSON = "docker-runtime"
# Another mount namespace, in which dockerd is no program (a device), or one that ends at once.
HIDDEN = 'mount --bind "$0" "$(command -v dockerd)" && exec "$@"'


def _tutor(home: Path, *words: str, cover: str, lines: str = "") -> str:
    path = f"{os.environ['PATH']}:/usr/sbin"
    done = subprocess.run(
        ["unshare", "--mount", "--propagation=private", "sh", "-c", HIDDEN, cover,
         sys.executable, "-m", "tutor", *words, "--lang", "en"],
        cwd=REPOSITORY, input=lines, capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": path, "OCI_TUTOR_HOME": str(home)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _lines(step: Step) -> list[str]:
    """Return what is typed to pass a step by reading: an answer where there is a question that asks nothing of the lab."""
    if isinstance(step.activity, Quiz) and step.activity.answer:
        return [f"answer {step.activity.answer}", "next"]
    # The summary is shown when the step is passed; another `next` goes on.
    return ["next", "next"] if step.summary else ["next"]


@pytest.mark.parametrize(
    ("cover", "why"),
    [("/dev/null", "dockerd cannot be found"), ("/bin/false", "dockerd: exit status 1")],
    ids=["no dockerd", "a dockerd that does not start"],
)
def test_the_lesson_is_read_along_with_a_recording(tmp_path: Path, cover: str, why: str) -> None:
    lesson = Course.load("en").lesson(LESSON)
    lines = "\n".join(line for step in lesson.steps for line in _lines(step))
    said = _tutor(tmp_path, "repl", LESSON, cover=cover, lines=lines)
    assert why in said
    assert "It was not run on this one" in said
    assert "Steps read along a recording" in said
    assert "a recording (the exit status was 127)" in said
    assert "--log-format json create --bundle" in said.replace("\n", " ")
    progress = json.loads((tmp_path / "state/progress.json").read_text())["lessons"][LESSON]
    assert progress["finished"]
    assert "run" in progress["read"]
    assert "review" not in progress["read"]  # a question that was really answered
    assert "not done by hand" in _tutor(tmp_path, "lessons", cover=cover)
