"""What engines answer, and which engine is found: the same form for all, a clear error for what cannot be understood."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tutor.engines.answers import parse_list, parse_state
from tutor.engines.engine import Engine, find, installed
from tutor.errors import TutorError

STATE = (
    '{"ociVersion": "1.0.2", "id": "box", "pid": 7, "status": "running", "bundle": "/b", "rootfs": "rootfs"}'
)


def test_a_relative_rootfs_is_made_absolute() -> None:
    assert parse_state("crun", STATE).rootfs == "/b/rootfs"


def test_a_stopped_container_has_no_pid() -> None:
    """Some engines still print the pid of the process that was: it may be another's by now."""
    assert parse_state("crun", STATE.replace("running", "stopped")).pid == 0


@pytest.mark.parametrize("text", ["null", "[]", "[\n\n]\n"])
def test_no_containers_in_each_engines_way(text: str) -> None:
    assert parse_list("runc", text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        '"box"',
        "{}",
        '{"id": "box"}',
        STATE.replace("running", "dreaming"),
        STATE.replace('"running"', "null"),
        STATE.replace('"running"', "[]"),
        STATE.replace("7", '"7"'),
        STATE.replace("7", "true"),
        STATE.replace('"box"', "7"),
        STATE.replace('"box"', '""'),
        STATE.replace('"/b"', "{}"),
        STATE[:-1] + ', "annotations": []}',
        "[" * 100_000,
    ],
)
def test_an_answer_that_is_no_state_is_one_clear_error(text: str) -> None:
    with pytest.raises(TutorError) as caught:
        parse_state("runc", text)
    assert caught.value.key == "engines.bad_answer"
    assert len(str(caught.value.values["answer"])) <= 200


@pytest.mark.parametrize("text", ["{}", "7", "[7]", "[null]", f"[{STATE}", "\x00"])
def test_an_answer_that_is_no_list_is_one_clear_error(text: str) -> None:
    with pytest.raises(TutorError) as caught:
        parse_list("runc", text)
    assert caught.value.key == "engines.bad_answer"


def test_flags_come_before_the_id_and_a_signal_after_it() -> None:
    engine = Engine("runc", Path("/usr/sbin/runc"), "1", "1")
    assert engine.argv("delete", "box", ["--force"]) == ("/usr/sbin/runc", "delete", "--force", "box")
    assert engine.typed("kill", "box", ["KILL"]) == "runc kill box KILL"
    assert engine.typed("list") == "runc list"
    assert engine.typed("exec", "box", ["sh", "-c", "echo 'hi' >x", "日本", ""]) == (
        """runc exec box sh -c 'echo '"'"'hi'"'"' >x' 日本 ''"""
    )
    assert engine.typed("update", "box", ["--cpu-quota", "50000"]) == "runc update --cpu-quota 50000 box"


def test_runt_comes_with_the_program() -> None:
    engine = find("runt")
    assert engine.path == Path(sys.executable).parent / "runt"
    assert engine.version
    assert engine.spec_version.startswith("1.")
    assert installed()[0] == engine


def test_runt_is_found_though_path_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert find("runt").path == Path(sys.executable).parent / "runt"


def test_an_engine_that_does_not_work_is_reported_with_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "runc"
    program.write_text("#!/bin/sh\necho 'cannot load libseccomp' >&2\nexit 127\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(TutorError) as caught:
        find("runc")
    assert caught.value.key == "engines.broken"
    assert caught.value.values["reason"] == "cannot load libseccomp"
    assert "runc" not in [engine.name for engine in installed()]


def test_an_engine_that_does_not_answer_in_time_is_not_called_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runc").write_text("#!/bin/sh\nexec sleep 1000\n")
    (tmp_path / "runc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("tutor.engines.engine._VERSION_SECONDS", 0.1)
    with pytest.raises(TutorError) as caught:
        find("runc")
    assert caught.value.key == "engines.unanswered"


def test_something_else_by_that_name_is_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "crun").symlink_to("/bin/true")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(TutorError) as caught:
        find("crun")
    assert caught.value.key == "engines.broken"


@pytest.mark.parametrize("name", ["runc", "crun"])
def test_a_missing_engine_says_how_to_install_it(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tutor.engines.engine.search_path", lambda: str(tmp_path))
    with pytest.raises(TutorError) as caught:
        find(name)  # type: ignore[arg-type]  # an EngineName, by way of parametrize
    assert caught.value.key == f"engines.missing.{name}"
