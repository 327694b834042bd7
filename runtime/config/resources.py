"""The shape of `linux.resources`, and the rules between its members (config-linux.md, Control groups).

`update` checks its resources by the same shapes. The number 0 leaves a limit unchanged, as for runc and its callers; only
for `pids.limit`, `cpu.idle` and `cpu.burst` it is a value.
"""

from __future__ import annotations

from runtime.config.shape import Array, Boolean, Integer, Map, Mismatch, Object, String, found
from runtime.support.number_lists import parse_numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.document import Place
    from runtime.config.types import BlockIo, Config, Cpu, Memory, Resources

_UINT16 = Integer(0, 2**16 - 1)
_UINT32 = Integer(0, 2**32 - 1)
_UINT64 = Integer(0, 2**64 - 1)
_INT64 = Integer(-(2**63), 2**63 - 1)
_BYTES = Integer(-1, 2**63 - 1)
"""A size in bytes; -1 is no limit."""
_DEVICE_NUMBER = Integer(0, 2**32 - 1)

_DEVICE_RULE = Object(
    {
        "allow": Boolean(),
        "type": String(choices=("a", "c", "b")),
        # -1: all numbers, for runc and its callers.
        "major": Integer(-1, 2**32 - 1),
        "minor": Integer(-1, 2**32 - 1),
        "access": String(),
    },
    required=("allow", "access"),
)

_MEMORY = Object(
    {
        "limit": _BYTES,
        "reservation": _BYTES,
        "swap": _BYTES,
        "kernel": _BYTES,
        "kernelTCP": _BYTES,
        "swappiness": Integer(0, 100),
        "disableOOMKiller": Boolean(),
        "useHierarchy": Boolean(),
        "checkBeforeUpdate": Boolean(),
    }
)

_CPU = Object(
    {
        "shares": _UINT64,
        "quota": _INT64,
        "burst": _UINT64,
        "period": _UINT64,
        "realtimeRuntime": _INT64,
        "realtimePeriod": _UINT64,
        "cpus": String(),
        "mems": String(),
        "idle": Integer(0, 1),
    }
)

_WEIGHT_DEVICE = Object(
    {"major": _DEVICE_NUMBER, "minor": _DEVICE_NUMBER, "weight": _UINT16, "leafWeight": _UINT16},
    required=("major", "minor"),
)
_THROTTLE_DEVICES = Array(
    Object(
        {"major": _DEVICE_NUMBER, "minor": _DEVICE_NUMBER, "rate": _UINT64},
        required=("major", "minor", "rate"),
    )
)

_BLOCK_IO = Object(
    {
        "weight": _UINT16,
        "leafWeight": _UINT16,
        "weightDevice": Array(_WEIGHT_DEVICE),
        "throttleReadBpsDevice": _THROTTLE_DEVICES,
        "throttleWriteBpsDevice": _THROTTLE_DEVICES,
        "throttleReadIOPSDevice": _THROTTLE_DEVICES,
        "throttleWriteIOPSDevice": _THROTTLE_DEVICES,
    }
)

_NETWORK = Object(
    {
        "classID": _UINT32,
        "priorities": Array(
            Object({"name": String(), "priority": _UINT32}, required=("name", "priority")),
        ),
    }
)

RESOURCES = Object(
    {
        "devices": Array(_DEVICE_RULE),
        "memory": _MEMORY,
        "cpu": _CPU,
        "pids": Object({"limit": _INT64}),
        "blockIO": _BLOCK_IO,
        "hugepageLimits": Array(
            Object({"pageSize": String(), "limit": _UINT64}, required=("pageSize", "limit")),
        ),
        "network": _NETWORK,
        "rdma": Map(Object({"hcaHandles": _UINT32, "hcaObjects": _UINT32})),
        "unified": Map(String()),
    }
)

_PERIODS = (1000, 1_000_000)
"""The shortest and the longest period of the scheduler in microseconds; a quota is no shorter either (sched-bwc)."""


