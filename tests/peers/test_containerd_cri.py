"""The interface of Kubernetes: containerd's CRI with `runt` as a runtime handler, as a RuntimeClass names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cri import Cri, CriError
from tests.support.daemons import until
from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.daemons import Containerd, Quarters

pytestmark = [pytest.mark.root, pytest.mark.peer("containerd", "ctr", "curl", "tini")]

READY, RUNNING, EXITED = 0, 1, 2  # states of a sandbox, and of containers
POD, NODE = 0, 2  # whose namespace
MIB = 1 << 20


class Pod:
    """A pod sandbox and its containers, made and removed as the kubelet does it."""

    def __init__(self, cri: Cri, quarters: Quarters, logs: Path, handler: str) -> None:
        self.cri = cri
        self.logs = logs
        namespaces = {"network": NODE, "pid": POD, "ipc": POD}
        self.config: dict[str, Any] = {
            "metadata": {"name": "pod", "uid": "callers", "namespace": "default", "attempt": 0},
            "log_directory": str(logs),
            "linux": {
                "cgroup_parent": f"{quarters.cgroup}/pod",
                "security_context": {"namespace_options": namespaces},
            },
        }
        self.security: dict[str, Any] = {"namespace_options": namespaces}
        self.id = str(cri("RunPodSandbox", config=self.config, runtime_handler=handler)["pod_sandbox_id"])

    def start(
        self, name: str, script: str, *, resources: dict[str, int] | None = None, **security: Any
    ) -> str:
        """Create and start a container that runs a shell script; return its id."""
        config = {
            "metadata": {"name": name},
            "image": {"image": "docker.io/library/mini:latest"},
            "command": ["sh", "-c", script],
            "envs": [{"key": "NAME", "value": name}],
            "log_path": f"{name}.log",
            "linux": {"resources": resources or {}, "security_context": {**self.security, **security}},
        }
        container = str(
            self.cri("CreateContainer", pod_sandbox_id=self.id, config=config, sandbox_config=self.config)[
                "container_id"
            ]
        )
        self.cri("StartContainer", container_id=container)
        return container

    def exec(self, container: str, script: str) -> tuple[str, int]:
        """Run a script in a container, as a probe does; return its output and status."""
        done = self.cri(
            "ExecSync", container_id=container, cmd=["sh", "-c", script], timeout=int(patience.scaled(20))
        )
        return done["stdout"], done["exit_code"]

    def status(self, container: str) -> dict[str, Any]:
        """Return a container's status."""
        status: dict[str, Any] = self.cri("ContainerStatus", container_id=container)["status"]
        return status

    def remove(self) -> None:
        """Stop and remove the sandbox with everything in it."""
        self.cri("StopPodSandbox", pod_sandbox_id=self.id)
        self.cri("RemovePodSandbox", pod_sandbox_id=self.id)


@pytest.fixture
def pod(kubernetes_images: Containerd, quarters: Quarters, tmp_path: Path, oci_runtime: str) -> Iterator[Pod]:
    pod = Pod(Cri(kubernetes_images.address), quarters, tmp_path, oci_runtime)
    yield pod
    pod.remove()


def test_two_containers_of_a_pod_share_its_namespaces(pod: Pod, oci_runtime: str) -> None:
    sandbox = pod.cri("PodSandboxStatus", pod_sandbox_id=pod.id)["status"]
    assert (sandbox["state"], sandbox["runtime_handler"]) == (READY, oci_runtime)
    first = pod.start("first", "echo from $NAME; exec sleep 1111")
    second = pod.start("second", "exec sleep 2222")
    for container in (first, second):
        assert pod.status(container)["state"] == RUNNING
    processes, status = pod.exec(first, "ps")
    assert status == 0
    assert "sleep 1111" in processes
    assert "sleep 2222" in processes
    links = "for kind in ipc pid uts net; do readlink /proc/self/ns/$kind; done"
    assert pod.exec(first, links) == pod.exec(second, links)
    assert pod.exec(first, links)[0].count("\n") == 4
    mounts = "readlink /proc/self/ns/mnt"
    assert pod.exec(first, mounts) != pod.exec(second, mounts)
    assert "stdout F from first" in (pod.logs / "first.log").read_text()


def test_from_start_to_removal(pod: Pod) -> None:
    container = pod.start("life", "trap 'exit 7' TERM; while :; do sleep 0.05; done")
    assert pod.exec(container, "echo $NAME; exit 3") == ("life\n", 3)
    stats = pod.cri("ContainerStats", container_id=container)["stats"]
    assert stats["cpu"]["usage_core_nano_seconds"]["value"] > 0
    assert stats["memory"]["working_set_bytes"]["value"] > 0
    pod.cri("StopContainer", container_id=container, timeout=20)
    assert (pod.status(container)["state"], pod.status(container)["exit_code"]) == (EXITED, 7)
    pod.cri("RemoveContainer", container_id=container)
    with pytest.raises(CriError, match="not found"):
        pod.status(container)


def test_a_security_context_and_limits(pod: Pod) -> None:
    resources = {
        "memory_limit_in_bytes": 32 * MIB,
        "cpu_period": 100_000,
        "cpu_quota": 50_000,
        "cpu_shares": 512,
    }
    container = pod.start(
        "limited", "exec sleep 1000", resources=resources,
        run_as_user={"value": 1000}, run_as_group={"value": 1001}, readonly_rootfs=True, no_new_privs=True,
        capabilities={"drop_capabilities": ["ALL"]}, seccomp={"profile_type": 0},
    )  # fmt: skip
    shown, _ = pod.exec(
        container, "id -u; id -g; touch /x 2>/dev/null || echo refused; cat /proc/self/status"
    )
    assert shown.split()[:3] == ["1000", "1001", "refused"]
    for line in ("CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in shown
    memory = "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes"
    assert pod.exec(container, memory)[0] == f"{32 * MIB}\n"
    pod.cri("UpdateContainerResources", container_id=container, linux={"memory_limit_in_bytes": 24 * MIB})
    assert pod.exec(container, memory)[0] == f"{24 * MIB}\n"


def test_who_takes_too_much_memory_is_reported_as_such(pod: Pod) -> None:
    greedy = "until [ -e /go ]; do sleep 0.02; done; exec tail /dev/zero"
    container = pod.start("greedy", greedy, resources={"memory_limit_in_bytes": 16 * MIB})
    pod.exec(container, "touch /go")
    until(lambda: pod.status(container)["state"] == EXITED, "it has been killed")
    assert pod.status(container)["exit_code"] == 137
    until(lambda: pod.status(container)["reason"] == "OOMKilled", "the reason is known")


def test_what_cannot_be_started_says_why(pod: Pod) -> None:
    config = {
        "metadata": {"name": "missing"},
        "image": {"image": "docker.io/library/mini:latest"},
        "command": ["no-such-program"],
        "linux": {"security_context": pod.security},
    }
    made = pod.cri("CreateContainer", pod_sandbox_id=pod.id, config=config, sandbox_config=pod.config)
    with pytest.raises(CriError, match="no-such-program"):
        pod.cri("StartContainer", container_id=made["container_id"])
