"""A lab of an ordinary user whose own systemd runs: its containers have limits, in a cgroup that was delegated to the user."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.runt import REPOSITORY, Bundle, wait_for
from tests.vm.learner import NAME, Learner, learner

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.root,
    pytest.mark.peer("busybox", "runc", "crun", "systemctl", "busctl", "newuidmap"),
]

LABS = """
import os
from pathlib import Path
from tutor.home import Home
from tutor.lab.lab import Lab, prepare
place = Path(os.environ["HOME"])
home = Home(place / "labs", place / "state", place / "cache")
prepare(home)
for engine in ("runt", "runc", "crun"):
    with Lab.start(home=home, engine=engine, workdir=place) as lab:
        print(engine, "lacks cgroup:", "cgroup" in lab.lacks, flush=True)
        argv = [engine, "run", "--bundle", "bundle", "box"]
        lab.spawn(argv, cwd=place, stdin=0, stdout=1, stderr=2).wait()
"""


@pytest.fixture
def user() -> Iterator[Learner]:
    if not Path("/checkout/.command").exists():
        pytest.skip("for the virtual machine of script/test --vm")
    with learner() as user:
        yield user


def python(user: Learner, *words: str, **options: str) -> str:
    """Run Python as the user, from a cgroup that is not the user's; return what it printed."""
    path = f"{Path(user.program).parent}:{user.environment['PATH']}"
    environment = {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY}/.site", "OCI_TUTOR_LANG": "en", "PATH": path}
    done = user("python3", *words, env=environment, **options)
    return str(done.stdout + done.stderr)


def test_each_engines_container_has_limits_and_nothing_is_left(user: Learner) -> None:
    bundle = Bundle(user.home / "bundle").namespaces("pid", "cgroup")
    # Without the first, runc 1.3.6 refuses what the container before it has left in /dev.
    bundle.config["mounts"] += [
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]},
    ]
    bundle.linux["resources"] = {
        "memory": {"limit": 64 << 20},
        "pids": {"limit": 20},
        "cpu": {"quota": 50000, "period": 100000},
    }
    bundle.sh("cd /sys/fs/cgroup; cat memory.max pids.max cpu.max").save()
    for path in (bundle.path, *bundle.path.rglob("*")):
        shutil.chown(path, NAME, NAME) if not path.is_symlink() else None
    limits = "67108864\n20\n50000 100000\n"
    said = python(user, "-c", LABS)
    assert said == "".join(f"{engine} lacks cgroup: False\n{limits}" for engine in ("runt", "runc", "crun"))
    wait_for(lambda: user.scopes() == [], 60)
    assert list(user.slice.parent.rglob("oci-tutor-*")) == []
    told = " ".join(python(user, "-m", "tutor", "doctor").split())
    assert "given a group, or gets one from systemd" in told


def test_without_the_users_systemd_the_steps_with_limits_are_read(user: Learner) -> None:
    bus = Path(f"/run/user/{user.uid}/bus")
    bus.unlink()
    said = python(user, "-m", "tutor", "repl", "cgroups", input="next\nnext\nanswer b\nnext\nnext\n")
    assert "This step cannot be shown here:" in said


def test_the_machines_switch_is_named(user: Learner) -> None:
    switch, now, wanted = Path("/proc/sys/kernel/unprivileged_userns_clone"), "0", "1"  # Debian's
    if not switch.exists():
        switch, now, wanted = Path("/proc/sys/user/max_user_namespaces"), "0", "10000"
    before = switch.read_text()
    switch.write_text(now)
    try:
        said = python(user, "-m", "tutor", "repl", "first-container")
    finally:
        switch.write_text(before)
    name = f"{switch.parent.name}.{switch.name}"
    assert f"{name}={now}" in said
    assert f"sudo sysctl {name}={wanted}" in said
