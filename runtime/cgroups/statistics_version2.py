"""The statistics of cgroup v2 (the kernel's admin-guide/cgroup-v2), under the names of v1."""

from __future__ import annotations

from runtime.cgroups.statistics_version1 import number, pairs, without_zeros

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.cgroups.group import Group

_BLOCK_IO = {
    "rbytes": ("ioServiceBytesRecursive", "Read"),
    "wbytes": ("ioServiceBytesRecursive", "Write"),
    "rios": ("ioServicedRecursive", "Read"),
    "wios": ("ioServicedRecursive", "Write"),
}
_NO_LIMIT = 2**64 - 1


def cpu(group: Group) -> dict[str, Any]:
    """Return the processor time in nanoseconds, and how often the quota was used up."""
    said = pairs(group.read("cpu.stat"))
    usage = without_zeros({"total": said.get("usage_usec", 0) * 1000})
    usage["kernel"] = said.get("system_usec", 0) * 1000
    usage["user"] = said.get("user_usec", 0) * 1000
    throttling = {
        "periods": said.get("nr_periods", 0),
        "throttledPeriods": said.get("nr_throttled", 0),
        "throttledTime": said.get("throttled_usec", 0) * 1000,
    }
    return {"usage": usage, "throttling": without_zeros(throttling), **_pressure(group, "cpu")}


def memory(group: Group) -> dict[str, Any]:
    """Return the memory in bytes; `swap` includes it, as with v1."""
    raw = pairs(group.read("memory.stat"))
    usage, swap = _memory_entry(group, "memory"), _memory_entry(group, "memory.swap")
    together = {"limit": swap["limit"], "usage": swap.get("usage", 0) + usage.get("usage", 0), "failcnt": 0}
    if together["limit"] != _NO_LIMIT:
        together["limit"] += usage["limit"]
    nothing = {"limit": 0, "failcnt": 0}
    return {
        **without_zeros({"cache": raw.get("file", 0)}),
        "usage": usage,
        "swap": together,
        "kernel": nothing,
        "kernelTCP": nothing,
        **without_zeros({"raw": raw}),
        **_pressure(group, "memory"),
    }


def block_io(group: Group) -> dict[str, Any]:
    """Return the bytes and operations read and written."""
    found: dict[str, Any] = {}
    for line in (group.read("io.stat") or "").split("\n"):
        device, *items = line.split() or [""]
        major, _, minor = device.partition(":")
        for item in items:
            name, _, value = item.partition("=")
            if name in _BLOCK_IO:
                member, operation = _BLOCK_IO[name]
                entry = {"major": int(major), "minor": int(minor), "op": operation, "value": int(value)}
                found.setdefault(member, []).append(without_zeros(entry))
    return {**found, **_pressure(group, "io")}


def hugepages(group: Group, size: str) -> dict[str, int]:
    """Return the huge pages of one size, in bytes: those reserved, where the kernel counts these."""
    current = group.read(f"hugetlb.{size}.rsvd.current") or group.read(f"hugetlb.{size}.current")
    failures = pairs(group.read(f"hugetlb.{size}.events"))
    return {**without_zeros({"usage": number(current)}), "failcnt": failures.get("max", 0)}


def _memory_entry(group: Group, prefix: str) -> dict[str, int]:
    counted = {"usage": number(group.read(f"{prefix}.current")), "max": number(group.read(f"{prefix}.peak"))}
    return {"limit": number(group.read(f"{prefix}.max")), **without_zeros(counted), "failcnt": 0}


def _pressure(group: Group, resource: str) -> dict[str, Any]:
    """Return how long processes had to wait for a resource (accounting/psi), empty where the kernel does not count it."""
    lines = {}
    for line in (group.read(f"{resource}.pressure") or "").split("\n"):
        kind, *items = line.split() or [""]
        values = dict(item.split("=", 1) for item in items)
        if values:
            lines[kind] = {name: float(value) for name, value in values.items() if name != "total"}
            lines[kind]["total"] = int(values["total"])
    return {"psi": lines} if lines else {}
