"""What can go wrong around a session, with a real lab: each leads to a notice and a way on, and nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Traces, until, until_nothing
from tests.support.session import LESSON, Diary, home, session, stand_at
from tutor.course.course import Course
from tutor.course.progress import LessonProgress, Progress
from tutor.errors import TutorError
from tutor.home import Home
from tutor.session.events import LessonOpened, StateChanged

if TYPE_CHECKING:
    from tutor.session.session import Session

pytestmark = [pytest.mark.root, pytest.mark.peer("runc")]

_ROOT = Path(__file__).parents[2]


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def test_a_container_killed_from_another_terminal(learner: Session, diary: Diary) -> None:
    stand_at(learner, "delete-running")
    assert learner.state is not None

    _kill(learner.state.pid)

    diary.until(lambda: learner.state is not None and learner.state.status == "stopped", "stopped")
    diary.until(lambda: "reset" in diary.last_notice().next, "that the state does not fit, and reset")
    learner.execute("reset")
    assert learner.state.status == "running"
    learner.execute("delete")
    assert "delete-running" in diary.passed()


def test_a_container_deleted_from_the_shell(learner: Session, diary: Diary) -> None:
    stand_at(learner, "change-config")
    argv, cwd, environment = learner.shell_call()

    answer = subprocess.run(
        argv,
        cwd=cwd,
        env=environment,
        input="runc delete --force alpine-test\nrunc list\nexit\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert "STATUS" in answer.stdout, answer
    diary.until(lambda: diary.of(StateChanged)[-1].state is None, "that there is no container")
    learner.execute("reset")
    assert learner.state is not None
    assert learner.state.status == "created"


def test_what_is_done_in_the_shell_counts(learner: Session, diary: Diary) -> None:
    stand_at(learner, "create")
    argv, cwd, environment = learner.shell_call()

    subprocess.run(
        argv,
        cwd=cwd,
        env=environment,
        input="runc create alpine-test >/dev/null 2>&1\nexit\n",
        capture_output=True,
        text=True,
        check=False,
    )

    diary.until(lambda: "create" in diary.passed(), "the step passed by what was done in the shell")


def test_the_shell_knows_the_process_of_a_container_made_in_it(learner: Session) -> None:
    """With a container created, and created again, while the shell is open: `$PID` is the pid of the present one."""
    stand_at(learner, "create")
    argv, cwd, environment = learner.shell_call()
    show = (
        'echo "$PID $(runc state alpine-test | tr -dc "[:alnum:]:," | grep -o "pid:[0-9]*" | tr -dc 0-9)"\n'
    )
    make = "runc create alpine-test >/dev/null 2>&1 </dev/null\n"

    answer = subprocess.run(
        argv,
        cwd=cwd,
        env=environment,
        input=f"{make}{show}runc delete --force alpine-test\n{make}{show}exit\n",
        capture_output=True,
        text=True,
        check=False,
    )

    pairs = [line.split() for line in answer.stdout.splitlines()]
    assert len(pairs) == 2, answer
    assert pairs[0][0] == pairs[0][1] != pairs[1][0] == pairs[1][1], answer


def test_a_config_deleted_and_brought_back(learner: Session, diary: Diary) -> None:
    stand_at(learner, "echo-config")
    learner.config_path.unlink()

    diary.until(lambda: any("gone" in notice for notice in diary.notices()), "that config.json is gone")
    assert learner.config_text == ""
    learner.execute("reset")

    assert json.loads(learner.config_text)["process"]["args"] == ["/bin/sh"]
    assert learner.config_path.read_text() == learner.config_text


def test_a_config_replaced_by_a_folder(learner: Session, diary: Diary) -> None:
    learner.config_path.unlink()
    learner.config_path.mkdir()
    (learner.config_path / "inside").write_text("kept")

    diary.until(lambda: any("not a file" in notice for notice in diary.notices()), "that it is no file")
    learner.write_config("{}")
    assert "reset" in diary.last_notice().next
    learner.execute("reset")

    assert json.loads(learner.config_text)["linux"] == {}
    assert (learner.config_path.parent / "config.json.bak-1" / "inside").read_text() == "kept"


@pytest.mark.parametrize("content", [b"\xff\xfe{}", b"x" * 2_000_000])
def test_a_config_that_is_no_text(learner: Session, diary: Diary, content: bytes) -> None:
    learner.config_path.write_bytes(content)

    diary.until(lambda: any("reset" in notice for notice in diary.notices()), "that reset puts it right")
    learner.write_config("{}")
    assert (learner.config_path.parent / "config.json.bak-1").read_bytes() == content, (
        "no editor has shown it"
    )
    learner.config_path.write_bytes(content)
    learner.execute("reset")

    assert json.loads(learner.config_text)["linux"] == {}
    assert (learner.config_path.parent / "config.json.bak-2").read_bytes() == content


def test_a_config_saved_by_an_editor_outside(learner: Session, diary: Diary) -> None:
    stand_at(learner, "sleep-config")
    config = json.loads(learner.config_text)
    config["process"]["args"] = ["sleep", "600"]
    learner.config_path.write_text(json.dumps(config))

    diary.until(lambda: "sleep-config" in diary.passed(), "the step passed by an edit outside")
    assert diary.origins()[-1] == "outside"


def test_a_bundle_removed_while_the_lesson_is_open(learner: Session, diary: Diary) -> None:
    stand_at(learner, "create")
    shutil.rmtree(learner.config_path.parent)

    learner.execute("create")
    assert any("bundle is gone" in notice for notice in diary.notices())
    learner.write_config("{}")
    assert "reset" in diary.last_notice().next
    assert not learner.config_path.parent.exists()
    learner.execute("reset")
    learner.execute("create")

    diary.until(lambda: "create" in diary.passed(), "the step passed after the bundle was made again")


def test_a_lab_whose_keeper_was_killed(learner: Session, diary: Diary) -> None:
    stand_at(learner, "start")
    run = learner._lesson_run
    assert run is not None
    _kill(run.container.lab.keeper_pid)
    until(lambda: not run.container.lab.alive)

    learner.execute("start")
    assert any(notice.startswith("error") for notice in diary.notices())
    learner.execute("reset")
    learner.execute("start")

    diary.until(lambda: "start" in diary.passed(), "the step passed in another lab")


def test_a_second_session_on_a_lesson_is_refused_with_the_pid_of_the_first(
    tmp_path: Path, learner: Session
) -> None:
    with session(tmp_path, Diary()) as second:
        with pytest.raises(TutorError) as caught:
            second.open(LESSON)
        assert caught.value.key == "session.error.in_use"
        assert caught.value.values["pid"] == str(os.getpid())
        learner.leave()
        second.open(LESSON)
        assert second.step is not None


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as ballast:
        while True:
            try:
                ballast.write(b"x" * 4096)
            except OSError:
                return


def test_a_full_disk_loses_nothing(tmp_path: Path, diary: Diary) -> None:
    """The learner's folder and the progress lie on a file system of one page too few."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(tmp_path)], check=True)
    try:
        with session(tmp_path, diary) as learner:
            learner.open(LESSON)
            stand_at(learner, "echo-config")
            before = learner.config_text
            _fill(tmp_path / "ballast")
            learner.write_config(before.replace("/bin/sh", "/bin/echo" * 2000))
            assert "disk is full" in diary.notices()[-1]
            learner.execute("solve")
            assert learner.config_path.read_text() == before
            (tmp_path / "ballast").unlink()
            learner.execute("solve")
            assert "echo-config" in learner.passed
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)
    assert any("disk is full" in notice for notice in diary.notices())


