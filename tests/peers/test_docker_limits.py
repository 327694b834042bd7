"""Docker's limits with `runt`: what the kernel enforces, and the output of `update`, `stats` and `top`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.daemons import until

if TYPE_CHECKING:
    from tests.support.docker import Docker

pytestmark = [pytest.mark.root, pytest.mark.peer("docker", "dockerd", "containerd", "tini")]

MIB = 1 << 20
# The file of a limit: cgroup v2's, else cgroup v1's.
MEMORY = "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes"
PIDS = "cat /sys/fs/cgroup/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids/pids.max"
CPU = "cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us"
CPUSET = "cat /sys/fs/cgroup/cpuset.cpus 2>/dev/null || cat /sys/fs/cgroup/cpuset/cpuset.cpus"


def test_limits_reach_the_kernel(docker: Docker) -> None:
    script = f"{MEMORY}; {PIDS}; {CPU}; {CPUSET}"
    shown = docker.sh(script, "--memory=64m", "--pids-limit=50", "--cpus=0.5", "--cpuset-cpus=0").split()
    assert shown == [str(64 * MIB), "50", "50000", "100000", "0"]


def test_who_takes_too_much_memory_is_killed_and_docker_knows_why(docker: Docker) -> None:
    # tail keeps what has no line end: all of it. It is told when containerd is surely watching.
    greedy = "until [ -e /go ]; do sleep 0.02; done; exec tail /dev/zero"
    box = docker.start("--memory=16m", "--memory-swap=16m", command=["sh", "-c", greedy])
    docker.ok("exec", box, "touch", "/go")
    docker.wait_for_status(box, "exited")
    # containerd reports it separately from the exit, perhaps later.
    until(lambda: docker.state(box)["OOMKilled"], "Docker hears of the OOM kill")
    assert docker.state(box)["ExitCode"] == 137


def test_no_more_processes_than_allowed(docker: Docker) -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; echo all"
    done = docker.try_run("--pids-limit=5", command=["sh", "-c", script])
    assert "all" not in done.stdout
    assert "can't fork" in done.stderr


def test_devices_are_allowed_one_by_one(docker: Docker) -> None:
    script = (
        "mknod /tmp/zero c 1 5 && head -c 1 /tmp/zero | wc -c; mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem"
    )
    done = docker.try_run(command=["sh", "-c", script])
    assert done.stdout == "1\n"
    assert "not permitted" in done.stderr
    allowed = docker.try_run(
        "--device-cgroup-rule=c 10:200 rw", command=["sh", "-c", "mknod /tmp/x c 10 200 && : < /tmp/x"]
    )
    # Allowed by the cgroup: whether the host has the device is another matter.
    assert "not permitted" not in allowed.stderr


def test_limits_are_changed_while_it_runs(docker: Docker) -> None:
    box = docker.start("--memory=64m", "--memory-swap=64m")
    docker.ok("update", "--memory=32m", "--memory-swap=32m", "--pids-limit=20", "--cpus=0.25", box)
    shown = docker.ok("exec", box, "sh", "-c", f"{MEMORY}; {PIDS}; {CPU}").split()
    assert shown == [str(32 * MIB), "20", "25000", "100000"]


def test_stats_and_top(docker: Docker) -> None:
    box = docker.start("--memory=64m", command=["sh", "-c", "sleep 1000 & exec sleep 2000"])

    def stats() -> dict[str, str]:
        told: dict[str, str] = json.loads(docker.ok("stats", "--no-stream", "--format={{json .}}", box))
        return told

    told = stats()
    assert told["PIDs"] == "2"
    assert told["MemUsage"].endswith("/ 64MiB")
    rows = docker.ok("top", box, "-o", "pid,args").splitlines()
    assert rows[0].split() == ["PID", "COMMAND"]
    assert sorted(row.split(maxsplit=1)[1] for row in rows[1:]) == ["sleep 1000", "sleep 2000"]


def test_the_score_of_the_oom_killer_and_the_cgroups_parent(docker: Docker) -> None:
    assert docker.run("--oom-score-adj=500", command=["cat", "/proc/self/oom_score_adj"]) == "500\n"
    parent = f"{docker.dockerd.quarters.cgroup}/nested/deep"
    shown = docker.run(f"--cgroup-parent={parent}", command=["cat", "/proc/self/cgroup"])
    until(lambda: parent in shown, "its cgroup is below the one that was asked for")
