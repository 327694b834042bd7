"""The operations in each state of a container, compared with runc; a changed config.json has no effect on them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from runtime.state import liveness
from tests.support.runt import Bundle, Runt, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runtime.config.types import Process

pytestmark = pytest.mark.root

ID = f"life-{os.getpid()}"
"""Of this test run alone: the cgroups of containers with one id are the same, whatever their state directory."""


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle(tmp_path / "bundle").namespaces("pid")


class Runc(Runt):
    """runc, called as `runt` is."""

    def command(self, *words: str) -> list[str]:
        return ["runc", "--root", str(self.root), *words]


def normal(text: str) -> str:
    """Return what was printed without what differs from container to container or between the two runtimes."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[0-9:]+(\.\d+)?Z", "TIME", text).replace("runc", "runt")
    # Nanoseconds have no trailing zeros: the width of their column differs now and then.
    text = re.sub(r"(CREATED|TIME) +(?=OWNER|root)", r"\1 ", text)
    text = re.sub(r'("ociVersion": ?)"[^"]*"', r'\1"V"', text)
    text = re.sub(r'("pid": ?)[1-9]\d*', r"\1PID", text)
    return re.sub(
        rf"^({ID} +)[1-9]\d*( *)",
        lambda match: f"{match[1]}PID".ljust(len(match[0])),
        text,
        flags=re.MULTILINE,
    )


def everything_said(engine: Runt, bundle: Bundle) -> list[tuple[Any, ...]]:
    """Run the commands of a container's whole lifecycle; return exit status and output of each."""
    said = []

    def do(*words: str) -> None:
        done = engine(*words)
        said.append((words, done.returncode, normal(done.stdout), normal(done.stderr)))

    def look() -> None:
        for words in (["list"], ["list", "-q"], ["list", "-f", "json"], ["state", ID]):
            do(*words)

    look()
    engine.create(bundle, ID)
    look()
    do("create", "-b", str(bundle.path), ID)
    do("kill", ID, "0")
    do("kill", ID, "NOSUCH")
    do("start", ID)
    look()
    do("kill", ID, "SIGUSR1")
    do("kill", ID, "kill")
    engine.wait_until_stopped(ID)
    look()
    do("delete", ID)
    look()
    do("delete", ID)
    do("delete", "--force", ID)
    return said


@pytest.mark.peer("runc")
def test_a_whole_life_looks_like_runcs(tmp_path: Path, bundle: Bundle, runt: Runt) -> None:
    bundle.process["args"] = ["sleep", "1000"]
    bundle.config["annotations"] = {"org.example.a": "b", "org.example.c": "d"}
    # The first process of a pid namespace is not ended by what it doesn't handle, so USR1 changes nothing.
    # A missing root is empty for runt and runc 1.1.5, and an error for runc 1.3.6.
    for engine in (runt, runc := Runc(tmp_path / "runc")):
        engine.root.mkdir(parents=True, exist_ok=True)
    by_runt = everything_said(runt, bundle)
    by_runc = everything_said(runc, bundle.without_devices())
    assert by_runt == by_runc


def test_list_is_aligned_whatever_the_lengths(runt: Runt, bundle: Bundle, tmp_path: Path) -> None:
    for container_id in ("a", "a-rather-long-name-for-a-container"):
        runt.create(bundle, container_id)
    header, *rows = runt.ok("list").splitlines()
    for column in ("PID", "STATUS", "BUNDLE", "CREATED", "OWNER"):
        at = header.index(column)
        assert all(row[at - 1] == " " != row[at] for row in rows)
    assert [row.split()[2] for row in rows] == ["created", "created"]


