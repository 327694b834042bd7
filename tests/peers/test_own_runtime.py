"""The runtime of the course build-your-own, as a learner exports it, with the callers that runc has."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.docker import Docker
from tests.support.own_runtime import model_solution
from tests.support.pseudo_terminal import PseudoTerminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.daemons import Containerd, Quarters
    from tests.support.docker import Dockerd
    from tutor.images.mini import BuiltImage

pytestmark = [pytest.mark.root, pytest.mark.peer("docker", "dockerd", "containerd", "ctr", "tini")]


@pytest.fixture
def mine(dockerd: Dockerd) -> Iterator[Docker]:
    """Yield a Docker whose containers are made by the learner's runtime."""
    docker = Docker(dockerd, "mine")
    yield docker
    docker.remove_all()


def test_docker_runs_a_program_on_it_and_says_so(mine: Docker) -> None:
    assert mine.run(command=["echo", "alpine"]) == "alpine\n"
    container = mine.start(
        "--hostname=box", "--memory=64m", "--pids-limit=50", "--user=1000:1000", "--workdir=/tmp"
    )
    (described,) = json.loads(mine.ok("inspect", container))
    assert described["HostConfig"]["Runtime"] == "mine"
    assert described["State"]["Status"] == "running"
    mine.ok("kill", "--signal=KILL", container)
    assert mine.ok("wait", container) == "137\n"


def test_container_of_docker_is_what_was_asked_for(mine: Docker) -> None:
    script = "hostname; id -u; pwd; cat /proc/self/status; cat /proc/self/mountinfo; ls -l /dev/null /dev/ptmx; exit 7"
    done = mine.try_run(
        "--hostname=box", "--user=1000:1000", "--workdir=/tmp", "--read-only", command=["sh", "-c", script]
    )
    assert done.returncode == 7, done.stderr
    hostname, uid, place, *rest = done.stdout.splitlines()
    assert (hostname, uid, place) == ("box", "1000", "/tmp")
    status = dict(line.split(":\t", 1) for line in rest if ":\t" in line)
    assert int(status["CapEff"], 16) == 0
    assert int(status["CapBnd"], 16) == 0xA80425FB, "the capabilities that Docker gives, and no other"
    (root,) = [words for words in map(str.split, rest) if words[4:5] == ["/"] and "-" in words]
    assert root[5].startswith("ro,")


def test_limits_reach_the_container(mine: Docker) -> None:
    files = "pids.max pids/pids.max memory.max memory/memory.limit_in_bytes"
    script = f"cd /sys/fs/cgroup; for file in {files}; do test ! -e $file || cat $file; done"
    assert set(mine.sh(script, "--memory=64m", "--pids-limit=50").split()) == {str(64 * 1024 * 1024), "50"}


def test_terminal(mine: Docker) -> None:
    command = mine.dockerd.command(*mine.arguments("-it", "--rm"), "sh", "-c", "tty; exit 3")
    with PseudoTerminal(command, dict(os.environ)) as terminal:
        terminal.wait_for("/dev/")
        assert terminal.wait_for_end() == 3


def test_containerd_runs_it_without_docker(
    containerd: Containerd, quarters: Quarters, mini: tuple[Path, BuiltImage], runtimes: dict[str, str]
) -> None:
    containerd.ctr("images", "import", "--snapshotter=native", str(mini[0]))
    options = [
        "--rm",
        "--runtime=io.containerd.runc.v2",
        f"--runc-binary={runtimes['mine']}",
        "--runc-root=/run/mine-ctr",
    ]
    options += ["--snapshotter=native", f"--cgroup={quarters.cgroup}/ctr-mine"]
    command = containerd.command("run", *options, "docker.io/library/mini:latest", "mine", "echo", "alpine")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "alpine\n"), done.stderr


def test_script_is_one_that_can_be_read() -> None:
    """600 lines were aimed at. It is more, for both versions of cgroups and a terminal are in it; it shall not grow unseen."""
    script = model_solution()
    code = ast.parse(script)
    for each in ast.walk(code):
        if isinstance(each, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(each) is not None:
            each.body = each.body[1:] or [ast.Pass()]
    assert "tutor" not in script
    assert max(map(len, script.splitlines())) <= 120
    assert len([line for line in ast.unparse(code).splitlines() if line.strip()]) <= 645