def test_a_home_that_cannot_be_written(tmp_path: Path, diary: Diary) -> None:
    """Root may write everywhere but below a file."""
    (tmp_path / "state").write_text("a file, no folder")
    with session(tmp_path, diary) as learner, pytest.raises(TutorError) as caught:
        learner.open(LESSON)
    assert caught.value.key == "session.error.home"


def test_progress_is_kept_and_resumed(tmp_path: Path, diary: Diary) -> None:
    with session(tmp_path, diary) as learner:
        learner.open(LESSON)
        stand_at(learner, "change-config")
        text = learner.config_text.replace("alpine", "something of my own")
        learner.write_config(text)
    again = Diary()
    with session(tmp_path, again, "runt") as learner:
        learner.open(LESSON)
        (told,) = again.of(LessonOpened)
        assert told.resumed
        assert told.passed == learner.passed
        assert "create" in told.passed
        assert learner.step is not None
        assert learner.step.id == "change-config"
        assert learner.config_text == text, "what the learner wrote stays"
        assert learner.state is not None
        assert learner.state.status == "created", "the container of before is made again"
        assert again.origins() == ["opened"]
        learner.execute("start")
        assert "alpine\n" in again.printed(), "it was made as the steps before have it"
    assert Progress(tmp_path / "state").of(LESSON).solved


def test_next_on_the_last_step_leads_to_what_is_left(tmp_path: Path, diary: Diary) -> None:
    """As after a new version of a lesson, with steps that the learner has not seen."""
    steps = Course.load("en").lesson(LESSON).steps
    passed = tuple(step.id for step in steps if step.id not in ("generated-config", "list-empty"))
    Progress(tmp_path / "state").save(LESSON, LessonProgress(steps[-1].id, passed))
    with session(tmp_path, diary) as learner:
        learner.open(LESSON)
        learner.execute("next")
        assert learner.step is not None
        assert learner.step.id == "generated-config"
        assert "The generated config.json / Make sure that it is gone" in diary.notices()[-1]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format": 99}', "\0\0\0", '{"format": 1, "lessons": {"x": 1}}']
)
def test_damaged_progress_is_kept_under_another_name(tmp_path: Path, diary: Diary, content: str) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "progress.json").write_text(content)

    with session(tmp_path, diary) as learner:
        learner.open(LESSON)
        assert any("progress.json.damaged-1" in notice for notice in diary.notices())
        assert learner.index == 0
    assert (tmp_path / "state" / "progress.json.damaged-1").read_text() == content
    assert Progress(tmp_path / "state").of(LESSON).step_id == "bundle"


