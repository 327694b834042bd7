"""Machines on which a lab cannot be had, or only in part: one clear error, or going on without; never a traceback, never a trace."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.lab import bundle
from tutor import patience
from tutor.errors import TutorError
from tutor.lab import state_roots as roots
from tutor.messages import LANGUAGES, Messages

pytestmark = pytest.mark.root

# Starts a lab and prints what a learner would be told; `arguments` are the home's root and the engine.
ATTEMPT = """
import os, sys
from pathlib import Path
from tutor.errors import TutorError
from tutor.home import Home
from tutor.lab.lab import Lab
from tutor.messages import Messages
root, engine = Path(sys.argv[1]), sys.argv[2]
try:
    with Lab.start(home=Home(root / "labs", root / "state", root / "cache"), engine=engine, workdir=Path("/")) as lab:
        print("started", len(lab.cgroups))
        program = lab.spawn(["true"], cwd=Path("/"), stdin=0, stdout=1, stderr=2)
        print("status", program.wait(20))
except TutorError as error:
    print(error.key)
    for language in ("ja", "en"):
        print(*error.render(Messages.load(language)), sep="\\n")
"""


def attempt(
    root: Path,
    engine: str = "runt",
    *,
    before: str = "",
    tool: list[str] | None = None,
    script: str = ATTEMPT,
) -> list[str]:
    """Try to start a lab in a mount namespace in which `before` (shell commands) has been done; return the lines printed."""
    command = [*(tool or []), sys.executable, "-c", script, str(root), engine]
    done = subprocess.run(
        [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-ec",
            f'{before}\nexec "$@"',
            "sh",
            *command,
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=patience.scaled(60),
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout.splitlines()


def test_here_it_starts(tmp_path: Path) -> None:
    """The other tests mean something only if this one passes."""
    assert attempt(tmp_path)[1:] == ["status 0"]


def test_without_the_capability_it_says_which_is_missing(tmp_path: Path) -> None:
    tool = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
    lines = attempt(tmp_path, tool=tool)
    assert lines[0] == "lab.no_privilege"
    assert "CAP_SYS_ADMIN" in lines[2]
    assert "sudo" in lines[3]


def test_without_root_it_says_so(tmp_path: Path) -> None:
    # The interpreter may be in root's home, which the user nobody may not read: so it starts as root and changes its user then.
    script = "import os; os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)"
    changed = ATTEMPT.replace("root, engine =", f"{script}\nroot, engine =")
    changed = f"import yaml, tutor.messages; tutor.messages.topic_entries('ja', 'lab'); tutor.messages.topic_entries('en', 'lab')\n{changed}"
    done = subprocess.run(
        [sys.executable, "-c", changed, str(tmp_path), "runt"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=patience.scaled(60),
        check=False,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == "lab.no_privilege"
    assert "root (uid 0)" in lines[2]


def test_on_a_full_disk_it_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    fill = f"mount -t tmpfs -o size=8k tmpfs {disk}; mkdir -p {disk}/state/labs; dd if=/dev/zero of={disk}/full 2>/dev/null || :"
    lines = attempt(disk, before=fill)
    assert lines[0] == "lab.no_space"
    assert str(disk / "state/labs") in lines[2]


def test_in_a_read_only_home_it_names_the_folder(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    lines = attempt(disk, before=f"mount -t tmpfs -o ro tmpfs {disk}")
    assert lines[0] == "lab.journal"
    assert str(disk) in lines[2]
    assert "Read-only file system" in lines[2]


def test_with_a_read_only_run_it_names_the_directory(tmp_path: Path) -> None:
    lines = attempt(tmp_path, before="mount -t tmpfs -o ro tmpfs /run")
    assert lines[0] == "lab.state_root"
    assert "/run/runt" in lines[2]
    assert list((tmp_path / "state/labs").iterdir()) == []


def test_with_a_read_only_run_that_has_the_directories_it_starts(tmp_path: Path) -> None:
    directories = " ".join(roots.DIRECTORIES)
    lines = attempt(
        tmp_path, before=f"mount -t tmpfs tmpfs /run; mkdir {directories}; mount -o remount,ro /run"
    )
    assert lines[1:] == ["status 0"]


def test_without_cgroups_runt_goes_on_without(tmp_path: Path) -> None:
    assert attempt(tmp_path, before="umount --recursive --lazy /sys/fs/cgroup") == ["started 0", "status 0"]


def test_with_read_only_cgroups_runt_goes_on_without(tmp_path: Path) -> None:
    mounts = "awk '$(NF-2) ~ /^cgroup2?$/ {print $5}' /proc/self/mountinfo"
    remount = f"for each in $({mounts}); do mount -o remount,bind,ro $each; done"
    assert attempt(tmp_path, before=remount) == ["started 0", "status 0"]


def test_without_cgroups_nothing_is_left_either_though_guard_and_keeper_are_killed(tmp_path: Path) -> None:
    """A container with a mount namespace of its own and no cgroup: only the journal names it."""
    namespaces = {"namespaces": [{"type": "mount"}]}
    path = bundle(tmp_path, ["sleep", "1000"], linux=namespaces)
    slaughter = f"""
        import json, signal
        from tests.support.lab import until
        from tutor.lab.journal import load
        from tutor.lab.processes import is_alive, send_signal
        program = lab.spawn(["sh", "-c", "runt create box >/dev/null && runt start box"], cwd=Path({str(path)!r}), stdin=0, stdout=1, stderr=2)
        assert program.wait(20) == 0
        path = str(next((root / "state/labs").glob("*.json")))
        until(lambda: len(load(path).strays) == 1)
        journal = load(path)
        (container,) = journal.strays
        for owner in journal.owners[1:]:
            send_signal(owner, signal.SIGSTOP)
        for owner in journal.owners[1:]:
            send_signal(owner, signal.SIGKILL)
        lab.close()
        print("alive", is_alive(container), list((root / "state/labs").iterdir()))
