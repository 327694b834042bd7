"""`exec`: a further program in a container, and what it is given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

ALL = ("pid", "network", "ipc", "uts", "cgroup", "mount")


@pytest.fixture
def running(runt: Runt, bundle: Bundle) -> Runt:
    """A container "test" that sleeps, in namespaces of its own."""
    bundle.namespaces(*ALL)
    bundle.config["hostname"] = "inside"
    bundle.process["args"] = ["sleep", "1000"]
    bundle.process["env"] += ["FROM=config"]
    start(runt, bundle)
    return runt


def start(runt: Runt, bundle: Bundle) -> int:
    """Create and start the container; return the pid of its init process."""
    runt.create(bundle)
    runt.ok("start", "test")
    return int(runt.state()["pid"])


def process_file(path: Path, **members: Any) -> str:
    """Write a file for --process and return its path."""
    file = path / "process.json"
    file.write_text(json.dumps({"cwd": "/", "args": ["true"], "env": ["PATH=/bin"], **members}))
    return str(file)


def namespaces(pid: int | str) -> dict[str, str]:
    """Return the namespaces of a process by their type."""
    kinds = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
    return {kind: str(Path(f"/proc/{pid}/ns/{kind}").readlink()) for kind in kinds}


def test_it_is_where_the_containers_init_process_is(running: Runt) -> None:
    script = "for f in /proc/self/ns/*; do readlink $f; done; cat /proc/self/cgroup; pwd; hostname"
    seen = running.ok("exec", "test", "sh", "-c", script).split()
    pid = running.state()["pid"]
    assert set(namespaces(pid).values()) <= set(seen)
    inside = [line for line in seen if line.count(":") >= 2]
    assert all(line.endswith(":/") for line in inside)
    assert seen[-2:] == ["/", "inside"]


def test_it_is_in_the_containers_cgroup_and_ends_with_it(running: Runt, tmp_path: Path) -> None:
    running.ok("exec", "-d", "--pid-file", f"{tmp_path}/pid", "test", "sleep", "1000", capture_output=False)
    pid = (tmp_path / "pid").read_text()
    cgroups = Path(f"/proc/{pid}/cgroup").read_text()
    assert cgroups == Path(f"/proc/{running.state()['pid']}/cgroup").read_text()
    assert namespaces(pid) == namespaces(running.state()["pid"])
    running.ok("delete", "--force", "test")
    assert not Path(f"/proc/{pid}/exe").exists()


@pytest.mark.parametrize(("script", "status"), [("exit 7", 7), ("kill -9 $$", 137), ("true", 0)])
def test_its_exit_status_is_passed_on(running: Runt, script: str, status: int) -> None:
    assert running("exec", "test", "sh", "-c", script).returncode == status