def test_two_programs_do_not_lose_each_others_progress(tmp_path: Path) -> None:
    first, second = Progress(tmp_path), Progress(tmp_path)
    first.save("one", LessonProgress("a", ("a",)))
    second.save("two", LessonProgress("b"))
    first.save("one", LessonProgress("c", ("a", "b"), finished=True))

    assert second.all() == {"one": LessonProgress("c", ("a", "b"), finished=True), "two": LessonProgress("b")}


_CRASHING = """
import sys, threading
from pathlib import Path
from tests.support.session import Diary, LESSON, session, stand_at
learner = session(Path(sys.argv[1]), Diary())
learner.open(LESSON)
stand_at(learner, sys.argv[2])
if sys.argv[2] == "change-config":
    learner.write_config('{"mine": true}')
print("ready", learner.state.pid if learner.state else 0, flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize("step_id", ["change-config", "kill"])
def test_kill_9_in_the_middle_leaves_nothing_and_resumes(tmp_path: Path, diary: Diary, step_id: str) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_CRASHING), str(tmp_path), step_id],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    with program.stdout as said:
        word, pid = said.readline().split()
        assert word == "ready"
        assert Path(f"/proc/{pid}").is_dir()
        traces = Traces(tmp_path / "state", tmp_path)
        program.kill()
        program.wait()
    until_nothing(traces.left)
    assert not Path(f"/proc/{pid}").is_dir()

    with session(tmp_path, diary) as learner:
        learner.open(LESSON)
        assert learner.step is not None
        assert learner.step.id == step_id
        assert learner.state is not None
        assert learner.state.status == learner.step.requires
        if step_id == "change-config":
            assert learner.config_text == '{"mine": true}'
        learner.execute("solve")
        diary.until(lambda: step_id in diary.passed(), "the step goes on")


def test_kill_9_while_a_replay_uses_the_name_of_the_config(tmp_path: Path, diary: Diary) -> None:
    """A crash during a replay leaves the learner's text in its copy; the next start restores it."""
    with session(tmp_path, Diary()) as learner:
        learner.open(LESSON)
        path = learner.config_path
        text = learner.config_text
    (path.parent.parent / f".{path.parent.name}.config.json").write_text("my own")
    path.write_text("a replay's")

    with session(tmp_path, diary) as learner:
        learner.open(LESSON)
        assert learner.config_text == "my own"
        assert text != "my own"


def test_kill_9_while_the_bundle_is_unpacked(tmp_path: Path, diary: Diary) -> None:
    """What a crash leaves incomplete is created again, and nothing of it stays beside the bundle."""
    leftovers = tmp_path / "labs" / LESSON
    (leftovers / ".alpine-bundle.new" / "rootfs").mkdir(parents=True)
    (leftovers / ".alpine-bundle.new" / "rootfs" / "half").write_text("half")
    (leftovers / "alpine-bundle").mkdir()

    with session(tmp_path, diary) as learner:
        learner.open(LESSON)
        assert sorted(path.name for path in leftovers.iterdir()) == ["alpine-bundle"]
        assert sorted(path.name for path in learner.config_path.parent.iterdir()) == ["config.json", "rootfs"]
        assert not (learner.config_path.parent / "rootfs" / "half").exists()


def test_everything_lies_below_one_folder(
    tmp_path: Path, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCI_TUTOR_HOME", str(tmp_path / "all"))
    own = Home.default()
    assert {own.labs.parent, own.state.parent, own.cache.parent} == {tmp_path / "all"}
    assert home(tmp_path).labs != own.labs


def test_a_session_leaves_no_threads(tmp_path: Path, diary: Diary) -> None:
    import threading

    before = set(threading.enumerate())
    with session(tmp_path, diary) as learner:
        learner.open(LESSON)
        learner.leave()
        learner.open(LESSON)
    learner.close()
    until(lambda: set(threading.enumerate()) <= before)


def test_a_missing_engine_changes_nothing(
    learner: Session, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_at(learner, "state")
    before = learner.state
    monkeypatch.setattr("tutor.engines.engine.search_path", lambda: "/nowhere")
    learner.execute("engine crun")

    assert "crun" in diary.last_notice().title
    assert learner.engine == "runc"
    assert learner.state == before, "the container is still there"
    assert before is not None
    assert before.status == "created"
