"""`linux.resources` as files of cgroup v2 (the kernel's admin-guide/cgroup-v2).

The configuration has the values of v1, which are converted by the formulas of runc and crun. config-linux.md,
Unified: "If the conversion is not possible the runtime MUST generate an error."
"""

from __future__ import annotations

from runtime.cgroups.version1 import cpuset, rdma
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.cgroups.group import Group
    from runtime.cgroups.version1 import Setting
    from runtime.config.types import BlockIo, Cpu, Memory, Resources

_THROTTLES = (
    ("throttleReadBpsDevice", "rbps"),
    ("throttleWriteBpsDevice", "wbps"),
    ("throttleReadIOPSDevice", "riops"),
    ("throttleWriteIOPSDevice", "wiops"),
)
_DEFAULT_PERIOD = 100_000
"""The period of `cpu.max` in microseconds."""


def settings(resources: Resources, group: Group) -> Iterator[Setting]:
    """Yield the files and their values; `group` has the current values. Raises RuntError."""
    _refuse_inconvertible(resources)
    if "limit" in resources.get("pids", {}):
        limit = resources["pids"]["limit"]
        # systemd has no limit of 0 tasks; 1 is the same, as the container's own is there already.
        yield "pids.max", "max" if limit < 0 else str(limit or 1)
    yield from _memory(resources.get("memory", {}), group)
    yield from _cpu(resources.get("cpu", {}), group)
    yield from _block_io(resources.get("blockIO", {}), group)
    for hugepages in resources.get("hugepageLimits", ()):
        prefix = f"hugetlb.{hugepages['pageSize']}"
        yield f"{prefix}.max", str(hugepages["limit"])
        if group.path(f"{prefix}.rsvd.max"):
            yield f"{prefix}.rsvd.max", str(hugepages["limit"])
    yield from rdma(resources)
    for file, value in resources.get("unified", {}).items():
        for line in value.split("\n"):
            yield file, line


def cpu_weight(shares: int) -> int:
    """Return the `cpu.weight` (1 to 10000, usually 100) for `cpu.shares` (2 to 262144, usually 1024).

    The formula of runc 1.3, crun 1.23 and systemd's: a curve through the least, the usual and the greatest value.
    """
    import math

    if shares <= 2:
        return 1
    if shares >= 1 << 18:
        return 10000
    logarithm = math.log2(shares)
    return math.ceil(10 ** ((logarithm * logarithm + 125 * logarithm) / 612 - 7 / 34))


def io_weight(weight: int) -> int:
    """Return the `io.weight` (1 to 10000) for blkio's weight (10 to 1000)."""
    return 1 + (weight - 10) * 9999 // 990


def _refuse_inconvertible(resources: Resources) -> None:
    """Raise RuntError for a limit that v2 does not have."""
    memory, cpu = resources.get("memory", {}), resources.get("cpu", {})
    block_io, network = resources.get("blockIO", {}), resources.get("network", {})
    asked = {
        "memory.kernel": memory.get("kernel", -1) > 0,
        "memory.kernelTCP": memory.get("kernelTCP", -1) > 0,
        "memory.swappiness": "swappiness" in memory,
        "memory.disableOOMKiller": memory.get("disableOOMKiller", False),
        "memory.useHierarchy": not memory.get("useHierarchy", True),
        "cpu.realtimeRuntime": bool(cpu.get("realtimeRuntime")),
        "cpu.realtimePeriod": bool(cpu.get("realtimePeriod")),
        "blockIO.leafWeight": bool(block_io.get("leafWeight")),
        "blockIO.weightDevice.leafWeight": any(
            device.get("leafWeight") for device in block_io.get("weightDevice", ())
        ),
        "network.classID": bool(network.get("classID")),
        "network.priorities": bool(network.get("priorities")),
    }
    for member, is_asked in asked.items():
        if is_asked:
            raise RuntError(
                f"linux.resources.{member} is not possible with cgroup v2, which this machine has"
            )


