"""`linux.resources` as files of cgroup v1 (config-linux.md, Control groups; the kernel's admin-guide/cgroup-v1)."""

from __future__ import annotations

from runtime.support import log
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.cgroups.group import Group
    from runtime.config.types import BlockIo, Cpu, Memory, NetworkResources, Resources

    Setting = tuple[str, str]
    """A file and the value to write into it."""

_SHARES = (2, 1 << 18)
"""MIN_SHARES and MAX_SHARES of the scheduler, which changes a value outside of them without an error."""

THROTTLES = (
    ("throttleReadBpsDevice", "blkio.throttle.read_bps_device"),
    ("throttleWriteBpsDevice", "blkio.throttle.write_bps_device"),
    ("throttleReadIOPSDevice", "blkio.throttle.read_iops_device"),
    ("throttleWriteIOPSDevice", "blkio.throttle.write_iops_device"),
)


def settings(resources: Resources, group: Group) -> Iterator[Setting]:
    """Yield the files and their values; `group` tells which of two names the kernel has. Raises RuntError."""
    if resources.get("unified"):
        raise RuntError("invalid configuration: cannot use unified on cgroup v1")
    yield from _memory(resources.get("memory", {}), group)
    yield from _cpu(resources.get("cpu", {}))
    if "limit" in resources.get("pids", {}):
        limit = resources["pids"]["limit"]
        # systemd has no limit of 0 tasks; 1 is the same, as the container's own is there already.
        yield "pids.max", "max" if limit < 0 else str(limit or 1)
    yield from _block_io(resources.get("blockIO", {}), group)
    for hugepages in resources.get("hugepageLimits", ()):
        prefix = f"hugetlb.{hugepages['pageSize']}"
        yield f"{prefix}.limit_in_bytes", str(hugepages["limit"])
        if group.path(f"{prefix}.rsvd.limit_in_bytes"):
            yield f"{prefix}.rsvd.limit_in_bytes", str(hugepages["limit"])
    yield from _network(resources.get("network", {}))
    yield from rdma(resources)


def rdma(resources: Resources) -> Iterator[Setting]:
    """Yield the limits for RDMA devices, which are the same with v1 and v2."""
    for device, limits in resources.get("rdma", {}).items():
        words = [device]
        if "hcaHandles" in limits:
            words.append(f"hca_handle={limits['hcaHandles']}")
        if "hcaObjects" in limits:
            words.append(f"hca_object={limits['hcaObjects']}")
        yield "rdma.max", " ".join(words)


def _memory(memory: Memory, group: Group) -> Iterator[Setting]:
    limit, swap = memory.get("limit", 0), memory.get("swap", 0)
    if limit:
        yield "memory.limit_in_bytes", str(limit)
    if limit == -1 and not swap:
        # As with runc: no limit of memory means none of swap.
        swap = -1
    # Where the kernel does not count swap there is no such file, and no limit.
    if swap and not (swap == -1 and group.directories and not group.path("memory.memsw.limit_in_bytes")):
        yield "memory.memsw.limit_in_bytes", str(swap)
    if memory.get("reservation"):
        yield "memory.soft_limit_in_bytes", str(memory["reservation"])
    if memory.get("kernelTCP"):
        yield "memory.kmem.tcp.limit_in_bytes", str(memory["kernelTCP"])
    if memory.get("kernel", -1) > 0 and not group.directories:
        # Since Linux 5.16 the file takes a value and has no effect: this memory counts as memory.
        log.warning(
            "linux.resources.memory.kernel is ignored: Linux has no limit of its own for kernel memory any more"
        )
    if "swappiness" in memory:
        yield "memory.swappiness", str(memory["swappiness"])
    if "disableOOMKiller" in memory:
        yield "memory.oom_control", str(int(memory["disableOOMKiller"]))
    if "useHierarchy" in memory and group.read("memory.use_hierarchy") != str(int(memory["useHierarchy"])):
        yield "memory.use_hierarchy", str(int(memory["useHierarchy"]))


def _cpu(cpu: Cpu) -> Iterator[Setting]:
    shares = cpu.get("shares", 0)
    # An idle cgroup has no shares, and the kernel takes none.
    if shares and not cpu.get("idle"):
        yield "cpu.shares", _checked_shares(shares)
    if cpu.get("period"):
        yield "cpu.cfs_period_us", str(cpu["period"])
    if cpu.get("quota"):
        yield "cpu.cfs_quota_us", str(cpu["quota"])
    if "burst" in cpu:
        yield "cpu.cfs_burst_us", str(cpu["burst"])
    if cpu.get("realtimePeriod"):
        yield "cpu.rt_period_us", str(cpu["realtimePeriod"])
    if cpu.get("realtimeRuntime"):
        yield "cpu.rt_runtime_us", str(cpu["realtimeRuntime"])
    if "idle" in cpu:
        yield "cpu.idle", str(cpu["idle"])
    yield from cpuset(cpu)


def cpuset(cpu: Cpu) -> Iterator[Setting]:
    """Yield the processors and the memory nodes, which are the same with v1 and v2."""
    if cpu.get("cpus"):
        yield "cpuset.cpus", cpu["cpus"]
    if cpu.get("mems"):
        yield "cpuset.mems", cpu["mems"]


def _checked_shares(shares: int) -> str:
    low, high = _SHARES
    if shares < low:
        raise RuntError(f"the minimum allowed cpu-shares is {low}: linux.resources.cpu.shares is {shares}")
    if shares > high:
        raise RuntError(f"the maximum allowed cpu-shares is {high}: linux.resources.cpu.shares is {shares}")
    return str(shares)


def _block_io(block_io: BlockIo, group: Group) -> Iterator[Setting]:
    # The name that the weight has depends on the scheduler for block devices: CFQ, until Linux 4.20, or BFQ.
    prefix = "blkio" if group.path("blkio.weight") else "blkio.bfq"
    if block_io.get("weight"):
        yield f"{prefix}.weight", str(block_io["weight"])
    if block_io.get("leafWeight"):
        yield "blkio.leaf_weight", str(block_io["leafWeight"])
    for device in block_io.get("weightDevice", ()):
        number = f"{device['major']}:{device['minor']}"
        if device.get("weight"):
            yield f"{prefix}.weight_device", f"{number} {device['weight']}"
        if device.get("leafWeight"):
            yield "blkio.leaf_weight_device", f"{number} {device['leafWeight']}"
    for member, file in THROTTLES:
        for throttle in block_io.get(member, ()):  # type: ignore[attr-defined]  # a name from the table above
            yield file, f"{throttle['major']}:{throttle['minor']} {throttle['rate']}"


def _network(network: NetworkResources) -> Iterator[Setting]:
    if network.get("classID"):
        yield "net_cls.classid", str(network["classID"])
    for entry in network.get("priorities", ()):
        yield "net_prio.ifpriomap", f"{entry['name']} {entry['priority']}"
