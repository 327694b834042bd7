"""containerd's own client on `runt`, without Docker: `ctr run --runc-binary`."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.daemons import until
from tests.support.libseccomp import disagreements
from tests.support.pseudo_terminal import PseudoTerminal
from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.daemons import Containerd, Quarters
    from tutor.images.mini import BuiltImage

    Run = Callable[..., list[str]]

pytestmark = [pytest.mark.root, pytest.mark.peer("containerd", "ctr", "tini")]


@pytest.fixture
def run(
    containerd: Containerd,
    quarters: Quarters,
    mini: tuple[Path, BuiltImage],
    oci_runtime: str,
    oci_runtime_path: str,
) -> Iterator[Run]:
    """Yield what makes the command line of `ctr run OPTIONS IMAGE ID COMMAND`; what still runs is removed."""
    containerd.ctr("images", "import", "--snapshotter=native", str(mini[0]))
    runtime = [
        *("--runtime", "io.containerd.runc.v2", "--runc-binary", oci_runtime_path),
        *("--runc-root", f"/run/{oci_runtime}-ctr", "--snapshotter", "native"),
    ]

    def command(name: str, *words: str, options: tuple[str, ...] = ()) -> list[str]:
        cgroup = ("--cgroup", f"{quarters.cgroup}/ctr-{name}")
        image = "docker.io/library/mini:latest"
        return containerd.command("run", *runtime, *cgroup, *options, image, name, *words)

    yield command
    for name in containerd.ctr("containers", "list", "--quiet").split():
        subprocess.run(
            containerd.command("task", "delete", "--force", name), capture_output=True, check=False
        )
        containerd.ctr("containers", "delete", name)


def test_in_the_foreground(run: Run) -> None:
    command = run("front", "sh", "-c", "echo out; exit 7", options=("--rm",))
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, "out\n")
    missing = run("missing", "no-such-program", options=("--rm",))
    refused = subprocess.run(missing, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "no-such-program" in refused.stderr


def test_with_a_terminal(run: Run) -> None:
    with PseudoTerminal(
        run("tty", "sh", options=("--rm", "--tty")), dict(os.environ), columns=79, rows=29
    ) as terminal:
        terminal.wait_for("# ")
        terminal.type("tty; stty size\r")
        terminal.wait_for("/dev/pts/0")
        terminal.wait_for("29 79")
        terminal.type("exit 5\r")
        assert terminal.wait_for_end() == 5


def test_default_profile_is_what_libseccomp_makes_of_it(run: Run, containerd: Containerd) -> None:
    """containerd's own, which CRI's RuntimeDefault is too."""
    command = run("profile", "sleep", "100", options=("--detach", "--seccomp"))
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)
    bundle = containerd.root / "state/io.containerd.runtime.v2.task/default/profile"
    profile = json.loads((bundle / "config.json").read_text())["linux"]["seccomp"]
    assert sum(len(rule["names"]) for rule in profile["syscalls"]) > 300
    assert disagreements(profile) == []
    status = containerd.ctr(
        "task", "exec", "--exec-id", "grep", "profile", "grep", "^Seccomp:", "/proc/self/status"
    )
    assert status == "Seccomp:\t2\n"


def test_a_task_from_start_to_deletion(run: Run, containerd: Containerd) -> None:
    """run, exec, ps, pause, resume, kill and delete, each with containerd's status of the task."""
    script = "trap 'exit 9' TERM; while :; do sleep 0.05; done"
    subprocess.run(
        run("life", "sh", "-c", script, options=("--detach",)),
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=patience.scaled(60),
    )

    def status() -> str:
        rows = [line.split() for line in containerd.ctr("tasks", "list").splitlines()]
        return next(row[2] for row in rows if row[0] == "life")

    assert status() == "RUNNING"
    assert containerd.ctr("tasks", "exec", "--exec-id=one", "life", "echo", "inside") == "inside\n"
    assert len(containerd.ctr("tasks", "ps", "life").splitlines()) >= 2
    assert "memory" in containerd.ctr("tasks", "metrics", "life")
    containerd.ctr("tasks", "pause", "life")
    assert status() == "PAUSED"
    containerd.ctr("tasks", "resume", "life")
    assert status() == "RUNNING"
    containerd.ctr("tasks", "kill", "--signal=TERM", "life")
    until(lambda: status() == "STOPPED", "it has stopped")
    delete = containerd.command("tasks", "delete", "life")
    assert "exit code 9" in subprocess.run(delete, capture_output=True, text=True, check=True).stderr
    assert containerd.ctr("tasks", "list", "--quiet") == ""