def _memory(memory: Memory, group: Group) -> Iterator[Setting]:
    limit = memory.get("limit", 0)
    if memory.get("checkBeforeUpdate"):
        _check_usage(memory, group)
    swap = _swap(memory, group)
    # Without swap accounting there is no such file, and these two values change nothing.
    if swap and not (swap in ("0", "max") and group.directories and not group.path("memory.swap.max")):
        yield "memory.swap.max", swap
    if limit:
        yield "memory.max", _size(limit)
    if memory.get("reservation"):
        yield "memory.low", _size(memory["reservation"])


def _swap(memory: Memory, group: Group) -> str:
    """Return the limit for swap alone: the configuration's includes memory. Empty to leave it unchanged."""
    limit, total = memory.get("limit", 0), memory.get("swap", 0)
    if not limit and not total:
        return ""
    if not limit:
        limit = _number(group.read("memory.max"))
    elif not total and limit > 0:
        # `update` of the memory only: the sum stays what it was, if there was one.
        memory_now, swap_now = _number(group.read("memory.max")), _number(group.read("memory.swap.max"))
        total = memory_now + swap_now if memory_now > 0 and swap_now >= 0 else 0
        if not total:
            return ""
    if total == -1 or (limit == -1 and not total):
        return "max"
    if not total:
        return ""
    if limit == -1:
        return str(total)
    if total < limit:
        raise RuntError(f"memory+swap limit should be >= memory limit {limit}, found {total}")
    return str(total - limit)


def _check_usage(memory: Memory, group: Group) -> None:
    """Refuse a limit below the current usage, as v1 does: v2 would kill processes (config-linux.md, checkBeforeUpdate)."""
    usage = int(group.read("memory.current") or 0)
    for member, limit in (("memory+swap", memory.get("swap", 0)), ("memory", memory.get("limit", 0))):
        if 0 < limit <= usage:
            raise RuntError(f"rejecting {member} limit {limit} <= usage {usage}")


def _cpu(cpu: Cpu, group: Group) -> Iterator[Setting]:
    if cpu.get("shares") and not cpu.get("idle"):
        # An idle cgroup has no weight, and the kernel takes none.
        yield "cpu.weight", str(cpu_weight(cpu["shares"]))
    quota, period = cpu.get("quota", 0), cpu.get("period", 0)
    if quota or period:
        quota_now, _, period_now = (group.read("cpu.max") or f"max {_DEFAULT_PERIOD}").partition(" ")
        first = quota_now if not quota else "max" if quota < 0 else str(quota)
        yield "cpu.max", f"{first} {period or period_now}"
    if "burst" in cpu:
        yield "cpu.max.burst", str(cpu["burst"])
    if "idle" in cpu:
        yield "cpu.idle", str(cpu["idle"])
    yield from cpuset(cpu)


def _block_io(block_io: BlockIo, group: Group) -> Iterator[Setting]:
    # BFQ, where the kernel has it, has a file of its own that takes v1's values.
    has_bfq = group.path("io.bfq.weight") is not None
    file = "io.bfq.weight" if has_bfq else "io.weight"
    if block_io.get("weight"):
        yield file, str(block_io["weight"] if has_bfq else io_weight(block_io["weight"]))
    for device in block_io.get("weightDevice", ()):
        weight = device["weight"] if has_bfq else io_weight(device["weight"])
        yield file, f"{device['major']}:{device['minor']} {weight}"
    for member, word in _THROTTLES:
        for throttle in block_io.get(member, ()):  # type: ignore[attr-defined]  # a name from the table above
            # With v1, 0 removes a limit.
            rate = throttle["rate"] or "max"
            yield "io.max", f"{throttle['major']}:{throttle['minor']} {word}={rate}"


def _size(limit: int) -> str:
    return "max" if limit < 0 else str(limit)


def _number(text: str | None) -> int:
    """Return the number in a file of v2; -1 for `max` and for a file that does not exist."""
    return -1 if text in (None, "max") else int(text or 0)
