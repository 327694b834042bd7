"""systemd's driver against a real systemd: scopes, their properties, and that none is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runtime.operations.create import create
from runtime.state.options import CreateOptions
from runtime.steps.runner import Plan
from runtime.support.errors import RuntError
from tests.support.runt import wait_for
from tests.vm.conftest import units
from tests.vm.killer import Killer

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox", "systemctl")]

# User-mode Linux has no cpusets. Elsewhere than in the machine these tests are skipped.
CONTROLLERS = Path("/sys/fs/cgroup/cgroup.controllers")
CPUSETS = CONTROLLERS.exists() and "cpuset" in CONTROLLERS.read_text().split()
RESOURCES = {
    "memory": {"limit": 64 << 20, "reservation": 32 << 20, "swap": 96 << 20},
    "cpu": {"shares": 512, "quota": 50_000, "period": 100_000}
    | ({"cpus": "0-1", "mems": "0"} if CPUSETS else {}),
    "pids": {"limit": 32},
    "unified": {"memory.high": str(48 << 20)},
}
PROPERTIES = (
    "MemoryMax MemoryLow MemoryHigh MemorySwapMax CPUWeight CPUQuotaPerSecUSec CPUQuotaPeriodUSec TasksMax AllowedCPUs "
    "AllowedMemoryNodes Slice Delegate ControlGroup"
)


def show(unit: str, *names: str) -> dict[str, str]:
    """Return properties of a unit as systemd tells them."""
    said = subprocess.run(
        ["systemctl", "show", unit, *(f"--property={name}" for name in names)],
        capture_output=True,
        text=True,
        check=True,
    )
    pairs = (line.partition("=") for line in said.stdout.splitlines())
    return {name: value for name, _, value in pairs}


def cgroup_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cgroup").read_text().strip().removeprefix("0::")


def limits(path: str) -> dict[str, str]:
    """Return the contents of the files of a cgroup for the limits of RESOURCES."""
    names = "memory.max memory.low memory.high memory.swap.max cpu.max cpu.weight pids.max"
    names += " cpuset.cpus cpuset.mems" if CPUSETS else ""
    return {name: Path(f"/sys/fs/cgroup{path}", name).read_text().strip() for name in names.split()}


def test_container_without_a_path_is_a_scope_in_the_systems_slice(bundle: Bundle, runt: Runt) -> None:
    runt.create(bundle, "plain")
    pid = runt.state("plain")["pid"]
    assert cgroup_of(pid) == "/system.slice/runt-plain.scope"
    # The process that held the place for init is gone.
    assert Path("/sys/fs/cgroup/system.slice/runt-plain.scope/cgroup.procs").read_text().split() == [str(pid)]
    assert show("runt-plain.scope", "ActiveState", "Delegate") == {"ActiveState": "active", "Delegate": "yes"}
    runt.ok("delete", "--force", "plain")
    assert units() == []


def test_path_names_slice_prefix_and_name(bundle: Bundle, runt: Runt) -> None:
    bundle.linux["cgroupsPath"] = "outer-inner.slice:runt:named"
    runt.create(bundle)
    assert cgroup_of(runt.state()["pid"]) == "/outer.slice/outer-inner.slice/runt-named.scope"
    runt.ok("delete", "--force", "test")


@pytest.mark.parametrize("path", ["/a/b", "a:b", "system.slice:runt:x:y", "system.slice:runt:x.slice"])
def test_path_of_another_form_is_refused(bundle: Bundle, runt: Runt, path: str) -> None:
    bundle.linux["cgroupsPath"] = path
    assert "cgroupsPath" in runt.fail(bundle)


def test_id_with_characters_that_no_unit_has_is_escaped(bundle: Bundle, runt: Runt) -> None:
    runt.create(bundle, "a+b")
    assert units() == ["runt-a\\x2bb.scope"]
    runt.ok("delete", "--force", "a+b")


@pytest.mark.peer("runc")
def test_systemd_and_the_kernel_say_the_same_as_with_runc(bundle: Bundle, runt: Runt, tmp_path: Path) -> None:
    bundle.linux["resources"] = RESOURCES
    bundle.linux["cgroupsPath"] = "system.slice:runt:compared"
    runt.create(bundle)
    by_runt = show("runt-compared.scope", *PROPERTIES.split()), limits("/system.slice/runt-compared.scope")
    runt.ok("delete", "--force", "test")
    runc = ["runc", "--root", str(tmp_path / "runc"), "--systemd-cgroup"]
    subprocess.run([*runc, "create", "-b", str(bundle.path), "test"], check=True, stdout=subprocess.DEVNULL)
    by_runc = show("runt-compared.scope", *PROPERTIES.split()), limits("/system.slice/runt-compared.scope")
    subprocess.run([*runc, "delete", "--force", "test"], check=True)
    # runc 1.1.5 has another formula for shares.
    for properties, files in (by_runt, by_runc):
        assert properties.pop("CPUWeight") == files.pop("cpu.weight")
    assert by_runt == by_runc


def test_update_tells_systemd_too_so_it_survives_a_reload(bundle: Bundle, runt: Runt) -> None:
    bundle.linux["resources"] = RESOURCES
    runt.create(bundle)
    changed: dict[str, Any] = {"memory": {"limit": 80 << 20, "swap": -1}, "pids": {"limit": 77}}
    runt.ok("update", "--resources", "-", "test", input=json.dumps(changed), stdin=None)
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    properties = show("runt-test.scope", "MemoryMax", "TasksMax")
    assert properties == {"MemoryMax": str(80 << 20), "TasksMax": "77"}
    files = limits("/system.slice/runt-test.scope")
    assert (files["memory.max"], files["memory.swap.max"], files["pids.max"]) == (str(80 << 20), "max", "77")
    assert files["cpu.max"] == "50000 100000"
    runt.ok("delete", "--force", "test")


def test_period_without_a_quota_is_written(bundle: Bundle, runt: Runt) -> None:
    """Without a quota, systemd writes its own period."""
    bundle.linux["resources"] = {"cpu": {"period": 200_000}}
    runt.create(bundle)
    assert limits("/system.slice/runt-test.scope")["cpu.max"] == "max 200000"
    runt.ok("update", "--cpu-period", "50000", "test")
    assert limits("/system.slice/runt-test.scope")["cpu.max"] == "max 50000"
    runt.ok("delete", "--force", "test")


def test_scope_that_another_program_made_is_refused_and_stays(bundle: Bundle, runt: Runt) -> None:
    subprocess.run(
        [
            "systemd-run",
            "--quiet",
            "--collect",
            "--unit=runt-taken.scope",
            "--scope",
            "sh",
            "-c",
            "sleep 1000 &",
        ],
        check=True,
    )
    assert "systemd has a unit runt-taken.scope already" in runt.fail(bundle, "taken")
    assert show("runt-taken.scope", "ActiveState") == {"ActiveState": "active"}
    subprocess.run(["systemctl", "stop", "runt-taken.scope"], check=True)


def test_operations_find_the_container_in_its_scope(bundle: Bundle, runt: Runt) -> None:
    bundle.sh("sleep 1000 & wait")
    runt.create(bundle)
    runt.ok("start", "test")
    runt.ok("exec", "test", "true")
    wait_for(lambda: len(json.loads(runt.ok("ps", "--format", "json", "test"))) == 2)
    runt.ok("pause", "test")
    assert runt.state()["status"] == "paused"
    runt.ok("resume", "test")
    runt.ok("kill", "--all", "test", "KILL")
    runt.wait_until_stopped()
    # Empty, it is systemd's to remove.
    wait_for(lambda: units() == [])
    runt.ok("delete", "test")


MOMENTS = [
    ("after", "check_cgroup_limits"),
    ("after", "make_cgroup"),
    ("after", "clone_init"),
    ("before", "end_placeholder"),
    ("after", "end_placeholder"),
    ("before", "hand_over"),
]


@pytest.mark.parametrize(("moment", "step"), MOMENTS)
def test_runtime_that_is_killed_leaves_nothing(
    bundle: Bundle, runt: Runt, moment: str, step: str, tmp_path: Path
) -> None:
    bundle.save()
    child = os.fork()
    if child == 0:
        options = CreateOptions(
            root=str(tmp_path / "state"), container_id="test", bundle=str(bundle.path), systemd_cgroup=True
        )
        try:
            create(options, Plan(observer=Killer(step, moment)))
        except RuntError:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    runt.ok("delete", "--force", "test")
    assert units() == []
    assert not Path("/sys/fs/cgroup/system.slice/runt-test.scope").exists()
    assert runt.ok("list", "-q") == ""
