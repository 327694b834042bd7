"""Containers of an ordinary user, whose own systemd makes the scope: by `runt` itself, and by podman with its defaults."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runtime.kernel import process as kernel
from runtime.operations.create import create
from runtime.state.options import CreateOptions
from runtime.steps.runner import Plan
from runtime.support.errors import RuntError
from tests.support.cgroups import needs
from tests.support.runt import make_rootfs, wait_for
from tests.vm.killer import Killer
from tests.vm.learner import NAME, Learner, RuntOfLearner, learner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.runt import Bundle

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox", "systemctl", "podman")]

LIMITS = ("--memory=64m", "--memory-swap=96m", "--pids-limit=50")


@pytest.fixture(scope="module")
def user() -> Iterator[Learner]:
    """The user, with an image for podman."""
    if not Path("/checkout/.command").exists():
        pytest.skip("for the virtual machine of script/test --vm")
    with learner() as user:
        make_rootfs(user.home / "rootfs")
        user.ok("tar", "-cf", "mini.tar", "-C", "rootfs", ".")
        user.ok("podman", "import", "--change=ENV PATH=/bin", "mini.tar", "mini")
        yield user


@pytest.fixture
def bundle(user: Learner, request: pytest.FixtureRequest) -> Bundle:
    """A bundle of the user's that sleeps."""
    return user.bundle(f"bundle-{abs(hash(request.node.name))}")


@pytest.fixture
def runt(user: Learner) -> Iterator[RuntOfLearner]:
    """`runt --systemd-cgroup` of the user; at the end the user's systemd must know no unit of a container."""
    runt = RuntOfLearner(user)
    yield runt
    runt.clean_up()
    wait_for(lambda: user.scopes() == [])


def podman(user: Learner, *words: str) -> str:
    """Run podman as the user, with `runt` as its runtime, otherwise as it is by default."""
    return user.ok("podman", f"--runtime={user.program}", *words)


def read(directory: Path, *names: str) -> list[str]:
    return [(directory / name).read_text().strip() for name in names]


def test_podman_with_its_defaults_has_limits_and_leaves_nothing(user: Learner) -> None:
    assert podman(user, "info", "--format={{.Host.CgroupManager}} {{.Host.CgroupsVersion}}") == "systemd v2"
    name = podman(user, "run", "--detach", "--network=none", *LIMITS, "mini", "sleep", "1000")
    scope = user.slice / f"libpod-{name}.scope"
    files = "memory.max", "memory.swap.max", "pids.max"
    assert read(scope, *files) == [str(64 << 20), str(32 << 20), "50"]
    assert podman(user, "exec", name, "cat", "/proc/self/cgroup") == "0::/"
    podman(user, "update", "--memory=80m", "--memory-swap=160m", "--pids-limit=60", name)
    assert read(scope, *files) == [str(80 << 20), str(80 << 20), "60"]
    assert user.shows(scope.name, "MemoryMax", "TasksMax") == {"MemoryMax": str(80 << 20), "TasksMax": "60"}
    podman(user, "pause", name)
    assert (scope / "cgroup.events").read_text().endswith("frozen 1\n")
    podman(user, "unpause", name)
    podman(user, "rm", "--force", "--time=0", name)
    assert not scope.exists()
    wait_for(lambda: user.scopes() == [])


def test_two_at_once_do_not_disturb_each_other(user: Learner) -> None:
    names: list[str] = []

    def run() -> None:
        names.append(podman(user, "run", "--detach", "--network=none", *LIMITS, "mini", "sleep", "1000"))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 2
    assert [read(user.slice / f"libpod-{name}.scope", "pids.max") for name in names] == [["50"], ["50"]]
    podman(user, "rm", "--force", "--time=0", *names)
    wait_for(lambda: user.scopes() == [])


