"""Many thousands of nearly valid configurations: each is accepted or refused with a message, and nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from runtime.operations.create import create
from runtime.operations.delete import delete
from runtime.state.options import CreateOptions
from tests.faults.world import MARK, World
from tests.support.crowd import DONE, REFUSED, at_once
from tests.support.fuzzed_config import fuzz, nearly

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.runt import Bundle


@pytest.mark.peer("runc")
def test_what_is_nearly_runcs(tmp_path: Path) -> None:
    subprocess.run(["runc", "spec"], cwd=tmp_path, check=True)
    accepted, refused = fuzz(json.loads((tmp_path / "config.json").read_text()), tmp_path, 8000)
    # Some are accepted and some refused.
    assert accepted + refused >= 7500
    assert min(accepted, refused) > 500


def is_harmless(config: Any, base: Any) -> bool:
    """Tell whether a configuration stays inside the test's image, mounts and cgroup: the host must not change."""
    linux = config.get("linux")
    if config.get("root") != base["root"] or not isinstance(linux, dict):
        return False
    namespaces = linux.get("namespaces")
    inside = isinstance(namespaces, list) and all(
        {"type": kind} in namespaces for kind in ("mount", "network")
    )
    return inside and linux.get("cgroupsPath") == base["linux"]["cgroupsPath"]


@pytest.mark.root
@pytest.mark.peer("busybox")
def test_containers_that_are_nearly_right_leave_nothing(bundle: Bundle, tmp_path: Path) -> None:
    """The same, through the whole of `create`, and the deletion of what comes of it."""
    name = f"fuzzed-{os.getpid()}"
    bundle.namespaces("pid", "network", "ipc", "uts", "cgroup")
    bundle.process.update(
        args=["sleep", "1000"],
        env=["PATH=/bin", f"{MARK}={name}"],
        rlimits=[{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 64}],
        capabilities={"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"]},
    )
    bundle.config["mounts"] += [
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755", "nosuid"]},
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},
    ]
    bundle.linux.update(
        cgroupsPath=f"/{name}",
        resources={"pids": {"limit": 100}},
        maskedPaths=["/proc/kcore"],
        readonlyPaths=["/proc/sys"],
        sysctl={"net.ipv4.ip_forward": "1"},
    )
    root, log = tmp_path / "state", tmp_path / "log"
    (root / "@locks").mkdir(parents=True)

    def live() -> None:
        # A process that hangs is killed, and the test fails.
        signal.alarm(20)
        try:
            create(CreateOptions(root=str(root), container_id=name, bundle=str(bundle.path)))
        finally:
            delete(str(root), name, force=True)

    def attempt(config: Any) -> None:
        if not is_harmless(config, bundle.config):
            return
        (bundle.path / "config.json").write_text(json.dumps(config))
        outcome = at_once(log, [live])[0]
        assert outcome in (DONE, REFUSED), log.read_text(errors="replace")
        outcomes.append(outcome)

    outcomes: list[int] = []
    attempt(bundle.config)
    assert outcomes == [DONE]
    world = World(root, bundle.path / "config.json", name, name)
    before = world.look()

    @settings(
        max_examples=150,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(nearly(bundle.config))
    def try_one(config: Any) -> None:
        attempt(config)

    try_one()
    # Most are tried, and of these enough get as far as to a container.
    assert outcomes.count(DONE) > 12
    assert outcomes.count(REFUSED) > 12
    assert world.left_since(before) == []
    assert "Traceback" not in log.read_text(errors="replace")
