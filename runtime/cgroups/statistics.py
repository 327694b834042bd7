"""Statistics of a container from the files of its cgroup, in the form of runc's `events` (types/events.go).

Members that Go leaves out when they are zero (`omitempty`) are left out here too.
"""

from __future__ import annotations

import os

from runtime.cgroups import statistics_version1, statistics_version2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.cgroups.group import Group


def read(group: Group) -> dict[str, Any]:
    """Return the statistics of the cgroup."""
    version = statistics_version2 if group.is_version2 else statistics_version1
    statistics: dict[str, Any] = {
        "cpu": version.cpu(group),
        "cpuset": _cpuset(group),
        "memory": version.memory(group),
        "pids": _pids(group),
        "blkio": version.block_io(group),
        "hugetlb": {size: version.hugepages(group, size) for size in _page_sizes(group)},
        "intel_rdt": {},
        "network_interfaces": None,
    }
    return statistics


def _cpuset(group: Group) -> dict[str, Any]:
    """Return the processors and memory nodes; the other members are v1's."""
    cpuset: dict[str, Any] = {}
    for member in ("cpus", "mems"):
        numbers = _numbers(group.read(f"cpuset.{member}") or "")
        if numbers:
            cpuset[member] = numbers
    for name in (
        "cpu_exclusive",
        "mem_hardwall",
        "mem_exclusive",
        "memory_migrate",
        "memory_spread_page",
        "memory_spread_slab",
        "memory_pressure",
        "sched_load_balance",
        "sched_relax_domain_level",
    ):
        cpuset[name] = int(group.read(f"cpuset.{name}") or 0)
    return cpuset


def _pids(group: Group) -> dict[str, int]:
    current, limit = group.read("pids.current"), group.read("pids.max")
    pids = {"current": int(current or 0), "limit": 0 if limit in (None, "max") else int(limit or 0)}
    return {member: number for member, number in pids.items() if number}


def _page_sizes(group: Group) -> list[str]:
    """Return the sizes of huge pages that the cgroup counts, as in the names of its files: `2MB`."""
    # A hybrid machine's v2 may have this controller, whose files have other names.
    limit = ".max" if group.is_version2 else ".limit_in_bytes"
    sizes = set()
    for directory in group.directories:
        for name in os.listdir(directory):
            if name.startswith("hugetlb.") and name.endswith(limit):
                sizes.add(name.split(".")[1])
    return sorted(sizes)


def _numbers(text: str) -> list[int]:
    """Return the numbers of a list such as `0-3,7`."""
    numbers: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers
