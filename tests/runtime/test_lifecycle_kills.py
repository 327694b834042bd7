"""`kill -9` at known moments: a hook that never ends stops the command there, and then the command is killed.

After that, `list` and `state` tell what is left, `delete` takes it away, and nothing remains: no process, no cgroup, no
mount, no state.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runtime.state.store import LOCKS
from tests.support.mounts import mount_table
from tests.support.runt import Bundle, Runt, wait_for
from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.root

ID = f"kills-{os.getpid()}"
MARK = f"RUNT_TEST_MARK={os.getpid()}"
"""In the environment of every process of a test: one that still has it at the end has been left behind."""


def marked() -> list[int]:
    """Return the processes that have the mark, but for this one."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if MARK.encode() in (directory / "environ").read_bytes().split(b"\0"):
                found.append(int(directory.name))
    return found


def cgroups() -> list[str]:
    found: list[str] = []
    for directory, names, _ in os.walk("/sys/fs/cgroup"):
        found += [f"{directory}/{name}" for name in names if name.startswith(ID)]
    return found


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    bundle = Bundle(tmp_path / "bundle").namespaces("pid")
    bundle.process["args"] = ["sleep", "1000"]
    bundle.process["env"] += [MARK]
    return bundle


@pytest.fixture
def runt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runt]:
    """`runt`; nothing may be left at the end."""
    monkeypatch.setenv(*MARK.split("="))
    before = mount_table(tmp_path)
    (tmp_path / "state").mkdir()
    runt = Runt(tmp_path / "state")
    yield runt
    runt.clean_up()
    wait_for(lambda: marked() == [])
    assert cgroups() == []
    assert mount_table(tmp_path) == before
    assert [path.name for path in runt.root.iterdir()] == [LOCKS]
    assert list((runt.root / LOCKS).iterdir()) == []


