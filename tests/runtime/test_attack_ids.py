"""Ids that are paths, or none: refused by every command that takes one, before anything is touched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runtime.commands import COMMANDS
from tests.support.runt import Bundle, Runt

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

IDS = ["../victim", "a/b", "/abs", "a b", "", "x" * 256, "a\nb", "..", "@locks", "a\x7fb"]
"""NUL is not among them: no argument of a program can have it (execve(2))."""

TAKE_AN_ID = [command.name for command in COMMANDS if "<container-id>" in command.arguments]
MORE = {"exec": ["true"], "kill": ["KILL"], "update": ["--pids-limit", "5"]}


def tree(directory: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.lstat().st_mtime_ns) for path in directory.rglob("*"))


def test_all_commands_are_here() -> None:
    assert {"create", "run", "start", "exec", "delete", "kill", "state", "update", "ps"} <= set(TAKE_AN_ID)


@pytest.mark.parametrize("command", TAKE_AN_ID)
def test_a_bad_id_is_refused_and_nothing_touched(tmp_path: Path, command: str) -> None:
    """Make a directory with a container's files where `../victim` leads: joining the paths would find it."""
    bundle = Bundle(tmp_path / "bundle").save()
    runt = Runt(tmp_path / "place/state")
    victim = tmp_path / "place/victim"
    victim.mkdir(parents=True)
    (victim / "state.json").write_text(json.dumps({"id": "victim", "init": None, "ready": False}))
    before = tree(tmp_path)
    options = ["-b", str(bundle.path)] if command in ("create", "run", "restore") else []
    for container_id in IDS:
        done = runt(command, *options, container_id, *MORE.get(command, []))
        assert done.returncode != 0
        said = done.stderr + done.stdout
        assert "invalid container ID format" in said or "container id cannot be empty" in said, (
            container_id,
            said,
        )
        assert tree(tmp_path) == before, container_id


def test_a_forced_delete_of_a_path_deletes_nothing(tmp_path: Path) -> None:
    runt = Runt(tmp_path / "state")
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim/state.json").write_text("{}")
    before = tree(tmp_path)
    for container_id in IDS:
        assert runt("delete", "--force", container_id).returncode != 0
        assert tree(tmp_path) == before


def test_an_id_from_a_damaged_state_directory_is_not_followed(tmp_path: Path) -> None:
    """`list` finds names in a directory: a link to elsewhere is no container whose files may be deleted."""
    runt = Runt(tmp_path / "state")
    (tmp_path / "state").mkdir()
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim/file").write_text("untouched")
    (tmp_path / "state/linked").symlink_to(tmp_path / "victim")
    runt("list")
    runt("delete", "--force", "linked")
    assert (tmp_path / "victim/file").read_text() == "untouched"
