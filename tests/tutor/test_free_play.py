"""Free play: any bundle, nothing checked or recorded, nothing written into it but what the learner saves; the lesson waits."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.session import LESSON, Diary, home, session, stand_at
from tests.tutor.test_repl_script import repl
from tutor.errors import TutorError
from tutor.session import free_play
from tutor.session.events import CommandFinished, SnapshotTaken, StepPassed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tutor.engines.model import EngineName
    from tutor.session.session import Session

pytestmark = pytest.mark.root

CONFIG = {
    "ociVersion": "1.0.0",
    "process": {"args": ["sleep", "1000"], "cwd": "/", "env": ["PATH=/bin:/usr/bin"]},
    "root": {"path": "rootfs"},
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {
            "destination": "/dev",
            "type": "tmpfs",
            "source": "tmpfs",
        },  # else a runtime makes its devices in the rootfs
    ],
    "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]},
}


@pytest.fixture
def player(tmp_path: Path, diary: Diary) -> Iterator[Session]:
    with session(tmp_path, diary, "runt") as opened:
        yield opened


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of the learner's own: its files belong to another user, and one of them has a name that a program might use."""
    made = free_play.fresh_bundle(home(tmp_path)).rename(tmp_path / "their bundle")
    (made / "config.json").write_text(json.dumps(CONFIG))
    (made / ".config.json.new").write_text("mine")
    shutil.chown(made / "config.json", 1234, 1234)
    (made / "config.json").chmod(0o640)
    return made


def _contents(bundle: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in sorted(bundle.rglob("*")):
        seen = path.lstat()
        found[str(path)] = (seen.st_mode, seen.st_uid, seen.st_size, path.is_file() and seen.st_mtime_ns)
    return found


def _can(diary: Diary, session: Session, line: str) -> int:
    session.execute(line)
    return diary.of(CommandFinished)[-1].result.returncode


@pytest.mark.parametrize(
    "engine",
    [
        "runt",
        pytest.param("crun", marks=pytest.mark.peer("crun")),
    ],
)
def test_a_fresh_bundle_runs_as_it_is(tmp_path: Path, diary: Diary, engine: EngineName) -> None:
    with session(tmp_path, diary, engine) as player:
        player.play_freely(None)
        for line in ("create", "start", "exec echo hello from inside", "pause", "resume"):
            assert _can(diary, player, line) == 0, diary.printed()
        assert "hello from inside" in diary.printed()
        diary.until(lambda: any(each.snapshot.container for each in diary.of(SnapshotTaken)), "the container")
        first = player.config_path.parent
        player.play_freely(None)
        assert player.config_path.parent != first  # a fresh one again; the other is still there
        assert first.is_dir()


@pytest.mark.peer("runc")
def test_nothing_is_written_into_the_learners_bundle(player: Session, diary: Diary, bundle: Path) -> None:
    before = _contents(bundle)
    player.play_freely(bundle)
    for line in ("create", "start", "exec true", "check", "hint", "solve", "next", "back", "reset"):
        player.execute(line)
    assert _can(diary, player, "create") == 0
    player.execute("engine runc")
    player.leave()
    assert _contents(bundle) == before


def test_config_json_is_saved_with_its_owner_and_nothing_beside_it(player: Session, bundle: Path) -> None:
    before = _contents(bundle)
    player.play_freely(bundle)
    assert player.write_config('{"broken')
    config = bundle / "config.json"
    assert config.read_text() == '{"broken'
    seen = config.stat()
    assert (seen.st_uid, seen.st_gid, seen.st_mode & 0o777) == (1234, 1234, 0o640)
    assert before.keys() == _contents(bundle).keys()
    assert (bundle / ".config.json.new").read_text() == "mine"


def test_a_config_json_that_could_not_be_read_is_not_overwritten(
    player: Session, diary: Diary, bundle: Path
) -> None:
    player.play_freely(bundle)
    (bundle / "config.json").write_bytes(b"\xff\xfe")
    assert not player.write_config("{}")
    assert (bundle / "config.json").read_bytes() == b"\xff\xfe"
    assert any("not UTF-8" in each for each in diary.notices())


def test_nothing_is_checked_and_nothing_recorded(
    tmp_path: Path, player: Session, diary: Diary, bundle: Path
) -> None:
    player.play_freely(bundle)
    for line in ("check", "next", "solve", "answer a"):
        diary.clear()
        player.execute(line)
        assert "Nothing is checked here" in diary.last_notice().title
    player.leave()
    assert not diary.of(StepPassed)
    assert not (tmp_path / "state" / "progress.json").exists()


def test_a_bundle_is_open_once_at_a_time(player: Session, bundle: Path) -> None:
    player.play_freely(bundle)
    with player.beside(Diary().publish) as other, pytest.raises(TutorError) as refused:
        other.play_freely(bundle)
    assert refused.value.key == "session.error.in_use"
    assert refused.value.values["lesson"] == str(bundle)


def _no_config(bundle: Path) -> None:
    (bundle / "config.json").unlink()


def _folder(bundle: Path) -> None:
    _no_config(bundle)
    (bundle / "config.json").mkdir()


def _not_text(bundle: Path) -> None:
    (bundle / "config.json").write_bytes(b"\xff")


def _huge(bundle: Path) -> None:
    (bundle / "config.json").write_text(" " * 2_000_000)


def _gone(bundle: Path) -> None:
    shutil.rmtree(bundle)


def _a_file(bundle: Path) -> None:
    _gone(bundle)
    bundle.write_text("{}")


@pytest.mark.parametrize(
    ("spoil", "key"),
    [
        (_no_config, "no_config"),
        (_folder, "config_no_file"),
        (_not_text, "not_text"),
        (_huge, "too_large"),
        (_gone, "no_bundle"),
        (_a_file, "no_folder"),
    ],
)
def test_a_bundle_that_cannot_be_used_is_refused(
    player: Session, tmp_path: Path, spoil: Callable[[Path], None], key: str
) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "config.json").write_text("{}")
    spoil(bundle)
    with pytest.raises(TutorError) as refused:
        player.play_freely(bundle)
    assert refused.value.key == f"session.play.{key}"
    title, _, following = refused.value.render(player.messages)
    assert title != refused.value.key
    assert following


def test_a_bundle_without_its_root_filesystem_is_opened_with_a_warning(
    player: Session, diary: Diary, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    player.play_freely(tmp_path)
    assert "There is no root filesystem" in diary.last_notice().title
    assert str(tmp_path / "rootfs") in diary.last_notice().body


def test_the_lesson_waits_as_it_was(player: Session, bundle: Path) -> None:
    player.open(LESSON)
    stand_at(player, "start")
    before = player.state
    assert before is not None
    inner = Diary()
    with player.beside(inner.publish) as play:
        play.play_freely(bundle)
        assert _can(inner, play, "create") == 0
        assert _can(inner, play, "list") == 0
        assert "alpine-test" not in inner.printed()  # a lab of its own
    assert player.state == before
    player.execute("start")
    assert "start" in player.passed


def test_in_the_repl_play_leads_away_and_quit_back(tmp_path: Path) -> None:
    done = repl(tmp_path, "play\ncreate\nnext\nquit\nnext\nnext\n")
    assert "play bundle-1 [none] runt> create" in done.stdout
    assert "play bundle-1 [created] runt> next" in done.stdout
    assert "Back in the lesson." in done.stdout
    assert "Step 2/" in done.stdout.partition("Back in the lesson.")[2]
