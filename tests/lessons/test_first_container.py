"""The first lesson on each engine: by its solutions, and as a learner types it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Traces, until_nothing
from tests.support.session import LESSON, Diary, every_engine, session
from tutor.course.course import Course
from tutor.course.model import EditConfig, Quiz, RunOperation, Shell
from tutor.course.progress import Progress
from tutor.messages import LANGUAGES
from tutor.session.events import LessonFinished

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.engines.model import EngineName
    from tutor.session.session import Session

pytestmark = pytest.mark.root


@every_engine
def test_the_lesson_typed_by_hand(tmp_path: Path, engine: EngineName) -> None:
    """Every command of the original chapter, as written there, without the wrong ways; at the end the lesson is done."""
    diary = Diary()
    with session(tmp_path, diary, engine) as learner:
        learner.open(LESSON)
        traces = Traces(tmp_path / "state", tmp_path)
        for line in _LINES:
            if line.startswith("save "):
                _save(learner, json.loads(line.removeprefix("save ")))
            else:
                learner.execute(line.replace("runc ", f"{engine} "))
            traces.note_members()
        assert diary.of(LessonFinished)
        assert diary.of(LessonFinished)[0].solved == 0
    errors = [notice for notice in diary.notices() if not notice.startswith("information")]

    assert errors == []
    assert "alpine\n" in diary.printed()
    assert "changed" not in diary.printed()
    assert Progress(tmp_path / "state").of(LESSON).finished
    until_nothing(traces.left)


@every_engine
def test_every_step_can_be_resumed_in_the_state_in_which_it_begins(
    tmp_path: Path, engine: EngineName
) -> None:
    lesson = Course.load("en").lesson(LESSON)
    starts = {(step.requires, index) for index, step in enumerate(lesson.steps) if step.requires != "none"}
    # One step of each stretch is enough: where the required state becomes another one.
    indexes = [
        index
        for _, index in sorted(starts)
        if lesson.steps[index - 1].requires != lesson.steps[index].requires
    ]
    assert len(indexes) >= 4
    for index in indexes:
        diary = Diary()
        _stand(tmp_path, lesson.steps[index].id, [step.id for step in lesson.steps[:index]])
        with session(tmp_path, diary, engine) as learner:
            learner.open(LESSON)
            assert learner.index == index
            assert learner.state is not None
            assert learner.state.status == lesson.steps[index].requires
            assert [notice for notice in diary.notices() if "error" in notice] == []


def test_each_step_says_what_can_be_read_in_one_sitting() -> None:
    """A lesson takes 10 to 20 minutes, and its texts are read beside a panel: none is long."""
    for language in LANGUAGES:
        lesson = Course.load(language).lesson(LESSON)
        assert 10 <= lesson.minutes <= 20
        for step in lesson.steps:
            assert len(step.body) < 1000, step.id


def test_the_configurations_of_the_lesson_are_the_seeds() -> None:
    """The replaced config.json, member by member, as in the original chapter."""
    lesson = Course.load("ja").lesson(LESSON)
    edit = next(step.activity for step in lesson.steps if isinstance(step.activity, EditConfig))

    assert json.loads(edit.solution) == {
        "ociVersion": "1.0.0",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["echo", "alpine"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "cwd": "/",
        },
        "root": {"path": "rootfs"},
        "linux": {},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    }


def test_the_lesson_uses_every_kind_of_step() -> None:
    lesson = Course.load("ja").lesson(LESSON)
    assert {step.kind for step in lesson.steps} == {
        "read",
        "edit-config",
        "run-op",
        "observe",
        "quiz",
        "shell",
    }
    operations = {step.activity.operation for step in lesson.steps if isinstance(step.activity, RunOperation)}
    assert operations == {"create", "start", "state", "list", "kill", "delete"}
    assert any(isinstance(step.activity, Quiz) and step.activity.prediction for step in lesson.steps)
    assert any(isinstance(step.activity, Shell) for step in lesson.steps)


def test_evidence_can_be_seen_again_by_hand(tmp_path: Path) -> None:
    """The commands that verdicts show work: in a shell of the lab they succeed and print something."""
    diary = Diary()
    with session(tmp_path, diary, "runt") as learner:
        learner.open(LESSON)
        shown: set[str] = set()
        for _ in range(60):
            assert learner.step is not None
            if learner.step.id == "start":
                break
            learner.execute("next" if learner.step.kind in ("read", "observe", "shell") else "solve")
            for verdict in learner.verdicts:
                shown |= {each.command for each in verdict.evidence if verdict.passed and each.command}
            if learner.step.id in learner.passed:
                learner.execute("next")
        assert len(shown) > 5
        for command in shown:
            assert _in_lab(learner, command), command


def _in_lab(learner: Session, command: str) -> str:
    run = learner._lesson_run
    assert run is not None
    result = run.container.script(command)
    assert result.returncode == 0, (command, result.stdout)
    return result.stdout.strip()


def _save(learner: Session, changes: dict[str, object]) -> None:
    config = json.loads(learner.config_text)
    config["process"] |= changes.pop("process", {})
    learner.write_config(json.dumps(config | changes))


def _stand(tmp_path: Path, step_id: str, passed: list[str]) -> None:
    document = {"step_id": step_id, "passed": passed, "solved": [], "finished": False}
    (tmp_path / "state").mkdir(exist_ok=True)
    file = tmp_path / "state" / "progress.json"
    file.write_text(json.dumps({"format": 1, "lessons": {LESSON: document}}))


_PROC = '{"destination": "/proc", "type": "proc", "source": "proc"}'
_LINES = f"""
next
next
next
next
save {{"process": {{"terminal": false, "args": ["echo", "alpine"]}}, "mounts": [{_PROC}]}}
next
next
answer b
next
runc create alpine-test
next
runc list
next
runc state alpine-test
next
answer c
next
next
next
next
next
next
next
save {{"process": {{"args": ["echo", "changed"]}}}}
next
answer a
next
runc start alpine-test
next
runc state alpine-test
next
runc start alpine-test
next
runc delete alpine-test
next
runc list
next
next
save {{"process": {{"args": ["sleep", "600"]}}}}
next
create
next
start
next
delete
next
kill TERM
check
next
delete
next
answer d
next
next
""".strip().splitlines()