def check_resources(config: Config) -> None:
    """`linux.resources`: rules for a new container."""
    resources = config["linux"].get("resources")
    if resources is None:
        return
    place = ("linux", "resources")
    check_values(resources, place)
    memory = resources.get("memory", {})
    if memory.get("swap", 0) > 0 and not memory.get("limit"):
        raise Mismatch((*place, "memory", "swap"), ": unable to set swap limit without memory limit")


def check_values(resources: Resources, place: Place) -> None:
    """`linux.resources`: values that no kernel takes, alone or together. Raises Mismatch."""
    _check_memory(resources.get("memory", {}), (*place, "memory"))
    _check_cpu(resources.get("cpu", {}), (*place, "cpu"))
    _check_block_io(resources.get("blockIO", {}), (*place, "blockIO"))
    for index, limit in enumerate(resources.get("hugepageLimits", ())):
        if not _is_page_size(limit["pageSize"]):
            raise Mismatch(
                (*place, "hugepageLimits", index, "pageSize"),
                f": expected a size such as 64KB, 2MB or 1GB, found {found(limit['pageSize'])}",
            )
    for name, limits in resources.get("rdma", {}).items():
        if not limits:
            raise Mismatch((*place, "rdma", name), ": expected at least one of hcaHandles and hcaObjects")
        if " " in name or "\n" in name:
            raise Mismatch((*place, "rdma", name), ": expected the name of a device")
    for name in resources.get("unified", ()):
        controller, _, parameter = name.partition(".")
        if "/" in name or not controller or not parameter:
            raise Mismatch(
                (*place, "unified", name),
                f': unified resource {found(name)} must be the name of a file, in the form "controller.parameter"',
            )


def _check_memory(memory: Memory, place: Place) -> None:
    limit, swap = memory.get("limit", 0), memory.get("swap", 0)
    if limit > swap > 0:
        raise Mismatch(
            (*place, "swap"), f": memory+swap limit should be >= memory limit {limit}, found {swap}"
        )


def _check_cpu(cpu: Cpu, place: Place) -> None:
    low, high = _PERIODS
    period, quota, burst = cpu.get("period", 0), cpu.get("quota", 0), cpu.get("burst", 0)
    if period and not low <= period <= high:
        raise Mismatch((*place, "period"), f": expected {low} to {high} microseconds, found {period}")
    if 0 < quota < low:
        raise Mismatch((*place, "quota"), f": expected at least {low} microseconds, found {quota}")
    if burst > quota > 0:
        raise Mismatch((*place, "burst"), f": expected at most the quota {quota}, found {burst}")
    runtime, realtime_period = cpu.get("realtimeRuntime", 0), cpu.get("realtimePeriod", 0)
    if runtime > realtime_period > 0:
        raise Mismatch(
            (*place, "realtimeRuntime"),
            f": expected at most the realtimePeriod {realtime_period}, found {runtime}",
        )
    for member, text in (("cpus", cpu.get("cpus", "")), ("mems", cpu.get("mems", ""))):
        try:
            parse_numbers(text)
        except ValueError as error:
            raise Mismatch((*place, member), f": {error}") from None


def _check_block_io(block_io: BlockIo, place: Place) -> None:
    _check_weight(block_io.get("weight", 0), (*place, "weight"))
    _check_weight(block_io.get("leafWeight", 0), (*place, "leafWeight"))
    for index, device in enumerate(block_io.get("weightDevice", ())):
        inner = (*place, "weightDevice", index)
        if not device.get("weight") and not device.get("leafWeight"):
            raise Mismatch(inner, ": expected at least one of weight and leafWeight")
        _check_weight(device.get("weight", 0), (*inner, "weight"))
        _check_weight(device.get("leafWeight", 0), (*inner, "leafWeight"))


def _check_weight(weight: int, place: Place) -> None:
    if weight and not 10 <= weight <= 1000:
        raise Mismatch(place, f": expected a weight from 10 to 1000, found {weight}")


def _is_page_size(text: str) -> bool:
    """Tell whether `text` is a size in the form of the kernel: `64KB`, `2MB`, `1GB`."""
    number = text.removesuffix("B").rstrip("KMGTPE")
    unit = text.removeprefix(number)
    return number.isascii() and number.isdecimal() and unit in ("B", "KB", "MB", "GB", "TB", "PB", "EB")