@contextlib.contextmanager
def held(
    runt: Runt, bundle: Bundle, kind: str, tmp_path: Path, *words: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command that stops at a hook of a kind; kill it at the end of the `with`."""
    fifo = tmp_path / f"{kind}.fifo"
    path = str(fifo)
    if kind == "startContainer":
        fifo, path = bundle.rootfs / "held.fifo", "/held.fifo"
    os.mkfifo(fifo)
    hook = {
        "path": "/bin/sh",
        "args": ["sh", "-c", f"echo > {path}; sleep 1000"],
        "env": [MARK, "PATH=/bin:/usr/bin"],
    }
    bundle.config["hooks"] = {kind: [hook]}
    bundle.save()
    if not words[0].startswith("c"):
        runt.create(bundle, ID)
    if kind == "poststop":
        runt.ok("start", ID)
        runt.ok("kill", ID, "KILL")
        runt.wait_until_stopped(ID)
    with subprocess.Popen(
        runt.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        try:
            fifo.read_text()
            # What must be removed at the end exists now.
            assert marked()
            assert cgroups() or kind == "poststop"
            yield process
        finally:
            process.kill()
            process.wait()


CREATE_HOOKS = ["prestart", "createRuntime", "createContainer"]


@pytest.mark.parametrize("namespaces", [["pid"], []], ids=["own pid namespace", "shared pid namespace"])
@pytest.mark.parametrize("kind", CREATE_HOOKS)
def test_a_killed_create_leaves_a_stopped_container_that_can_be_deleted(
    runt: Runt, bundle: Bundle, tmp_path: Path, kind: str, namespaces: list[str]
) -> None:
    bundle.namespaces(*namespaces)
    with held(runt, bundle, kind, tmp_path, "create", "-b", str(bundle.path), ID):
        assert runt.state(ID)["status"] == "creating"
    bundle.config["hooks"] = {}
    assert runt.state(ID)["status"] == "stopped"
    assert runt.ok("list").splitlines()[1].split()[1:3] == ["0", "stopped"]
    runt.ok("delete", ID)
    assert runt("state", ID).returncode == 1


@pytest.mark.parametrize("kind", CREATE_HOOKS)
def test_a_killed_create_without_a_mount_namespace_leaves_no_mount_on_the_host(
    runt: Runt, bundle: Bundle, tmp_path: Path, kind: str
) -> None:
    """The seed's `"linux": {}` mounts in the caller's mount namespace. The runtime of this test has one of its own."""
    bundle.config["linux"] = {}
    with held(runt, bundle, kind, tmp_path, "create", "-b", str(bundle.path), ID):
        assert any(f" {bundle.rootfs}/proc " in line for line in mount_table(bundle.path))
    runt.ok("delete", "--force", ID)
    assert not any(str(bundle.rootfs) in line for line in mount_table(bundle.path))


@pytest.mark.parametrize("kind", CREATE_HOOKS)
def test_a_create_that_is_at_work_is_ended_by_a_forced_delete(
    runt: Runt, bundle: Bundle, tmp_path: Path, kind: str
) -> None:
    with held(runt, bundle, kind, tmp_path, "create", "-b", str(bundle.path), ID) as creator:
        runt.ok("delete", "--force", ID)
        assert creator.wait(10) == -signal.SIGKILL
        assert runt("state", ID).returncode == 1


def test_after_a_killed_create_the_id_is_taken_until_it_is_deleted(
    runt: Runt, bundle: Bundle, tmp_path: Path
) -> None:
    with held(runt, bundle, "prestart", tmp_path, "create", "-b", str(bundle.path), ID):
        pass
    bundle.config["hooks"] = {}
    bundle.save()
    done = runt("create", "-b", str(bundle.path), ID)
    assert "container with given ID already exists" in done.stderr
    runt.ok("delete", ID)
    runt.create(bundle, ID)
    assert runt.state(ID)["status"] == "created"


@pytest.mark.parametrize("kind", ["startContainer", "poststart"])
def test_a_killed_start_leaves_a_container_that_can_be_deleted(
    runt: Runt, bundle: Bundle, tmp_path: Path, kind: str
) -> None:
    with held(runt, bundle, kind, tmp_path, "start", ID):
        assert runt.state(ID)["status"] in ("created", "running")
    status = runt.state(ID)["status"]
    # In startContainer the program has not run yet; without a runtime to report to, it never runs.
    assert status == ("running" if kind == "poststart" else status)
    assert status in ("created", "running", "stopped")
    runt.ok("list")
    runt.ok("delete", "--force", ID)


def test_what_a_command_left_that_was_killed_before_it_began_is_swept(runt: Runt) -> None:
    """Killed with the lock just taken, or the directory just made."""
    for leftover in (runt.root / LOCKS / ID, runt.root / ID / "config.json"):
        leftover.parent.mkdir(parents=True, exist_ok=True)
        leftover.write_text("")
        assert runt.ok("list", "-q") == ""
        runt.ok("delete", "--force", ID)
        assert not leftover.exists()


def test_a_killed_delete_can_be_repeated(runt: Runt, bundle: Bundle, tmp_path: Path) -> None:
    """It is killed in a poststop hook; the next one runs the hook again, which ends this time."""
    with held(runt, bundle, "poststop", tmp_path, "delete", ID):
        assert runt.state(ID)["status"] == "stopped"
    reader = subprocess.Popen(["cat", str(tmp_path / "poststop.fifo")], stdout=subprocess.DEVNULL)
    assert runt.state(ID)["status"] == "stopped"
    with subprocess.Popen(runt.command("delete", ID), stderr=subprocess.PIPE, text=True) as delete:
        assert reader.wait(10) == 0
        # The hook sleeps: end it, as a user would; its failure is only a warning.
        wait_for(lambda: end_sleepers(delete.pid))
        _, said = delete.communicate(timeout=patience.scaled(10))
    assert delete.returncode == 0
    assert "level=warning" in said
    assert "poststop hook" in said
    assert runt("state", ID).returncode == 1


def end_sleepers(ancestor: int) -> bool:
    """End the processes that sleep below a process; return whether there were any."""
    ended = False
    for child in children(ancestor):
        ended = end_sleepers(child) or ended
        if (Path("/proc") / str(child) / "comm").read_text() == "sleep\n":
            os.kill(child, signal.SIGKILL)
            ended = True
    return ended


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def in_foreground(runt: Runt, bundle: Bundle) -> subprocess.Popen[bytes]:
    bundle.save()
    process = subprocess.Popen(
        runt.command("run", "-b", str(bundle.path), ID), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    wait_for(lambda: ID in runt.ok("list", "-q"))
    wait_for(lambda: runt.state(ID)["status"] == "running")
    return process


def test_a_killed_run_leaves_a_running_container_that_can_be_deleted(runt: Runt, bundle: Bundle) -> None:
    process = in_foreground(runt, bundle)
    process.kill()
    process.wait()
    assert runt.state(ID)["status"] == "running"
    runt.ok("delete", "--force", ID)


def test_a_killed_init_process_lets_run_clean_up(runt: Runt, bundle: Bundle) -> None:
    process = in_foreground(runt, bundle)
    os.kill(runt.state(ID)["pid"], signal.SIGKILL)
    assert process.wait(10) == 128 + signal.SIGKILL
    assert runt.ok("list", "-q") == ""


def test_a_killed_init_process_fails_create_with_one_message(
    runt: Runt, bundle: Bundle, tmp_path: Path
) -> None:
    bundle.config["hooks"] = {
        "createRuntime": [
            {"path": "/bin/sh", "args": ["sh", "-c", "kill -9 $(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/')"]}
        ]
    }
    message = runt.fail(bundle, ID)
    assert "init process" in message
    assert "killed by signal 9" in message


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("kind", CREATE_HOOKS)
def test_an_interrupted_create_leaves_what_can_be_deleted(
    runt: Runt, bundle: Bundle, tmp_path: Path, kind: str, how: signal.Signals
) -> None:
    with held(runt, bundle, kind, tmp_path, "create", "-b", str(bundle.path), ID) as creator:
        creator.send_signal(how)
        creator.wait(10)
    left = runt.ok("list", "-q")
    if how == signal.SIGINT:
        assert left == ""
    elif left:
        assert runt.state(ID)["status"] == "stopped"
        runt.ok("delete", ID)
