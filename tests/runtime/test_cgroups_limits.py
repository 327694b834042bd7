"""`linux.resources`: the kernel has each limit before the program runs, as with runc; what can't be set is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from runtime.cgroups import version2
from runtime.cgroups.group import Group
from tests.support.cgroups import CgroupsOf, hierarchies, is_version2, needs
from tests.support.runt import in_private_mounts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

MEBIBYTE = 1 << 20
RESOURCES: dict[str, Any] = {
    "memory": {
        "limit": 64 * MEBIBYTE,
        "swap": 96 * MEBIBYTE,
        "reservation": 32 * MEBIBYTE,
    },
    "cpu": {"shares": 512, "quota": 50000, "period": 200000, "burst": 1000, "cpus": "0", "mems": "0"},
    "pids": {"limit": 23},
}
FIRST = {
    "memory.limit_in_bytes": f"{64 * MEBIBYTE}",
    "memory.memsw.limit_in_bytes": f"{96 * MEBIBYTE}",
    "memory.soft_limit_in_bytes": f"{32 * MEBIBYTE}",
    "memory.swappiness": "17",
    "memory.kmem.tcp.limit_in_bytes": f"{MEBIBYTE}",
    "cpu.shares": "512",
    "cpu.cfs_quota_us": "50000",
    "cpu.cfs_period_us": "200000",
    "cpu.cfs_burst_us": "1000",
    "cpuset.cpus": "0",
    "cpuset.mems": "0",
    "pids.max": "23",
}
SECOND = {
    "memory.max": f"{64 * MEBIBYTE}",
    "memory.swap.max": f"{32 * MEBIBYTE}",
    "memory.low": f"{32 * MEBIBYTE}",
    "cpu.weight": "59",
    "cpu.max": "50000 200000",
    "cpu.max.burst": "1000",
    "cpuset.cpus": "0",
    "cpuset.mems": "0",
    "pids.max": "23",
}


@pytest.fixture
def container_id() -> Iterator[str]:
    """An id that no other test run uses; at the end no cgroup of this name may be left."""
    name = f"limits-{os.getpid()}"
    yield name
    left = subprocess.run(
        ["find", *map(str, hierarchies().values()), "-name", f"*{name}*"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert left.stdout == ""


def of_container(runt: Runt, container_id: str) -> CgroupsOf:
    return CgroupsOf(runt.state(container_id)["pid"])


def test_each_limit_is_there_when_the_container_has_been_created(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    resources = json.loads(json.dumps(RESOURCES))
    if not is_version2():
        resources["memory"] |= {"swappiness": 17, "kernelTCP": MEBIBYTE, "disableOOMKiller": True}
    bundle.linux["resources"] = resources
    bundle.linux["cgroupsPath"] = f"/{container_id}/inner"
    runt.create(bundle, container_id)
    cgroups = of_container(runt, container_id)
    expected = SECOND if is_version2() else FIRST
    assert {name: cgroups[name] for name in expected} == expected
    if not is_version2():
        assert cgroups["memory.oom_control"].startswith("oom_kill_disable 1 ")
    runt.ok("delete", "--force", container_id)
    assert cgroups.gone()


def test_limit_of_tasks_holds_for_the_program(bundle: Bundle, runt: Runt, container_id: str) -> None:
    bundle.linux["resources"] = {"pids": {"limit": 3}}
    bundle.sh("sleep 100 & sleep 100 & sleep 100 & echo all")
    bundle.save()
    done = runt("run", "-b", str(bundle.path), container_id)
    assert "fork" in done.stderr
    assert "all" not in done.stdout


def test_limit_of_memory_holds_for_the_program(bundle: Bundle, runt: Runt, container_id: str) -> None:
    bundle.linux["resources"] = {"memory": {"limit": 8 * MEBIBYTE, "swap": 8 * MEBIBYTE}}
    bundle.process["args"] = ["tail", "-c", "60m", "/dev/zero"]
    bundle.config["mounts"].append({"destination": "/dev", "type": "tmpfs", "source": "tmpfs"})
    bundle.save()
    assert runt("run", "-b", str(bundle.path), container_id).returncode == 137


def test_too_little_memory_for_init_is_an_error_and_no_reason_to_wait(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    """Without the OOM killer, a process that needs more memory waits for it: v1 only."""
    needs(1)
    bundle.linux["resources"] = {"memory": {"limit": 4096, "disableOOMKiller": True}}
    assert "was killed by signal 9" in runt.fail(bundle, container_id)


def test_zero_leaves_a_limit_as_it_is_and_minus_one_takes_it_off(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    """Docker sends both."""
    bundle.linux["resources"] = {
        "memory": {"limit": 0, "reservation": 0, "swap": 0, "disableOOMKiller": False},
        "cpu": {"shares": 0, "quota": -1, "period": 0},
        "pids": {"limit": -1},
        "blockIO": {"weight": 0},
    }
    runt.create(bundle, container_id)
    cgroups = of_container(runt, container_id)
    assert cgroups["pids.max"] == "max"
    assert cgroups["cpu.max" if is_version2() else "cpu.cfs_quota_us"] in ("max 100000", "-1")
    runt.ok("delete", "--force", container_id)


@pytest.mark.peer("runc")
@pytest.mark.parametrize(
    "resources",
    [
        RESOURCES,
        {"memory": {"limit": -1}},
        {"cpu": {"period": 50000}, "blockIO": {"weight": 300}},
        {
            "devices": [
                {"allow": False, "access": "rwm"},
                {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"},
                {"allow": True, "type": "b", "major": 8, "access": "r"},
            ]
        },
        {},
    ],
    ids=["usual", "unlimited", "weights", "devices", "none"],
)
def test_files_say_the_same_as_with_runc(
    bundle: Bundle, runt: Runt, container_id: str, tmp_path: Path, resources: dict[str, Any]
) -> None:
    runc = shutil.which("runc", path=os.environ.get("PATH", "") + ":/usr/sbin")
    assert runc is not None
    bundle.linux["resources"] = resources
    bundle.linux["cgroupsPath"] = f"/{container_id}"
    bundle.process["args"] = ["sleep", "100"]
    written = (
        "blkio.bfq.weight cpu.cfs_period_us cpu.cfs_quota_us cpu.idle cpu.max cpu.shares "
        "cpuset.cpus cpuset.mems devices.list io.weight memory.limit_in_bytes memory.low memory.max "
        "memory.memsw.limit_in_bytes memory.soft_limit_in_bytes memory.swap.max memory.swappiness pids.max"
    )
    answers, answers_of_devices = [], []
    for command in (
        runt.command(),
        [runc, "--root", f"{tmp_path}/runc"],
    ):
        bundle.save()
        create = [*command, "create", "-b", str(bundle.path), container_id]
        streams: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        subprocess.run(create, check=True, **streams)
        state = subprocess.run([*command, "state", container_id], check=True, capture_output=True)
        cgroups = CgroupsOf(json.loads(state.stdout)["pid"])
        answer = {}
        for name in written.split():
            try:
                answer[name] = cgroups[name]
            except KeyError:
                continue
        words = answer.pop("devices.list", "").split(" ")
        answers_of_devices.append({tuple(words[i : i + 3]) for i in range(0, len(words), 3)})
        answers.append(answer)
        subprocess.run([*command, "delete", "--force", container_id], check=True)
    assert answers[0] == answers[1]
    assert answers_of_devices[0] == answers_of_devices[1]
    assert len(answers[0]) > 8


def test_devices_that_are_not_allowed_cannot_be_opened_and_the_usual_ones_can(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    bundle.config["mounts"].append({"destination": "/dev", "type": "tmpfs", "source": "tmpfs"})
    bundle.config["mounts"].append(
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance"]}
    )
    # Numbers without a driver: a permitted open says that there is none, another that it is not permitted.
    bundle.linux["devices"] = [
        {"type": "c", "path": f"/dev/{name}", "major": 240, "minor": minor, "fileMode": 0o666}
        for minor, name in enumerate(["read", "write", "none"])
    ]
    bundle.linux["resources"] = {
        "devices": [
            {"allow": False, "access": "rwm"},
            {"allow": True, "type": "c", "major": 240, "minor": 0, "access": "rw"},
            # As with runc, letters that are no access are ignored.
            {"allow": False, "type": "c", "major": 240, "minor": 0, "access": "wa"},
            {"allow": True, "type": "c", "major": 240, "minor": 1, "access": "xw"},
            {"allow": True, "type": "c", "major": 240, "minor": 2, "access": "x"},
        ]
    }
    bundle.sh(
        """
        echo > /dev/null && head -c 1 /dev/zero | wc -c
        exec 2>&1
        for name in read write none; do
            (: < /dev/$name)
            (: > /dev/$name) || true
        done
        """
    )
    bundle.save()
    done = runt("run", "-b", str(bundle.path), container_id)
    heading, *answers = done.stdout.splitlines()
    assert "linux.resources.devices[2].access: 'a' is ignored" in done.stderr
    assert heading == "1"
    missing, denied = "No such device or address", "Operation not permitted"
    assert [answer.rpartition(": ")[2] for answer in answers] == [
        missing,
        denied,
        denied,
        missing,
        denied,
        denied,
    ]


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (
            {"rdma": {"mlx5_1": {"hcaHandles": 1}}},
            "cannot set rdma limit: there is no cgroup controller rdma",
        ),
        ({"cpu": {"shares": 1}}, "the minimum allowed cpu-shares is 2"),
        ({"unified": {"memory.high": "1"}}, "cannot use unified on cgroup v1"),
    ],
    ids=["controller", "shares", "unified"],
)
def test_what_version_1_cannot_do_is_refused_before_anything_is_made(
    bundle: Bundle, runt: Runt, container_id: str, resources: dict[str, Any], message: str
) -> None:
    needs(1)
    bundle.linux["resources"] = resources
    bundle.linux["cgroupsPath"] = f"/{container_id}"
    refused = runt.fail(bundle, container_id)
    assert message in refused
    assert "check_cgroup_limits" in refused


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ({"memory": {"swappiness": 1}}, "linux.resources.memory.swappiness is not possible with cgroup v2"),
        ({"memory": {"disableOOMKiller": True}}, "memory.disableOOMKiller is not possible"),
        ({"network": {"classID": 1}}, "linux.resources.network.classID is not possible"),
        (
            {"unified": {"nothing.max": "1"}},
            "cannot set nothing limit: there is no cgroup controller nothing",
        ),
    ],
    ids=["swappiness", "oom", "network", "unified"],
)
def test_what_version_2_cannot_do_is_refused_before_anything_is_made(
    bundle: Bundle, runt: Runt, container_id: str, resources: dict[str, Any], message: str
) -> None:
    needs(2)
    bundle.linux["resources"] = resources
    assert message in runt.fail(bundle, container_id)


def test_unified_writes_files_of_version_2_as_they_are(bundle: Bundle, runt: Runt, container_id: str) -> None:
    needs(2, "memory", "pids")
    bundle.linux["resources"] = {
        "pids": {"limit": 5},
        "unified": {"memory.high": f"{MEBIBYTE}", "pids.max": "7", "cgroup.max.depth": "3"},
    }
    runt.create(bundle, container_id)
    cgroups = of_container(runt, container_id)
    assert cgroups["memory.high"] == f"{MEBIBYTE}"
    assert cgroups["pids.max"] == "7"
    assert cgroups["cgroup.max.depth"] == "3"
    runt.ok("delete", "--force", container_id)


def test_value_that_this_kernel_refuses_leaves_nothing_behind(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    bundle.linux["resources"] = {"cpu": {"cpus": "4000"}}
    bundle.linux["cgroupsPath"] = f"/{container_id}"
    refused = runt.fail(bundle, container_id)
    assert "failed to write" in refused
    assert "cpuset.cpus" in refused


def test_controllers_of_huge_pages_and_of_the_network(bundle: Bundle, runt: Runt, container_id: str) -> None:
    """With v1 each is a hierarchy of its own, which need not be mounted: here it is, for this test alone."""
    needs(1)
    bundle.linux["resources"] = {
        "hugepageLimits": [{"pageSize": "2MB", "limit": 4 << 20}],
        "network": {"classID": 0x100001, "priorities": [{"name": "lo", "priority": 5}]},
    }
    bundle.linux["cgroupsPath"] = f"/{container_id}"
    bundle.save()
    places = {name: bundle.path / name for name in ("hugetlb", "net_cls", "net_prio")}
    files = {
        "hugetlb": "hugetlb.2MB.limit_in_bytes hugetlb.2MB.rsvd.limit_in_bytes",
        "net_cls": "net_cls.classid",
        "net_prio": "net_prio.ifpriomap",
    }
    script = "".join(
        f"mkdir -p {path}; mount -t cgroup -o {name} cgroup {path}\n" for name, path in places.items()
    )
    create = " ".join(runt.command("create", "-b", str(bundle.path), container_id))
    script += f"{create} > /dev/null\n"
    script += "".join(f"cd {path}/{container_id}; cat {files[name]}\n" for name, path in places.items())
    script += " ".join(runt.command("delete", "--force", container_id))
    done = in_private_mounts(script, runt)
    hugepages, reserved, class_id, *priorities = done.stdout.splitlines()
    assert (hugepages, reserved, class_id) == (f"{4 << 20}", f"{4 << 20}", f"{0x100001}")
    assert "lo 5" in priorities


def test_what_asks_for_nothing_needs_no_controller() -> None:
    """Docker writes all of this for a container without limits; below a cgroup with processes v2 has no controllers."""
    resources: Any = {"memory": {}, "cpu": {"shares": 0}, "blockIO": {"weight": 0}, "pids": {}}
    assert list(version2.settings(resources, Group([]))) == []


@pytest.mark.parametrize(("version", "limit"), [("1.0.2-dev", "max"), ("1.2.1", "max"), ("1.3.0", "1")])
def test_zero_processes_is_no_limit_for_files_older_than_1_3(
    bundle: Bundle, runt: Runt, container_id: str, version: str, limit: str
) -> None:
    """podman 4.3 writes it for `--pids-limit=-1`."""
    bundle.config["ociVersion"] = version
    bundle.linux["resources"] = {"pids": {"limit": 0}}
    runt.create(bundle, container_id)
    assert of_container(runt, container_id)["pids.max"] == limit
    runt.ok("delete", "--force", container_id)
