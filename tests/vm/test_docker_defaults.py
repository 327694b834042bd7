"""Docker as Debian installs it, on cgroup v2 with systemd: it passes --systemd-cgroup with every command."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runtime.install.launcher import install_plain
from tests.support.runt import make_rootfs, wait_for
from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox", "dockerd", "docker")]


def docker(*words: str) -> str:
    """Run a command of Docker's client, which must succeed; return what it printed."""
    done = subprocess.run(
        ["docker", *words], capture_output=True, text=True, timeout=patience.scaled(120), check=False
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="module", autouse=True)
def _service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The machine's own Docker, to which `runt` is added, with an image of busybox."""
    if not Path("/checkout/.command").exists():
        pytest.skip("for the virtual machine of script/test --vm")
    directory = tmp_path_factory.mktemp("docker")
    install_plain("/usr/local/bin/runt")
    Path("/etc/docker").mkdir(exist_ok=True)
    Path("/etc/docker/daemon.json").write_text(
        json.dumps({"runtimes": {"runt": {"path": "/usr/local/bin/runt"}}})
    )
    subprocess.run(["systemctl", "start", "docker"], check=True)
    make_rootfs(directory / "rootfs")
    archive = directory / "mini.tar"
    subprocess.run(["tar", "-cf", str(archive), "-C", str(directory / "rootfs"), "."], check=True)
    docker("import", "--change", "ENV PATH=/bin", str(archive), "mini")
    yield
    subprocess.run(["systemctl", "stop", "docker", "docker.socket", "containerd"], check=True)


@pytest.fixture
def container() -> Iterator[str]:
    """A running container with limits; at the end, the container and its scope must be gone."""
    name = docker(
        *(
            "run",
            "--detach",
            "--runtime=runt",
            "--memory=64m",
            "--pids-limit=50",
            "--cpus=0.5",
            "mini",
            "sleep",
            "1000",
        )
    )
    yield name
    docker("rm", "--force", name)
    assert not scope(name).exists()


def scope(name: str) -> Path:
    return Path(f"/sys/fs/cgroup/system.slice/docker-{name}.scope")


def limits(name: str) -> list[str]:
    return [(scope(name) / file).read_text().strip() for file in ("memory.max", "pids.max", "cpu.max")]


def test_machine_has_dockers_defaults() -> None:
    assert docker("info", "--format", "{{.CgroupDriver}} {{.CgroupVersion}}") == "systemd 2"


def test_limits_are_in_the_scope_and_update_changes_them(container: str) -> None:
    assert limits(container) == [str(64 << 20), "50", "50000 100000"]
    docker("update", "--memory=80m", "--memory-swap=160m", "--pids-limit=60", container)
    assert limits(container) == [str(80 << 20), "60", "50000 100000"]
    shown = subprocess.run(
        ["systemctl", "show", "--property=MemoryMax", "--property=TasksMax", scope(container).name],
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(shown.stdout.split()) == [f"MemoryMax={80 << 20}", "TasksMax=60"]


def test_exec_stats_top_pause_and_stop(container: str) -> None:
    assert docker("exec", container, "cat", "/proc/self/cgroup") == "0::/"
    assert "/ 64MiB" in docker("stats", "--no-stream", "--format", "{{.MemUsage}}", container)
    assert "sleep 1000" in docker("top", container)
    docker("pause", container)
    assert (scope(container) / "cgroup.events").read_text().endswith("frozen 1\n")
    docker("unpause", container)
    docker("stop", "--time=1", container)
    wait_for(lambda: not scope(container).exists())
    docker("start", container)
    assert limits(container)[1] == "50"


def test_devices_are_restricted_by_a_program_in_the_kernel() -> None:
    script = "mknod /tmp/disk b 254 0; cat /tmp/disk >/dev/null 2>&1; echo $?; cat /dev/null; echo $?"
    said = docker("run", "--rm", "--runtime=runt", "mini", "sh", "-c", f"busybox {script}")
    assert said.split() == ["1", "0"]


def test_too_much_memory_ends_the_container() -> None:
    name = docker("run", "--detach", "--runtime=runt", "--memory=16m", "mini", "tail", "/dev/zero")
    docker("wait", name)
    assert docker("inspect", "--format", "{{.State.OOMKilled}} {{.State.ExitCode}}", name) == "true 137"
    docker("rm", name)