"""
    script = ATTEMPT.replace(
        "except TutorError", textwrap.indent(textwrap.dedent(slaughter), " " * 8) + "except TutorError"
    )
    before = "umount --recursive --lazy /sys/fs/cgroup"
    assert attempt(tmp_path, before=before, script=script)[2:] == ["alive False []"]


@pytest.mark.parametrize("engine", ["runc", "crun"])
def test_without_cgroups_the_others_are_refused(tmp_path: Path, engine: str) -> None:
    lines = attempt(tmp_path, engine, before="umount --recursive --lazy /sys/fs/cgroup")
    assert lines[0] == "lab.no_cgroup"
    assert engine in lines[2]
    assert "runt" in lines[3]


def test_no_tool_is_needed(tmp_path: Path) -> None:
    """Everything is done by system calls: a machine without util-linux (or with an empty PATH) will do."""
    assert shutil.which("env")
    assert attempt(tmp_path, tool=["env", "PATH=/usr/bin"])[1:] == ["status 0"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("lab.journal", {"path": "/p", "reason": "r"}),
        ("lab.state_root", {"path": "/p", "reason": "r"}),
        ("lab.refused", {"path": "mount(/)", "reason": "r"}),
        ("lab.leftover", {"left": "process 1 (x)"}),
        ("engines.missing.runt", {"engine": "runt"}),
        ("engines.missing.runc", {"engine": "runc"}),
        ("engines.missing.crun", {"engine": "crun"}),
        ("engines.limit.slowed", {"typed": "runt create box"}),
        ("engines.limit.omitted", {"typed": "runt create box"}),
    ],
)
def test_errors_whose_key_is_data_say_what_and_what_now(
    language: str, key: str, values: dict[str, str]
) -> None:
    messages = Messages(language)  # type: ignore[arg-type]  # a Language, by way of parametrize
    title, body, following = TutorError(key, **values).render(messages)
    assert title != key
    assert following
    assert all(value in title + body + following for value in values.values())
