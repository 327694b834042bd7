"""An explanation follows a failing command in a lesson, expected or not, and a start that ends without output."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.session import LESSON, Diary, session, stand_at
from tutor.course.model import Read, Step
from tutor.engines.model import Call, CallResult
from tutor.messages import Messages
from tutor.session.events import CommandFinished, Explained
from tutor.session.explanation import Circumstances, explain_call

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.session.session import Session

pytestmark = [pytest.mark.root, pytest.mark.peer("runc")]


def _begin_with(tmp_path: Path, script: str) -> None:
    """Let the lesson's container run a script of this text."""
    (path,) = (tmp_path / "labs" / LESSON).glob("*/config.json")
    config = json.loads(path.read_text())
    config["process"] |= {"args": ["/run.sh"], "terminal": False}
    config["mounts"] = [{"destination": "/proc", "type": "proc", "source": "proc"}]
    path.write_text(json.dumps(config, indent=2))
    run = path.parent / "rootfs" / "run.sh"
    run.write_text(script)
    run.chmod(0o755)


def test_a_start_without_output_is_explained(tmp_path: Path, learner: Session, diary: Diary) -> None:
    """runc 1.1 reports a program that can't be executed on the container's standard error only."""
    _begin_with(tmp_path, "#!/bin/bash\n")
    learner.execute("create")
    learner.execute("start")
    assert diary.of(CommandFinished)[-1].result.returncode == 0
    (explained,) = diary.of(Explained)
    assert (explained.id, explained.pointer) == ("program.interpreter", "/process/args/0")
    assert explained.place.endswith(f"config.json:{explained.line}:{explained.column}")
    assert not explained.expected


def test_a_program_that_ends_by_itself_is_not_explained(
    tmp_path: Path, learner: Session, diary: Diary
) -> None:
    _begin_with(tmp_path, "#!/bin/sh\necho 'exec: no such file or directory' >&2; exit 3\n")
    learner.execute("create")
    learner.execute("start")
    diary.until(lambda: learner.state is not None and learner.state.status == "stopped", "stopped")
    assert not diary.of(Explained)


def test_a_failure_that_the_step_asks_for_is_explained_as_expected(learner: Session, diary: Diary) -> None:
    stand_at(learner, "delete-running")
    diary.clear()
    learner.execute("delete")
    (explained,) = diary.of(Explained)
    assert (explained.id, explained.expected, explained.place) == ("state.delete_alive", True, "")
    assert explained.clause == "runtime.md#delete"
    assert explained.call == diary.of(CommandFinished)[-1].result.call


def test_a_broken_bundle_of_the_step_is_explained_in_full_only_after_the_learner_has_changed_it(
    tmp_path: Path, diary: Diary
) -> None:
    with session(tmp_path, diary) as learner:
        learner.open("repair")
        stand_at(learner, "words")
        diary.clear()
        learner.execute("create")
        (path,) = (tmp_path / "labs" / "repair").glob("*/config.json")
        path.write_text(path.read_text().replace("sleep 1000", "/bin/sleep 1000"))
        learner.execute("create")
        assert [(each.id, each.expected) for each in diary.of(Explained)] == [
            ("program.one_string", True),
            ("program.one_string", False),
        ]


def test_an_engine_that_a_broken_pipe_has_ended_is_explained_by_its_hooks(tmp_path: Path) -> None:
    """As crun 1.8.1 ends now and then; another signal is the learner's own."""
    (tmp_path / "config.json").write_text('{"hooks": {"poststop": [{"path": "/usr/bin/true"}]}}')
    step = Step("step", "read", "", "", Read())
    there = Circumstances("crun", None, "", step, tmp_path)

    def told(number: int) -> Explained | None:
        call = Call(1, ("crun", "delete", "box"), "crun delete box", str(tmp_path))
        return explain_call("delete", CallResult(call, -number, 0.1, "", ""), there, Messages("ja"))

    explained = told(signal.SIGPIPE)
    assert explained is not None
    assert (explained.id, explained.pointer, explained.clause) == (
        "hook.unread",
        "/hooks",
        "config.md#posix-platform-hooks",
    )
    assert "SIGPIPE" in explained.title
    assert told(signal.SIGINT) is None