def test_every_operation_works_from_a_cgroup_that_is_not_the_users(
    user: Learner, runt: RuntOfLearner, bundle: Bundle
) -> None:
    bundle.linux["resources"] = {"memory": {"limit": 64 << 20}, "pids": {"limit": 32}}
    runt.create(bundle)
    scope = user.slice / "runt-test.scope"
    assert read(scope, "cgroup.procs", "memory.max", "pids.max") == [
        str(runt.state()["pid"]),
        str(64 << 20),
        "32",
    ]
    runt.ok("start", "test")
    assert runt.ok("exec", "test", "cat", "/proc/self/cgroup") == "0::/\n"
    changed = {"memory": {"limit": 80 << 20}, "pids": {"limit": 44}}
    runt.ok("update", "--resources", "-", "test", input=json.dumps(changed), stdin=None)
    assert read(scope, "memory.max", "pids.max") == [str(80 << 20), "44"]
    assert user.shows("runt-test.scope", "MemoryMax", "TasksMax", "Delegate") == {
        "MemoryMax": str(80 << 20),
        "TasksMax": "44",
        "Delegate": "yes",
    }
    runt.ok("pause", "test")
    assert runt.state()["status"] == "paused"
    runt.ok("resume", "test")
    runt.ok("kill", "test", "KILL")
    runt.wait_until_stopped()
    wait_for(lambda: not scope.exists())
    runt.ok("delete", "test")


def test_limit_without_a_delegated_controller_is_refused_and_leaves_nothing(
    user: Learner, runt: RuntOfLearner, bundle: Bundle
) -> None:
    needs(2, "cpuset")
    assert "cpuset" not in (user.slice / "cgroup.controllers").read_text().split()
    bundle.linux["resources"] = {"cpu": {"cpus": "0"}}
    refused = runt.fail(bundle)
    assert "cannot set cpuset limit: the container's cgroup does not have the controller cpuset" in refused
    assert "Delegate= of user@.service" in refused


def test_root_deletes_a_container_of_the_users_systemd(
    user: Learner, runt: RuntOfLearner, bundle: Bundle
) -> None:
    runt.create(bundle)
    subprocess.run([user.program, "--root", str(runt.root), "delete", "--force", "test"], check=True)
    assert not (user.slice / "runt-test.scope").exists()
    assert user.scopes() == []


def test_delete_when_the_users_systemd_has_gone(user: Learner, runt: RuntOfLearner, bundle: Bundle) -> None:
    runt.create(bundle)
    service = f"user@{user.uid}.service"
    subprocess.run(["systemctl", "stop", service], check=True)
    try:
        refused = runt("create", "-b", str(bundle.path), "other")
        assert refused.returncode == 1
        assert f"the systemd of user {user.uid} cannot be reached" in refused.stderr
        runt.ok("delete", "test")
    finally:
        subprocess.run(["systemctl", "start", service], check=True)


@pytest.mark.parametrize(
    ("moment", "step"),
    [
        ("after", "make_cgroup"),
        ("after", "clone_init"),
        ("after", "move_by_systemd"),
        ("before", "end_placeholder"),
        ("before", "hand_over"),
    ],
)
def test_runtime_that_is_killed_leaves_nothing(
    user: Learner, runt: RuntOfLearner, bundle: Bundle, moment: str, step: str
) -> None:
    bundle.save()
    child = os.fork()
    if child == 0:
        try:
            _create_as(user, runt, bundle, Plan(observer=Killer(step, moment)))
        except RuntError as error:
            print(error.message)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    # Its init ends with it, and systemd removes a scope that has no process.
    wait_for(lambda: user.scopes() == [])
    assert not (user.slice / "runt-test.scope").exists()
    runt.ok("delete", "--force", "test")
    assert runt.ok("list", "-q") == ""


def _create_as(user: Learner, runt: RuntOfLearner, bundle: Bundle, plan: Plan) -> None:
    """Create a container in this process, which becomes the user's."""
    os.environ.clear()
    os.environ.update(user.environment)
    os.initgroups(NAME, user.uid)
    os.setgid(user.uid)
    os.setuid(user.uid)
    # As after execve(2): else its files in /proc belong to root.
    kernel.set_dumpable(True)
    os.chdir(user.home)
    root, path = str(runt.root), str(bundle.path)
    create(CreateOptions(root=root, container_id="test", bundle=path, systemd_cgroup=True), plan)
