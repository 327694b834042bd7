"""The statistics of cgroup v1 (the kernel's admin-guide/cgroup-v1)."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.cgroups.group import Group

_BLOCK_IO = (
    ("ioServiceBytesRecursive", "io_service_bytes"),
    ("ioServicedRecursive", "io_serviced"),
    ("ioQueueRecursive", "io_queued"),
    ("ioServiceTimeRecursive", "io_service_time"),
    ("ioWaitTimeRecursive", "io_wait_time"),
    ("ioMergedRecursive", "io_merged"),
    ("ioTimeRecursive", "time"),
    ("sectorsRecursive", "sectors"),
)
"""runc's names and the kernel's."""


def cpu(group: Group) -> dict[str, Any]:
    """Return the processor time in nanoseconds, and how often the quota was used up."""
    ticks = os.sysconf("SC_CLK_TCK")
    share = pairs(group.read("cpuacct.stat"))
    usage: dict[str, Any] = {
        "total": number(group.read("cpuacct.usage")),
        "percpu": [int(time) for time in (group.read("cpuacct.usage_percpu") or "").split()],
    }
    table = [line.split() for line in (group.read("cpuacct.usage_all") or "").split("\n")[1:]]
    usage["percpu_kernel"] = [int(row[2]) for row in table if len(row) > 2]
    usage["percpu_user"] = [int(row[1]) for row in table if len(row) > 2]
    usage = without_zeros(usage)
    usage["kernel"] = share.get("system", 0) * 1_000_000_000 // ticks
    usage["user"] = share.get("user", 0) * 1_000_000_000 // ticks
    throttling = pairs(group.read("cpu.stat"))
    return {
        "usage": usage,
        "throttling": without_zeros(
            {
                "periods": throttling.get("nr_periods", 0),
                "throttledPeriods": throttling.get("nr_throttled", 0),
                "throttledTime": throttling.get("throttled_time", 0),
            }
        ),
    }


def memory(group: Group) -> dict[str, Any]:
    """Return the memory in bytes, and all of `memory.stat` as `raw`."""
    raw = pairs(group.read("memory.stat"))
    return without_zeros(
        {
            "cache": raw.get("cache", 0),
            "usage": _memory_entry(group, "memory"),
            "swap": _memory_entry(group, "memory.memsw"),
            "kernel": _memory_entry(group, "memory.kmem"),
            "kernelTCP": _memory_entry(group, "memory.kmem.tcp"),
            "raw": raw,
        }
    )


def block_io(group: Group) -> dict[str, Any]:
    """Return the bytes and operations read and written, by the scheduler for block devices, else by throttling."""
    found = {}
    for member, name in _BLOCK_IO:
        for file in (
            f"blkio.bfq.{name}_recursive",
            f"blkio.{name}_recursive",
            f"blkio.throttle.{name}_recursive",
        ):
            entries = _block_io_entries(group.read(file))
            if entries:
                found[member] = entries
                break
    return found


def hugepages(group: Group, size: str) -> dict[str, int]:
    """Return the huge pages of one size, in bytes: those reserved, where the kernel counts these."""
    prefix = f"hugetlb.{size}.rsvd"
    if group.path(f"{prefix}.usage_in_bytes") is None:
        prefix = f"hugetlb.{size}"
    counted = without_zeros(
        {
            "usage": number(group.read(f"{prefix}.usage_in_bytes")),
            "max": number(group.read(f"{prefix}.max_usage_in_bytes")),
        }
    )
    return {**counted, "failcnt": number(group.read(f"{prefix}.failcnt"))}


def pairs(text: str | None) -> dict[str, int]:
    """Return the lines `NAME NUMBER` of a file as a mapping, sorted as Go writes one."""
    lines = (line.split() for line in (text or "").split("\n"))
    return dict(sorted((line[0], int(line[1])) for line in lines if len(line) == 2))


def number(text: str | None) -> int:
    """Return the number in a file; 0 if it does not exist, for `max` the greatest of Go."""
    return 2**64 - 1 if text == "max" else int(text or 0)


def without_zeros(members: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is zero or empty."""
    return {member: value for member, value in members.items() if value}


def _memory_entry(group: Group, prefix: str) -> dict[str, int]:
    counted = without_zeros(
        {
            "usage": number(group.read(f"{prefix}.usage_in_bytes")),
            "max": number(group.read(f"{prefix}.max_usage_in_bytes")),
        }
    )
    return {
        "limit": number(group.read(f"{prefix}.limit_in_bytes")),
        **counted,
        "failcnt": number(group.read(f"{prefix}.failcnt")),
    }


def _block_io_entries(text: str | None) -> list[dict[str, Any]]:
    """Return the lines `MAJOR:MINOR [OPERATION] VALUE` of a file, without that of the sum of all devices."""
    entries = []
    for line in (text or "").split("\n"):
        fields = line.replace(":", " ").split()
        if len(fields) >= 3:
            operation = fields[2] if len(fields) == 4 else ""
            entry = {
                "major": int(fields[0]),
                "minor": int(fields[1]),
                "op": operation,
                "value": int(fields[-1]),
            }
            entries.append(without_zeros(entry))
    return entries
