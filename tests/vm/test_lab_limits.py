"""A lab on a machine with cgroup v2 and systemd: its containers can have limits, although its own cgroup has processes."""

from __future__ import annotations

from pathlib import Path

from tests.support.lab import home
from tutor.lab.lab import Lab


def test_a_labs_containers_can_have_limits_and_it_leaves_no_cgroup(tmp_path: Path) -> None:
    before = Path("/proc/self/cgroup").read_text()
    with Lab.start(home=home(tmp_path), engine="runt", workdir=tmp_path) as lab:
        (directory,) = lab.cgroups
        given = Path(directory, "cgroup.controllers").read_text().split()
        assert {"cpu", "memory", "pids"} <= set(given)
        assert Path(f"/proc/{lab.keeper_pid}/cgroup").read_text() != before
    assert not Path(directory).exists()
    assert Path("/proc/self/cgroup").read_text() == before