@contextlib.contextmanager
def blocked_in_hook(
    runt: Runt, bundle: Bundle, kind: str, tmp_path: Path, *words: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command with a hook of a kind that never ends; the hook runs when the `with` begins."""
    fifo = tmp_path / f"{kind}.fifo"
    os.mkfifo(fifo)
    bundle.config["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", f"echo > {fifo}; sleep 1000"]}]}
    bundle.save()
    with subprocess.Popen(
        runt.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        try:
            fifo.read_text()
            yield process
        finally:
            process.kill()


def in_state(runt: Runt, bundle: Bundle, status: str) -> None:
    """Bring the container `test` into a state by real operations."""
    bundle.process["args"] = ["sleep", "1000"]
    runt.create(bundle, ID)
    if status in ("running", "stopped"):
        runt.ok("start", ID)
    if status == "stopped":
        runt.ok("kill", ID, "KILL")
        runt.wait_until_stopped(ID)
    assert runt.state(ID)["status"] == status


REFUSED = {
    ("start", "creating"): "start needs a container that is created",
    ("start", "running"): "start needs a container that is created",
    ("start", "stopped"): "start needs a container that is created",
    ("kill", "creating"): "kill needs a container that is created or running",
    ("kill", "stopped"): "kill needs a container that is created or running",
    ("delete", "creating"): "delete needs a container that is stopped",
    ("delete", "created"): "delete needs a container that is stopped",
    ("delete", "running"): "delete needs a container that is stopped",
}


@pytest.mark.parametrize("status", ["created", "running", "stopped"])
@pytest.mark.parametrize("operation", ["create", "start", "kill", "delete"])
def test_an_operation_in_a_wrong_state_fails_changes_nothing_and_says_which_is_right(
    runt: Runt, bundle: Bundle, operation: str, status: str
) -> None:
    in_state(runt, bundle, status)
    refusal = (
        "container with given ID already exists"
        if operation == "create"
        else REFUSED.get((operation, status))
    )
    if refusal is None:
        runt.ok(operation, ID, *(["0"] if operation == "kill" else []))
        return
    before = runt.state(ID)
    words = ["create", "-b", str(bundle.path)] if operation == "create" else [operation]
    done = runt(*words, ID)
    assert done.returncode == 1
    assert refusal in done.stderr
    assert runt.state(ID) == before
    if before["pid"]:
        os.kill(before["pid"], 0)


@pytest.mark.parametrize("operation", ["start", "kill", "delete"])
def test_nothing_can_be_done_with_a_container_that_is_still_being_created(
    runt: Runt, bundle: Bundle, tmp_path: Path, operation: str
) -> None:
    with blocked_in_hook(
        runt, bundle, "createRuntime", tmp_path, "create", "-b", str(bundle.path), ID
    ) as creator:
        assert runt.state(ID)["status"] == "creating"
        done = runt(operation, ID)
        assert done.returncode == 1
        assert REFUSED[operation, "creating"] in done.stderr
        assert runt.state(ID)["status"] == "creating"
        assert creator.poll() is None
        runt.ok("delete", "--force", ID)
        assert creator.wait(10) == -signal.SIGKILL
    assert runt.ok("list", "-q") == ""


def test_a_change_of_the_configuration_after_create_changes_nothing(runt: Runt, bundle: Bundle) -> None:
    out = runt.create(bundle.sh("echo before"), ID)
    bundle.sh("echo after").save()
    runt.ok("start", ID)
    runt.wait_until_stopped(ID)
    assert out.read_text() == "before\n"
    (bundle.path / "config.json").unlink()
    runt.ok("delete", ID)


@pytest.mark.parametrize("name", ["USR1", "SIGUSR1", "usr1", str(int(signal.SIGUSR1))])
def test_kill_sends_the_signal_that_was_named(runt: Runt, bundle: Bundle, name: str) -> None:
    out = runt.create(
        bundle.sh("trap 'echo got it; exit' USR1; echo ready; while :; do sleep 0.05; done"), ID
    )
    runt.ok("start", ID)
    wait_for(lambda: "ready" in out.read_text())
    runt.ok("kill", ID, name)
    runt.wait_until_stopped(ID)
    assert out.read_text() == "ready\ngot it\n"


@pytest.mark.parametrize(
    ("name", "number"),
    [("RTMIN+3", 37), ("SIGRTMIN+3", 37), ("sigrtmax-1", 63), ("RTMIN", 34), ("SIGRTMAX", 64)],
)
def test_kill_takes_real_time_signals_by_name(runt: Runt, bundle: Bundle, name: str, number: int) -> None:
    """SIGRTMIN+3 is how systemd is asked to halt: an image says so in STOPSIGNAL."""
    bundle.namespaces("pid")
    out = runt.create(
        bundle.sh(f"trap 'echo got; exit' {number}; echo ready; while :; do sleep 0.05; done"), ID
    )
    runt.ok("start", ID)
    wait_for(lambda: "ready" in out.read_text())
    runt.ok("kill", ID, name)
    runt.wait_until_stopped(ID)
    assert out.read_text().endswith("got\n")


@pytest.mark.parametrize("name", ["RTMIN+31", "RTMIN-1", "RTMAX+1", "RTMAX-31", "RTMIN+", "RTMIN+3x"])
def test_a_real_time_signal_that_there_is_not_is_refused(runt: Runt, bundle: Bundle, name: str) -> None:
    runt.create(bundle.sh("sleep 100"), ID)
    assert f'unknown signal "{name}"' in runt("kill", ID, name).stderr.replace('\\"', '"')


@pytest.mark.parametrize("kind", ["pid", "shared"])
def test_kill_all_of_a_stopped_container_has_nothing_to_do(runt: Runt, bundle: Bundle, kind: str) -> None:
    """As with runc 1.1.5: Docker calls it to be sure."""
    if kind == "pid":
        bundle.namespaces("pid")
    runt.create(bundle.sh("true"), ID)
    runt.ok("start", ID)
    runt.wait_until_stopped(ID)
    runt.ok("kill", "--all", ID, "KILL")
    assert runt("kill", ID, "KILL").returncode == 1


def test_list_of_a_root_that_is_named_and_not_there_is_an_error(tmp_path: Path, runt: Runt) -> None:
    runt.root = tmp_path / "no"
    done = runt("list")
    assert done.returncode == 1
    assert f"does not exist: {tmp_path}/no" in done.stderr
    (tmp_path / "no").mkdir()
    assert runt.ok("list", "-q") == ""


def test_kill_without_a_signal_is_term_and_works_before_start(runt: Runt, bundle: Bundle) -> None:
    runt.create(bundle, ID)
    runt.ok("kill", ID)
    runt.wait_until_stopped(ID)
    runt.ok("delete", ID)


def shared_pid_namespace(runt: Runt, bundle: Bundle) -> Process:
    """Start a container that shares the host's pid namespace and leaves a process behind; return that process."""
    bundle.linux["namespaces"] = [{"type": "mount"}]
    out = runt.create(bundle.sh("sleep 1000 > /dev/null 2>&1 & echo $!"), ID)
    runt.ok("start", ID)
    runt.wait_until_stopped(ID)
    left = liveness.identify(int(out.read_text()))
    assert left is not None
    return left


def test_kill_all_reaches_what_outlives_init_in_a_shared_pid_namespace(runt: Runt, bundle: Bundle) -> None:
    left = shared_pid_namespace(runt, bundle)
    assert runt("kill", ID, "TERM").returncode == 1
    assert liveness.is_alive(left)
    runt.ok("kill", "--all", ID, "KILL")
    wait_for(lambda: not liveness.is_alive(left))
    # Docker calls it again when no process is left.
    runt.ok("kill", "--all", ID, "KILL")


@pytest.mark.parametrize("status", ["running", "stopped"])
def test_sigkill_reaches_all_processes_in_a_shared_pid_namespace(
    runt: Runt, bundle: Bundle, status: str
) -> None:
    """With a PID namespace of its own the kernel does that."""
    bundle.linux["namespaces"] = [{"type": "mount"}]
    end = "exec sleep 1000" if status == "running" else "exit 0"
    out = runt.create(bundle.sh(f"sleep 1000 >/dev/null 2>&1 & echo $!; {end}"), ID)
    runt.ok("start", ID)
    wait_for(lambda: runt.state(ID)["status"] == status and out.read_text().endswith("\n"))
    left = liveness.identify(int(out.read_text()))
    runt.ok("kill", ID, "KILL")
    wait_for(lambda: not liveness.is_alive(left))
    runt.wait_until_stopped(ID)
    assert runt("kill", ID, "KILL").returncode == 1


@pytest.mark.parametrize("options", [[], ["--force"]], ids=["plain", "force"])
def test_delete_leaves_no_process_behind_in_a_shared_pid_namespace(
    runt: Runt, bundle: Bundle, options: list[str]
) -> None:
    left = shared_pid_namespace(runt, bundle)
    runt.ok("delete", *options, ID)
    assert not liveness.is_alive(left)


@pytest.mark.parametrize("status", ["created", "running", "stopped"])
def test_force_deletes_a_container_in_any_state(runt: Runt, bundle: Bundle, status: str) -> None:
    in_state(runt, bundle, status)
    pid = runt.state(ID)["pid"]
    runt.ok("delete", "--force", ID)
    assert runt.ok("list", "-q") == ""
    assert not pid or liveness.identify(pid) is None
    runt.ok("delete", "--force", ID)


def test_delete_by_a_regular_expression_takes_what_matches_and_names_what_it_cannot(
    runt: Runt, bundle: Bundle
) -> None:
    for container_id in ("web-1", "web-2", "db-1"):
        runt.create(bundle, container_id)
    done = runt("delete", "--regex", "^web-")
    assert done.returncode == 1
    assert "web-1, web-2" in done.stderr
    assert runt("delete", "--force", "--regex", "web-[").returncode == 1
    assert runt("delete", "--force", "--regex", "[[:alpha:]]").returncode == 1
    assert runt.ok("list", "-q") == "db-1\nweb-1\nweb-2\n"
    runt.ok("delete", "--force", "-r", "b-[12]$")
    assert runt.ok("list", "-q") == ""
    runt.ok("delete", "--regex", "web")


def outcomes(runt: Runt, *words: str) -> list[tuple[int, str]]:
    """Run one command ten times at once; return exit status and error of each."""
    processes = [
        subprocess.Popen(
            runt.command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(10)
    ]
    said = []
    for process in processes:
        _, error = process.communicate()
        said.append((process.returncode, error.partition("msg=")[2].strip().strip('"')))
    return said


def test_of_ten_creates_deletes_and_starts_at_once_exactly_one_succeeds(runt: Runt, bundle: Bundle) -> None:
    bundle.save()
    # Not to a pipe: the container would keep the error stream of the one that succeeds.
    created = [
        subprocess.Popen(
            runt.command("--log", f"{bundle.path}/log", "create", "-b", str(bundle.path), ID),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(10)
    ]
    assert sorted(process.wait() for process in created) == [0] + [1] * 9
    assert (bundle.path / "log").read_text().count("container with given ID already exists") == 9
    assert runt.state(ID)["status"] == "created"
    started = outcomes(runt, "start", ID)
    assert sorted(status for status, _ in started) == [0] + [1] * 9
    assert all("start needs a container that is created" in error for status, error in started if status)
    runt.wait_until_stopped(ID)
    deleted = outcomes(runt, "delete", ID)
    assert sorted(deleted) == [(0, "")] + [(1, "container does not exist")] * 9


def test_ten_forced_deletes_at_once_all_succeed(runt: Runt, bundle: Bundle) -> None:
    in_state(runt, bundle, "running")
    assert outcomes(runt, "delete", "--force", ID) == [(0, "")] * 10
    assert runt.ok("list", "-q") == ""


def test_a_damaged_record_can_be_deleted_and_hides_no_other(runt: Runt, bundle: Bundle) -> None:
    runt.create(bundle, "good")
    damaged = runt.root / "damaged"
    damaged.mkdir()
    (damaged / "state.json").write_text("{")
    done = runt("list", "-q")
    assert done.stdout == "good\n"
    assert "state.json is damaged" in done.stderr
    assert runt("delete", "damaged").returncode == 1
    runt.ok("delete", "--force", "damaged")
    assert not damaged.exists()


def test_the_pid_file_holds_the_pid_as_docker_reads_it(runt: Runt, bundle: Bundle, tmp_path: Path) -> None:
    runt.create(bundle, ID, "--pid-file", f"{tmp_path}/init.pid")
    assert (tmp_path / "init.pid").read_text() == str(runt.state(ID)["pid"])


def test_paths_need_not_be_text(runt: Runt, tmp_path: Path) -> None:
    odd = Bundle(tmp_path / os.fsdecode(b"b\xffndle \xe6\x97\xa5"))
    runt.create(odd.namespaces("pid"), ID)
    for words in (["state", ID], ["list"]):
        done = subprocess.run(runt.command(*words), capture_output=True, check=True)
        assert os.fsencode(odd.path) in done.stdout
    runt.ok("start", ID)
    runt.ok("delete", "--force", ID)


def test_errors_of_create_are_where_docker_looks_for_them(runt: Runt, bundle: Bundle, tmp_path: Path) -> None:
    bundle.config["linux"]["intelRdt"] = {}
    bundle.save()
    done = runt(
        "--log",
        f"{tmp_path}/log.json",
        "--log-format",
        "json",
        "create",
        "--bundle",
        str(bundle.path),
        ID,
    )
    assert done.returncode == 1
    last = json.loads((tmp_path / "log.json").read_text().splitlines()[-1])
    assert last["level"] == "error"
    assert "linux.intelRdt" in last["msg"]
    assert "is not supported by this version of runt" in last["msg"]
    assert done.stderr == last["msg"] + "\n"


def test_debug_says_what_is_being_done(runt: Runt, bundle: Bundle) -> None:
    runt.create(bundle, ID)
    said = runt("--debug", "delete", "--force", ID).stderr
    assert 'level=debug msg="killing container init' in said
    assert f'level=debug msg="container {ID} has been deleted"' in said
