"""A home on a mount that is read-only, an overlay or ID-mapped: lessons work there, or one message says what is in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ordinary import ordinary_user
from tutor import patience

pytestmark = pytest.mark.root

LESSON = "first-container"
CACHE = Path("/tmp/oci-tutor-test-cache")
CREATED = "next\n" * 4 + "solve\nnext\nnext\nanswer b\nnext\ncreate\nquit\n"
TUTOR = (sys.executable, "-m", "tutor")
REPL = (*TUTOR, "repl", LESSON, "--lang", "en")
ROOT = Path(__file__).parents[2]

READ_ONLY = ("sh", "-ec", 'mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; exec "$@"')
_ON_A_TMPFS = """
mount -t tmpfs tmpfs "$0"; cd "$0"; mkdir lower upper work
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay "$0"
ln -s "$1" "$0/cache"; cd "$2"; shift 2; exec "$@"
"""
OVERLAY = ("sh", "-ec", _ON_A_TMPFS)
# It is mounted with the ID mapping of a user namespace that lives only so long.
ID_MAPPED = """
import os, subprocess, sys
from runtime.kernel import mount
place, mapping = sys.argv[1:3]
holder = subprocess.Popen(["unshare", "--user", "sh", "-c", "echo; read line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
holder.stdout.readline()
for name in ("uid_map", "gid_map"):
    open(f"/proc/{holder.pid}/{name}", "w").write(mapping)
tree = mount.open_tree(mount.AT_FDCWD, place)
try:
    mount.map_ids(tree, os.open(f"/proc/{holder.pid}/ns/user", os.O_RDONLY))
except OSError:
    sys.exit(77)
mount.move_mount(tree, os.open(place, os.O_PATH | os.O_DIRECTORY))
holder.communicate()
os.execvp(sys.argv[3], sys.argv[3:])
"""


@pytest.fixture(name="home")
def _home(tmp_path: Path) -> Path:
    CACHE.mkdir(exist_ok=True)
    home = tmp_path / "home"
    home.mkdir()
    (home / "cache").symlink_to(CACHE)
    return home


def run(home: Path, *command: str | Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", *command],
        cwd=ROOT,
        input=typed,
        env={**os.environ, "OCI_TUTOR_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=patience.scaled(120),
    )
    if done.returncode == 77:
        pytest.skip("the filesystem of temporary files can't be ID-mapped")
    return done


def mapped(home: Path, mapping: str) -> tuple[str, ...]:
    return (sys.executable, "-c", ID_MAPPED, str(home), mapping)


def disks(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str]]:
    """Return level and text of what `doctor --json` says of the directories to write to."""
    findings = json.loads(done.stdout)["findings"]
    return [(each["level"], each["text"]) for each in findings if each["topic"] == "storage"]


def test_a_lesson_that_has_become_read_only_is_not_opened_and_the_mount_is_named(home: Path) -> None:
    """Its bundle is there, so that nothing is written when it is opened; each container would fail."""
    assert run(home, *REPL, typed="quit\n").stderr == ""
    labs = home / "labs"
    done = run(home, *READ_ONLY, labs, *REPL)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{LESSON}/alpine-bundle is read-only\n" in done.stderr
    assert f"at {labs} (" in done.stderr
    assert "OCI_TUTOR_HOME" in done.stderr
    level, text = disks(run(home, *READ_ONLY, labs, *TUTOR, "doctor", "--json", "--lang", "en"))[0]
    assert level == "missing"
    assert text.endswith("is mounted read-only")


def test_containers_are_created_in_a_home_on_an_overlay(home: Path) -> None:
    (home / "cache").unlink()
    done = run(home, *OVERLAY, home, CACHE, ROOT, *REPL, typed=CREATED)
    assert done.stderr == ""
    assert "● created" in done.stdout


@pytest.mark.peer("runc")
def test_containers_are_created_in_a_home_that_maps_the_users_of_the_system_to_themselves(home: Path) -> None:
    done = run(home, *mapped(home, "0 0 60000\n"), *REPL, "--engine", "runc", typed=CREATED)
    assert done.stderr == ""
    assert "● created" in done.stdout


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        # Root can write there, but the image has files of another user.
        ("0 0 1\n", "The owners of files can't be stored: {home}/labs/"),
        ("0 100000 65536\n", "{home}/state/sessions can't store who owns a file"),
    ],
)
def test_a_home_where_owners_are_not_mapped_says_so_in_one_message(
    home: Path, mapping: str, said: str
) -> None:
    inside = mapped(home, mapping)
    done = run(home, *inside, *REPL)
    assert (done.returncode, done.stdout) == (1, "")
    assert said.format(home=home) in done.stderr
    assert "ID-mapped mount" in done.stderr
    assert "the tool that made the image" not in done.stderr
    level, text = disks(run(home, *inside, *TUTOR, "doctor", "--json", "--lang", "en"))[0]
    assert level == "missing"
    assert f"{home} (" in text
    assert "ID-mapped mount" in text


@pytest.mark.peer("newuidmap", "newgidmap", "setpriv")
def test_the_home_of_an_ordinary_user_must_map_the_subordinate_ids_too(tmp_path: Path) -> None:
    program = tmp_path / "map"
    program.write_text(ID_MAPPED)
    mount = f'PYTHONPATH={ROOT} {sys.executable} {program} "$PLACE/home" "0 0 65536" true\n'
    with ordinary_user(before=mount) as user:
        done = user.tutor("doctor", "--json", "--lang", "en")
        if done.returncode == 77:
            pytest.skip("the filesystem of temporary files can't be ID-mapped")
        level, text = disks(done)[0]
    assert level == "missing", text
    assert "ID-mapped mount" in text
