"""podman on `runt`: run, exec, signals, limits, pods, and all of it without root."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.daemons import until
from tests.support.podman import USER, Podman, runt_of_everybody
from tests.support.pseudo_terminal import PseudoTerminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.daemons import Quarters
    from tutor.images.mini import BuiltImage

pytestmark = [pytest.mark.root, pytest.mark.peer("podman", "conmon", "catatonit", "newuidmap", "tini")]

MIB = 1 << 20
MEMORY = "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes"


@pytest.fixture(scope="module")
def podman_of_root(quarters: Quarters, oci_runtime_path: str, mini: tuple[Path, BuiltImage]) -> Podman:
    podman = Podman(quarters, oci_runtime_path)
    podman.load(mini[0])
    return podman


@pytest.fixture
def podman(podman_of_root: Podman) -> Iterator[Podman]:
    yield podman_of_root
    podman_of_root.remove_all()


@pytest.fixture(scope="module")
def rootless(
    quarters: Quarters, oci_runtime: str, oci_runtime_path: str, mini: tuple[Path, BuiltImage]
) -> Iterator[Podman]:
    path = runt_of_everybody(quarters.path) if oci_runtime == "runt" else oci_runtime_path
    podman = Podman(quarters, path, rootless=True)
    podman.load(mini[0])
    yield podman
    podman.remove_all()


def test_a_program_runs_and_its_streams_and_status_come_back(podman: Podman) -> None:
    done = podman(*podman.arguments("--rm"), "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    missing = podman(*podman.arguments("--rm"), "no-such-program")
    assert missing.returncode == 127, missing.stderr
    refused = podman(*podman.arguments("--rm"), "/etc/passwd")
    assert refused.returncode == 126, refused.stderr
    typed = podman(*podman.arguments("--rm", "--interactive"), "cat", stdin=None, input="typed")
    assert typed.stdout == "typed"


def test_what_a_container_is_given(podman: Podman, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("from the host\n")
    tmp_path.chmod(0o755)
    script = "id -u; id -g; pwd; cat /v/file; touch /x 2>/dev/null || echo refused; cat /proc/self/status"
    shown = podman.run(
        "--user=1000:1001", "--workdir=/var", "--read-only", f"--volume={tmp_path}:/v:ro", "--cap-drop=all",
        "--security-opt=no-new-privileges", command=["sh", "-c", script],
    )  # fmt: skip
    assert shown.splitlines()[:5] == ["1000", "1001", "/var", "from the host", "refused"]
    for line in ("CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in shown


def test_a_terminal(podman: Podman) -> None:
    command = podman.command(*podman.arguments("--rm", "-it"))
    with PseudoTerminal(command, podman.environment(), columns=81, rows=31) as terminal:
        terminal.wait_for("# ")
        terminal.type("tty; stty size\r")
        terminal.wait_for("/dev/pts/0")
        terminal.wait_for("31 81")
        terminal.type("exit 5\r")
        assert terminal.wait_for_end() == 5


def test_from_start_to_stop(podman: Podman) -> None:
    box = podman.start(
        "--hostname=box",
        command=["sh", "-c", "trap 'echo term; exit 9' TERM; echo up; while :; do sleep 0.05; done"],
    )
    until(lambda: podman.ok("logs", box) == "up\n", "it is up")
    assert podman.ok("exec", box, "hostname") == "box\n"
    assert podman.ok("exec", "-u", "1000", "-w", "/var", "-e", "A=b", box, "sh", "-c", "id -u; pwd; echo $A").split() == [
        "1000", "/var", "b",
    ]  # fmt: skip
    assert podman("exec", box, "sh", "-c", "exit 3").returncode == 3
    podman.ok("pause", box)
    assert podman.ok("inspect", "--format={{.State.Status}}", box) == "paused\n"
    podman.ok("unpause", box)
    assert "sleep" in podman.ok("top", box)
    podman.ok("stop", box)
    status = ("inspect", "--format={{.State.Status}} {{.State.ExitCode}}", box)
    until(lambda: podman.ok(*status) == "exited 9\n", "podman has cleaned up after it")
    assert podman.ok("logs", box) == "up\nterm\n"
    podman.ok("start", box)
    podman.ok("kill", "--signal=KILL", box)
    assert podman.ok("wait", box) == "137\n"


def test_limits_that_change(podman: Podman) -> None:
    box = podman.start("--memory=64m", "--pids-limit=50")
    assert podman.ok("exec", box, "sh", "-c", MEMORY) == f"{64 * MIB}\n"
    podman.ok("update", "--memory=32m", box)
    assert podman.ok("exec", box, "sh", "-c", MEMORY) == f"{32 * MIB}\n"
    told = json.loads(podman.ok("stats", "--no-stream", "--format=json", box))
    assert told[0]["pids"] == "1"


def test_a_pod_shares_its_namespaces(podman: Podman) -> None:
    podman.ok(
        "pod",
        "create",
        "--name=pod",
        "--network=none",
        "--share=ipc,net,uts,pid",
        f"--cgroup-parent={podman.quarters.cgroup}",
    )
    first = podman.start("--pod", "pod", command=["sleep", "1111"])
    second = podman.start("--pod", "pod", command=["sleep", "2222"])
    assert "sleep 1111" in podman.ok("exec", second, "ps")
    links = ["sh", "-c", "for kind in net ipc uts pid; do readlink /proc/self/ns/$kind; done"]
    assert podman.ok("exec", first, *links) == podman.ok("exec", second, *links)
    members = podman.ok("ps", "--filter=pod=pod", "--format={{.ID}}").split()
    assert len(members) == 3  # with the one that keeps the namespaces
    assert podman.ok("inspect", "--format={{.State.Status}}", *members) == "running\n" * 3
    podman.ok("pod", "stop", "--time=0", "pod")
    status = ("inspect", "--format={{.State.Status}}", first)
    until(lambda: podman.ok(*status) == "exited\n", "podman has cleaned up after it")


def test_by_another_user_than_root(rootless: Podman) -> None:
    """With the ranges of /etc/subuid: root inside is an ordinary user outside."""
    script = "id -u; cat /proc/self/uid_map; touch /etc/mine && stat -c %u /etc/mine"
    shown = rootless.run(command=["sh", "-c", script]).split()
    assert shown == ["0", *f"0 {USER} 1 1 {USER}0 65536".split(), "0"]
    box = rootless.start(
        "--user=1000", command=["sh", "-c", "trap 'exit 9' TERM; while :; do sleep 0.05; done"]
    )
    assert rootless.ok("exec", box, "id", "-u") == "1000\n"
    assert (
        rootless.ok("exec", "-u", "0", box, "sh", "-c", "cat /proc/1/status | grep -c ^Seccomp:.2").strip()
        == "1"
    )
    rootless.ok("stop", box)
    assert rootless.ok("inspect", "--format={{.State.ExitCode}}", box) == "9\n"
    assert rootless.run("--network=host", command=["true"]) == ""
