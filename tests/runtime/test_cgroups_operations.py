"""`pause`, `resume`, `update`, `ps` and `events` on real cgroups."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cgroups import CgroupsOf, hierarchies, is_version2, needs
from tests.support.runt import REPOSITORY, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

MEBIBYTE = 1 << 20
COUNT = "i=0; while :; do i=$((i+1)); echo $i > /tmp/count; done"
FORKS = "while :; do (true) & (true) & wait; done"


@pytest.fixture
def container_id(runt: Runt) -> Iterator[str]:
    """An id that no other test run uses; at the end no cgroup of this name may be left."""
    name = f"ops-{os.getpid()}"
    yield name
    runt("delete", "--force", name)
    places = [str(place) for place in hierarchies().values()]
    left = subprocess.run(
        ["find", *places, "-name", f"*{name}*"], capture_output=True, text=True, check=False
    )
    assert left.stdout == ""


def start(runt: Runt, bundle: Bundle, container_id: str) -> CgroupsOf:
    """Run the bundle's program; return the cgroups of the container."""
    bundle.namespaces("pid")
    runt.create(bundle, container_id)
    runt.ok("start", container_id)
    return CgroupsOf(runt.state(container_id)["pid"])


def status(runt: Runt, container_id: str) -> str:
    return str(runt.state(container_id)["status"])


