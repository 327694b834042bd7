"""The REPL with commands from a pipe: the first lesson as a script, and an exit status that tells whether a command failed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lab import Traces, until_nothing
from tutor import patience

pytestmark = pytest.mark.root

LESSON = "first-container"
CACHE = Path("/tmp/oci-tutor-test-cache")


def environment(home: Path, **more: str) -> dict[str, str]:
    # The image is built once for all tests that use it, like everywhere in these tests.
    CACHE.mkdir(exist_ok=True)
    if not (home / "cache").exists():
        (home / "cache").symlink_to(CACHE)
    kept = {name: value for name, value in os.environ.items() if name not in ("VISUAL", "EDITOR", "NO_COLOR")}
    return {**kept, "OCI_TUTOR_HOME": str(home), "LC_ALL": "en_US.UTF-8", **more}


def repl(home: Path, script: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tutor", "repl", LESSON, *arguments],
        input=script,
        env=environment(home, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=patience.scaled(120),
    )


def config(home: Path) -> Path:
    (found,) = (home / "labs" / "first-container").glob("*/config.json")
    return found


CREATED = "next\n" * 4 + "solve\nnext\nnext\nanswer b\nnext\n"
"""Commands that lead to the step at which the container is created."""


def test_an_empty_script_shows_the_step_and_succeeds(tmp_path: Path) -> None:
    done = repl(tmp_path, "")
    assert done.returncode == 0, done.stderr
    assert "Step 1/" in done.stdout
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def test_the_container_lives_and_dies_by_commands(tmp_path: Path) -> None:
    shell = "!echo $PWD | sed s,.*/,in-,; cat; echo $PATH\n"  # cat: there is nothing to read
    done = repl(tmp_path, CREATED + f"create\nns\nmounts\nps\n{shell}start\nlist\ndelete --force\nlist\n")
    out = done.stdout
    assert "\nin-alpine-bundle\n" in out, "the shell is where the bundle is"
    assert "solve changes config.json as follows:\n" in out
    assert re.search(r'^\+ .*"alpine"', out, re.MULTILINE), "the solution is shown as a difference"
    assert "$ runt create alpine-test" in out
    assert "● created" in out
    assert 'openat("exec.fifo", O_WRONLY)' in out
    assert re.search(r"^\+   */proc +proc", out, re.MULTILINE), "mounted since the step began"
    assert re.search(r"^\+ (\d+) +\1 +S", out, re.MULTILINE)
    assert "\nalpine\n" in out
    assert "● stopped" in out
    assert "$ runt delete --force alpine-test" in out
    assert done.returncode == 0, out[-2000:]
    assert "Traceback" not in out + done.stderr


def test_comments_and_empty_lines_are_no_commands(tmp_path: Path) -> None:
    done = repl(tmp_path, "\n   \n# next\nread\nquit\nnonsense\n")
    assert done.returncode == 0, "nothing after quit is read"
    assert "nonsense" not in done.stdout
    assert "Step 2/" not in done.stdout


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("craete\n", "create"),
        ("start\n", "exit status 1"),
        ("!exit 7\n", "exit status 7"),
        ("shell\n", "needs a terminal"),
        ("edit\n", "EDITOR"),
        ("next\n" * 4 + "check\n", "✗"),
        ("next\n" * 4 + "next\n", "hint"),
        ("help nonsense\n", "nonsense"),
    ],
)
def test_what_fails_is_told_and_makes_the_status_one(script: str, told: str, tmp_path: Path) -> None:
    done = repl(tmp_path, script)
    assert done.returncode == 1
    assert told in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_lesson_s_steps_succeed_and_so_does_the_script(tmp_path: Path) -> None:
    done = repl(tmp_path, CREATED + "create\ncheck\n")
    assert done.returncode == 0, done.stdout[-2000:]


def test_edit_runs_the_editor_of_the_environment_on_the_file_itself(tmp_path: Path) -> None:
    done = repl(tmp_path, "edit\nquit\n", EDITOR="sed -i s/1.0.0/1.0.2/")
    assert done.returncode == 0, done.stdout
    assert '"1.0.2"' in config(tmp_path).read_text(encoding="utf-8")


def test_what_the_editor_left_faulty_is_shown_with_line_and_column(tmp_path: Path) -> None:
    done = repl(tmp_path, "edit\n", EDITOR="sed -i 3s/,$//;3s/{/,/")
    assert done.returncode == 1
    assert "✗ 3:" in done.stdout


@pytest.mark.parametrize(
    ("editor", "told"),
    [("no-such-editor-anywhere", "no-such-editor-anywhere"), ("false", "exit status 1"), ("vi '", "vi '")],
)
def test_an_editor_that_does_not_work_loses_nothing(editor: str, told: str, tmp_path: Path) -> None:
    assert repl(tmp_path, "").returncode == 0
    before = config(tmp_path).read_text(encoding="utf-8")
    done = repl(tmp_path, "edit\n", EDITOR=editor)
    assert done.returncode == 1
    assert told in done.stdout
    assert config(tmp_path).read_text(encoding="utf-8") == before


def test_the_next_start_resumes_where_the_last_one_ended(tmp_path: Path) -> None:
    repl(tmp_path, "next\nnext\n")
    done = repl(tmp_path, "")
    assert "Step 2/" in done.stdout or "Step 3/" in done.stdout
    assert "Step 1/" not in done.stdout


def test_another_engine_runs_the_same_commands(tmp_path: Path) -> None:
    done = repl(tmp_path, CREATED + "create\nstart\nlist\ndelete\n", "--engine", "runc")
    assert done.returncode == 0, done.stdout[-2000:]
    assert "$ runc create alpine-test" in done.stdout
    assert "\nalpine\n" in done.stdout


def started(home: Path, script: str, seen: str) -> subprocess.Popen[str]:
    """Start the REPL with its input left open, and wait until it has printed something."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tutor", "repl", LESSON],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(home),
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(script)
    process.stdin.flush()
    for printed in process.stdout:
        if seen in printed:
            return process
    raise AssertionError(f"it ended without saying {seen!r}: {process.communicate()}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_and_nothing_is_left(number: signal.Signals, tmp_path: Path) -> None:
    process = started(tmp_path, "", "Step 1/")
    traces = Traces(tmp_path / "state", tmp_path)
    process.send_signal(number)
    _, errors = process.communicate(timeout=patience.scaled(60))
    assert process.returncode == 128 + number
    assert errors == ""
    until_nothing(traces.left)


def test_killed_it_leaves_nothing_and_the_next_start_resumes(tmp_path: Path) -> None:
    process = started(tmp_path, CREATED + "create\n", "● created")
    traces = Traces(tmp_path / "state", tmp_path)
    process.kill()
    process.communicate(timeout=patience.scaled(60))
    until_nothing(traces.left)
    done = repl(tmp_path, "")
    assert done.returncode == 0, done.stdout
    assert "Step 6/" in done.stdout


@pytest.mark.parametrize("engine", ["runt", pytest.param("runc", marks=pytest.mark.peer("runc"))])
def test_a_home_that_is_mounted_nodev_and_noexec_is_usable_in_the_lab(tmp_path: Path, engine: str) -> None:
    """As on hardened machines, and Debian 13's /tmp. It is said, and the mount of the host stays as it is."""
    home = tmp_path / "home"
    home.mkdir()
    mount = 'mount -t tmpfs -o nodev,noexec,nosuid tmpfs "$0" && ln -s "$1" "$0/cache" && shift && "$@" && findmnt -n -o OPTIONS "$0"'
    lesson = [sys.executable, "-m", "tutor", "repl", LESSON, "--engine", engine, "--lang", "en"]
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "shared", "sh", "-c", mount, home, CACHE, *lesson],
        input=CREATED + "create\nstart\nstate\ndelete --force\nquit\n",
        env={**os.environ, "OCI_TUTOR_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=patience.scaled(120),
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    said = " ".join(done.stdout.split())
    assert f"{home}/labs/{LESSON} is mounted with nodev, noexec, nosuid" in said
    assert "permission denied" not in said.replace("«permission denied»", "").lower()
    assert {"nodev", "noexec", "nosuid"} <= set(done.stdout.splitlines()[-1].split(","))


# fsopen, fsconfig (FSCONFIG_CMD_CREATE) and fsmount: a tmpfs that belongs to a user namespace, attached nowhere.
_TMPFS_OF_A_USER_NAMESPACE = """
import ctypes, sys
call = ctypes.CDLL(None).syscall
context = call(430, b"tmpfs", 0)
call(431, context, 6, None, None, 0)
print(call(432, context, 0, 0), flush=True)
sys.stdin.read()
"""
# move_mount: attach what another process has as a descriptor, then run a program.
_ATTACH = """
import ctypes, os, sys
tree = os.open(sys.argv[1], os.O_PATH)
assert ctypes.CDLL(None).syscall(429, tree, b"", -100, os.fsencode(sys.argv[2]), 4) == 0
os.chmod(sys.argv[2], 0o777)
os.symlink(sys.argv[3], sys.argv[2] + "/cache")
os.execvp(sys.argv[4], sys.argv[4:])
"""


@pytest.mark.parametrize("engine", ["runt", pytest.param("runc", marks=pytest.mark.peer("runc"))])
def test_a_home_whose_filesystem_has_no_devices_is_usable_by_a_copy_of_the_root(
    tmp_path: Path, engine: str
) -> None:
    """A filesystem that was mounted in a user namespace: no mount option is in the way, and devices can't be opened."""
    home = tmp_path / "home"
    home.mkdir()
    owner = subprocess.Popen(
        ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", _TMPFS_OF_A_USER_NAMESPACE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert owner.stdout is not None
        tree = f"/proc/{owner.pid}/fd/{int(owner.stdout.readline())}"
        lesson = [sys.executable, "-m", "tutor", "repl", LESSON, "--engine", engine, "--lang", "en"]
        done = subprocess.run(
            ["unshare", "--mount", "--propagation", "shared", sys.executable, "-c", _ATTACH, tree, home, CACHE, *lesson],
            input=CREATED + "create\nstart\nstate\ndelete --force\nquit\n",
            env={**os.environ, "OCI_TUTOR_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=patience.scaled(120),
        )  # fmt: skip
    finally:
        owner.communicate()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    said = " ".join(done.stdout.split())
    assert "rootfs was copied to a tmpfs of the lab" in said
    assert "is mounted with nodev, which could not be taken off" in said
    assert "denied" not in said.lower()
    assert "● created" in said
