"""The Docker lesson and its dockerd: a daemon.json that it refuses, and a daemon that the learner has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.session import Diary, home, session, stand_at

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.root, pytest.mark.peer("dockerd", "docker", "containerd", "ctr")]

LESSON = "docker-runtime"


def test_a_daemon_json_that_dockerd_refuses_is_copied_and_replaced(tmp_path: Path) -> None:
    work = home(tmp_path).labs / LESSON
    work.mkdir(parents=True)
    (work / "daemon.json").write_text('{ "runtimes": ')
    diary = Diary()
    with session(tmp_path, diary, "runt") as learner:
        learner.open(LESSON)
        assert any(str(work / "daemon.json.bak-1") in notice for notice in diary.notices())
        assert (work / "daemon.json.bak-1").read_text() == '{ "runtimes": '
        stand_at(learner, "load")
        learner.execute("solve")
        assert "load" in learner.passed


def test_reset_starts_a_dockerd_that_has_ended(tmp_path: Path) -> None:
    diary = Diary()
    with session(tmp_path, diary, "runt") as learner:
        learner.open(LESSON)
        stand_at(learner, "load")
        run = learner._lesson_run
        assert run is not None
        assert run.container.docker is not None
        run.container.ask("kill -9 $(cat /run/docker/docker.pid)")
        learner.execute("check")
        assert "does not answer" in str(diary.last_check().verdicts)
        learner.execute("reset")
        learner.execute("solve")
        assert "load" in learner.passed