def test_paused_container_stands_still_until_it_is_resumed(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    start(runt, bundle.sh(COUNT), container_id)
    count = bundle.rootfs / "tmp/count"
    wait_for(lambda: count.exists() and bool(count.read_text()))
    runt.ok("pause", container_id)
    assert status(runt, container_id) == "paused"
    assert json.loads(runt.ok("list", "--format", "json"))[0]["status"] == "paused"
    pid = runt.state(container_id)["pid"]
    stopped = count.stat().st_mtime_ns
    assert f"container not running: pause needs a container that is created or running, {container_id}" in (
        runt("pause", container_id).stderr
    )
    assert "paused" in runt("start", container_id).stderr or "running" in runt("start", container_id).stderr
    assert count.stat().st_mtime_ns == stopped
    runt.ok("resume", container_id)
    assert status(runt, container_id) == "running"
    assert runt.state(container_id)["pid"] == pid
    wait_for(lambda: count.stat().st_mtime_ns != stopped)
    assert "container not paused" in runt("resume", container_id).stderr


def test_container_can_be_paused_before_its_start(bundle: Bundle, runt: Runt, container_id: str) -> None:
    runt.create(bundle, container_id)
    runt.ok("pause", container_id)
    assert status(runt, container_id) == "paused"
    assert runt("start", container_id).returncode == 1
    runt.ok("resume", container_id)
    assert status(runt, container_id) == "created"
    runt.ok("start", container_id)
    runt.wait_until_stopped(container_id)
    assert "container not running" in runt("pause", container_id).stderr


def test_container_that_forks_all_the_time_can_be_paused(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    start(runt, bundle.sh(FORKS), container_id)
    for _ in range(5):
        runt.ok("pause", container_id)
        pids = runt.ok("ps", "--format", "json", container_id)
        assert status(runt, container_id) == "paused"
        assert runt.ok("ps", "--format", "json", container_id) == pids
        runt.ok("resume", container_id)


@pytest.mark.parametrize("way", ["kill", "kill all", "delete"])
def test_paused_container_can_be_ended(bundle: Bundle, runt: Runt, container_id: str, way: str) -> None:
    cgroups = start(runt, bundle.sh("sleep 100 & sleep 100"), container_id)
    runt.ok("pause", container_id)
    if way == "delete":
        runt.ok("delete", "--force", container_id)
    else:
        runt.ok("kill", *(["--all"] if way == "kill all" else []), container_id, "KILL")
        runt.wait_until_stopped(container_id)
        runt.ok("delete", container_id)
    assert cgroups.gone()


@pytest.mark.parametrize("way", ["delete --force {}", "kill {} KILL"])
def test_container_that_another_program_has_frozen_elsewhere_can_be_ended(
    bundle: Bundle, runt: Runt, container_id: str, way: str
) -> None:
    """In a cgroup of that program's; there the kernel ends no process, whatever signal it gets."""
    needs(1, "freezer")
    cgroups = start(runt, bundle.sh("sleep 100"), container_id)
    elsewhere = hierarchies()["freezer"] / f"frozen-{container_id}"
    elsewhere.mkdir()
    (elsewhere / "cgroup.procs").write_text(str(runt.state(container_id)["pid"]))
    (elsewhere / "freezer.state").write_text("FROZEN")
    try:
        runt.ok(*way.format(container_id).split())
        wait_for(lambda: (elsewhere / "cgroup.procs").read_text() == "")
    finally:
        (elsewhere / "freezer.state").write_text("THAWED")
        elsewhere.rmdir()
    runt.ok("delete", "--force", container_id)
    assert cgroups.gone()


def test_container_that_another_program_has_frozen_is_paused(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    """Also a pause that was killed: the kernel's state counts."""
    cgroups = start(runt, bundle.sh("sleep 100"), container_id)
    cgroups.write(*("cgroup.freeze", "1") if is_version2() else ("freezer.state", "FROZEN"))
    assert status(runt, container_id) == "paused"
    runt.ok("resume", container_id)
    assert status(runt, container_id) == "running"


def test_other_signals_wait_for_the_end_of_the_pause(bundle: Bundle, runt: Runt, container_id: str) -> None:
    start(runt, bundle.sh("trap 'exit 3' TERM; while :; do sleep 0.01; done"), container_id)
    runt.ok("pause", container_id)
    runt.ok("kill", container_id, "TERM")
    assert status(runt, container_id) == "paused"
    runt.ok("resume", container_id)
    runt.wait_until_stopped(container_id)


def test_update_changes_what_it_is_told_and_nothing_else(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    bundle.linux["resources"] = {
        "memory": {"limit": 32 * MEBIBYTE, "swap": 64 * MEBIBYTE},
        "pids": {"limit": 20},
    }
    cgroups = start(runt, bundle.sh("sleep 100"), container_id)
    # Up and down again: neither of the two orders of memory and swap works for both.
    for size in (512, 24):
        runt.ok("update", "--memory", f"{size}M", "--memory-swap", f"{2 * size}m", container_id)
        if is_version2():
            assert (cgroups["memory.max"], cgroups["memory.swap.max"]) == (f"{size * MEBIBYTE}",) * 2
        else:
            assert cgroups["memory.limit_in_bytes"] == f"{size * MEBIBYTE}"
            assert cgroups["memory.memsw.limit_in_bytes"] == f"{2 * size * MEBIBYTE}"
    assert cgroups["pids.max"] == "20"
    runt.ok(
        "update",
        *("--cpu-quota", "30000", "--cpu-period", "150000", "--cpu-share", "256", "--pids-limit", "9"),
        *("--cpuset-cpus", "0", "--memory-reservation", "8M"),
        container_id,
    )
    if is_version2():
        wanted = {"cpu.max": "30000 150000", "cpu.weight": "35", "memory.low": f"{8 * MEBIBYTE}"}
    else:
        wanted = {"cpu.cfs_quota_us": "30000", "cpu.cfs_period_us": "150000", "cpu.shares": "256"}
        wanted |= {"memory.soft_limit_in_bytes": f"{8 * MEBIBYTE}"}
    wanted |= {"pids.max": "9", "cpuset.cpus": "0"}
    assert {name: cgroups[name] for name in wanted} == wanted
    runt.ok("update", "--pids-limit", "-1", "--cpu-quota", "-1", container_id)
    assert cgroups["pids.max"] == "max"
    assert cgroups["cpu.max" if is_version2() else "cpu.cfs_quota_us"] in ("max 150000", "-1")


def test_update_reads_what_docker_sends(bundle: Bundle, runt: Runt, container_id: str) -> None:
    cgroups = start(runt, bundle.sh("sleep 100"), container_id)
    resources = {
        "memory": {"limit": 64 * MEBIBYTE, "reservation": 0, "swap": 128 * MEBIBYTE},
        "cpu": {"shares": 0, "quota": 0, "period": 0, "cpus": "", "mems": ""},
        "blockIO": {"weight": 0},
        "pids": {"limit": 77},
    }
    runt.ok("update", "--resources", "-", container_id, stdin=None, input=json.dumps(resources))
    assert cgroups["pids.max"] == "77"
    assert cgroups["memory.max" if is_version2() else "memory.limit_in_bytes"] == f"{64 * MEBIBYTE}"
    file = bundle.path / "resources.json"
    file.write_text('{"pids": {"limit": 78}, "devices": [{"allow": true, "access": "rwm"}]}')
    devices = "" if is_version2() else cgroups["devices.list"]
    runt.ok("update", f"--resources={file}", "--pids-limit", "5", container_id)
    assert cgroups["pids.max"] == "78"
    # As with runc, rules for devices stay as they are: at no moment is a device denied that was allowed.
    assert devices == ("" if is_version2() else cgroups["devices.list"])
    assert "a *:* rwm" not in devices


def test_update_reads_a_pipe(bundle: Bundle, runt: Runt, container_id: str) -> None:
    """A shell's <(...) is one."""
    cgroups = start(runt, bundle.sh("sleep 100"), container_id)
    runt.ok("update", "-r", "/dev/stdin", container_id, stdin=None, input='{"pids": {"limit": 79}}')
    assert cgroups["pids.max"] == "79"


def test_update_is_done_as_a_whole_or_not_at_all(bundle: Bundle, runt: Runt, container_id: str) -> None:
    bundle.linux["resources"] = {"pids": {"limit": 20}, "cpu": {"quota": 50000}}
    cgroups = start(runt, bundle.sh("sleep 100"), container_id)
    quota = "cpu.max" if is_version2() else "cpu.cfs_quota_us"
    before = cgroups[quota]
    done = runt("update", "--cpu-quota", "20000", "--pids-limit", "9", "--cpuset-cpus", "4000", container_id)
    assert done.returncode == 1
    assert "failed to write" in done.stderr
    assert (cgroups["pids.max"], cgroups[quota]) == ("20", before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--memory", "lots"], "is not a size such as 64M"),
        (["--cpu-share", "x"], "invalid value for cpu.shares"),
        (["--blkio-weight", "5"], "blockIO.weight: expected a weight from 10 to 1000, found 5"),
        (["--l3-cache-schema", "x"], "Intel RDT/CAT: l3 cache schema is not enabled"),
        (["--resources", "/nowhere"], "/nowhere not found"),
    ],
)
def test_update_says_what_is_wrong(
    bundle: Bundle, runt: Runt, container_id: str, options: list[str], message: str
) -> None:
    runt.create(bundle, container_id)
    done = runt("update", *options, container_id)
    assert done.returncode == 1
    assert message in done.stderr


def test_update_of_a_container_that_has_stopped_is_an_error(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    runt.create(bundle, container_id)
    os.kill(runt.state(container_id)["pid"], signal.SIGKILL)
    runt.wait_until_stopped(container_id)
    assert "container not running" in runt("update", "--pids-limit", "9", container_id).stderr


def test_limit_below_the_use_is_refused_when_the_caller_asks_for_it(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    start(runt, bundle.sh("sleep 100"), container_id)
    resources = {"memory": {"limit": 4096, "swap": 4096, "checkBeforeUpdate": True}}
    done = runt("update", "-r", "-", container_id, stdin=None, input=json.dumps(resources))
    assert done.returncode == 1
    assert "memory" in done.stderr
    assert "usage" in done.stderr
    assert status(runt, container_id) == "running"


def test_ps_lists_the_processes_of_the_container_only(bundle: Bundle, runt: Runt, container_id: str) -> None:
    start(runt, bundle.sh("sleep 100 & sleep 100 & wait"), container_id)
    pids: list[int] = []

    def all_are_there() -> bool:
        pids[:] = json.loads(runt.ok("ps", "--format", "json", container_id))
        return len(pids) == 3

    wait_for(all_are_there)
    assert runt.state(container_id)["pid"] in pids
    heading, *lines = runt.ok("ps", container_id).splitlines()
    assert heading.split()[:2] == ["UID", "PID"]
    assert sorted(int(line.split()[1]) for line in lines) == sorted(pids)
    heading, *lines = runt.ok("ps", container_id, "-o", "pid,comm").splitlines()
    assert heading.split() == ["PID", "COMMAND"]
    assert sorted(int(line.split()[0]) for line in lines) == sorted(pids)
    assert "couldn't find PID field" in runt("ps", container_id, "-o", "comm").stderr
    assert "invalid format option" in runt("ps", "-f", "xml", container_id).stderr


def keys(value: Any) -> Any:
    """Return the names of members at every level."""
    return {name: keys(member) for name, member in value.items()} if isinstance(value, dict) else None


def test_statistics_are_of_this_container(bundle: Bundle, runt: Runt, container_id: str) -> None:
    bundle.linux["resources"] = {"pids": {"limit": 20}, "memory": {"limit": 64 * MEBIBYTE}}
    start(runt, bundle.sh("sleep 100 & sleep 100 & wait"), container_id)
    wait_for(lambda: len(json.loads(runt.ok("ps", "--format", "json", container_id))) == 3)
    event = json.loads(runt.ok("events", "--stats", container_id))
    assert (event["type"], event["id"]) == ("stats", container_id)
    data = event["data"]
    assert data["pids"] == {"current": 3, "limit": 20}
    assert data["memory"]["usage"]["limit"] == 64 * MEBIBYTE
    assert 0 < data["memory"]["usage"]["usage"] <= 64 * MEBIBYTE
    assert data["cpu"]["usage"]["total"] > 0


@pytest.mark.peer("runc")
def test_statistics_have_runcs_form(bundle: Bundle, runt: Runt, container_id: str) -> None:
    needs(1)
    bundle.process["args"] = ["sleep", "100"]
    start(runt, bundle, container_id)
    by_runt = json.loads(runt.ok("events", "--stats", container_id))
    theirs_root = str(bundle.path / "runc")
    runc = ["runc", "--root", theirs_root]
    streams: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    subprocess.run([*runc, "run", "-d", "-b", str(bundle.path), f"{container_id}-c"], check=True, **streams)
    try:
        done = subprocess.run(
            [*runc, "events", "--stats", f"{container_id}-c"], check=True, capture_output=True
        )
    finally:
        subprocess.run([*runc, "delete", "--force", f"{container_id}-c"], check=True)
    by_runc = json.loads(done.stdout)
    for event in (by_runt, by_runc):
        # What is zero is left out, and what isn't zero varies.
        event["data"]["memory"].pop("cache", None)
        # It names what was read from a disk, such as a program that is not in the page cache any more.
        event["data"]["blkio"].clear()
        for entry in ("usage", "swap", "kernel", "kernelTCP"):
            for member in ("usage", "max"):
                event["data"]["memory"][entry].pop(member, None)
    assert keys(by_runt) == keys(by_runc)


def test_events_are_a_stream_until_the_container_ends(bundle: Bundle, runt: Runt, container_id: str) -> None:
    bundle.linux["resources"] = {"memory": {"limit": 12 * MEBIBYTE, "swap": 12 * MEBIBYTE}}
    bundle.sh(
        "while [ ! -e /tmp/go ]; do sleep 0.01; done; sh -c 'x=$(head -c 50000000 /dev/zero | tr \"\\\\0\" x)'; exit 0"
    )
    bundle.config["mounts"].append({"destination": "/dev", "type": "tmpfs", "source": "tmpfs"})
    (bundle.rootfs / "bin/tr").symlink_to("busybox")
    start(runt, bundle, container_id)
    command = runt.command("events", "--interval", "20ms", container_id)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        kinds = [json.loads(process.stdout.readline())["type"]]
        (bundle.rootfs / "tmp/go").touch()
        kinds += [json.loads(line)["type"] for line in process.stdout]
    assert process.returncode == 0
    assert kinds[0] == "stats"
    assert "oom" in kinds
    assert f"container with id {container_id} is not running" in runt("events", container_id).stderr


@pytest.mark.parametrize("interval", ["0s", "5", "x", "-1s"])
def test_interval_is_a_duration(runt: Runt, interval: str) -> None:
    done = runt("events", f"--interval={interval}", "nothing")
    assert done.returncode == 1
    assert "duration" in done.stderr
