"""`linux.resources` that no kernel could apply is refused by name before anything is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.config_files import changed, load_text, refusal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("memory.limit", -2, "memory.limit: expected a whole number from -1"),
        (
            "memory.limit",
            "64M",
            'memory.limit: expected a whole number from -1 to 9223372036854775807, found "64M"',
        ),
        ("memory.swappiness", 101, "memory.swappiness: expected a whole number from 0 to 100"),
        (
            "memory",
            {"limit": 2, "swap": 1},
            "memory.swap: memory+swap limit should be >= memory limit 2, found 1",
        ),
        ("memory", {"swap": 1}, "memory.swap: unable to set swap limit without memory limit"),
        ("cpu.period", 999, "cpu.period: expected 1000 to 1000000 microseconds, found 999"),
        ("cpu.quota", 1, "cpu.quota: expected at least 1000 microseconds, found 1"),
        ("cpu", {"quota": 1000, "burst": 1001}, "cpu.burst: expected at most the quota 1000, found 1001"),
        ("cpu", {"realtimePeriod": 1, "realtimeRuntime": 2}, "cpu.realtimeRuntime: expected at most"),
        ("cpu.cpus", "0-", "cpu.cpus: expected numbers and ranges such as 0-3,7, found '0-'"),
        ("cpu.mems", "1-0", "cpu.mems: the range 1-0 ends before it begins"),
        ("cpu.idle", 2, "cpu.idle: expected a whole number from 0 to 1"),
        ("blockIO.weight", 9, "blockIO.weight: expected a weight from 10 to 1000, found 9"),
        (
            "blockIO.weightDevice",
            [{"major": 8, "minor": 0}],
            "blockIO.weightDevice[0]: expected at least one of",
        ),
        (
            "blockIO.throttleReadBpsDevice",
            [{"major": 8}],
            "blockIO.throttleReadBpsDevice[0].minor is required",
        ),
        ("devices", [{"access": "rwm"}], "devices[0].allow is required"),
        ("devices", [{"allow": True}], "devices[0].access is required"),
        (
            "devices",
            [{"allow": True, "type": "p", "access": "r"}],
            "devices[0].type: expected one of a, c, b",
        ),
        ("hugepageLimits", [{"pageSize": "2mb", "limit": 1}], "hugepageLimits[0].pageSize: expected a size"),
        ("network.priorities", [{"name": "eth0"}], "network.priorities[0].priority is required"),
        ("rdma", {"mlx5_1": {}}, "rdma.mlx5_1: expected at least one of hcaHandles and hcaObjects"),
        ("unified", {"../memory.max": "1"}, "must be the name of a file"),
        ("unified", {"memory": "1"}, "must be the name of a file"),
    ],
)
def test_impossible_value_is_refused_with_its_place(
    tmp_path: Path, place: str, value: object, message: str
) -> None:
    refused = refusal(tmp_path, changed(f"linux.resources.{place}", value))
    assert message in refused
    assert "linux.resources" in refused
    assert "(config-linux.md, Control groups)" in refused


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (
            "devices",
            [{"allow": False, "access": "rwm"}, {"allow": True, "major": -1, "minor": -1, "access": "m"}],
        ),
        ("memory", {"limit": -1, "swap": -1, "kernel": -1, "kernelTCP": -1, "checkBeforeUpdate": True}),
        ("cpu", {"shares": 0, "quota": -1, "period": 0, "cpus": "0-1,3, 5", "mems": "0"}),
        ("pids", {"limit": -1}),
        ("blockIO", {"weight": 0, "leafWeight": 10}),
        ("unified", {"memory.high": "max", "cgroup.max.depth": "3"}),
    ],
)
def test_what_a_kernel_may_apply_is_kept(tmp_path: Path, place: str, value: object) -> None:
    config = load_text(tmp_path, changed(f"linux.resources.{place}", value))
    assert config["linux"]["resources"][place] == value
