"""Limits as properties of a systemd unit (systemd.resource-control(5); org.freedesktop.systemd1(5) for their types).

They are made from what is to be written into the files of cgroup v2, so what the configuration converts to, and what
its `unified` says, is told in the same way. What systemd knows nothing of is in the files only.
"""

from __future__ import annotations

from runtime.support.number_lists import parse_numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from runtime.cgroups.version1 import Setting

    Property = tuple[str, tuple[str, Any]]

_INFINITY = 2**64 - 1
_NUMBERS = {
    "memory.min": "MemoryMin",
    "memory.low": "MemoryLow",
    "memory.high": "MemoryHigh",
    "memory.max": "MemoryMax",
    "memory.swap.max": "MemorySwapMax",
    "pids.max": "TasksMax",
    "cpu.weight": "CPUWeight",
    "io.weight": "IOWeight",
}
_MASKS = {"cpuset.cpus": "AllowedCPUs", "cpuset.mems": "AllowedMemoryNodes"}


def limits_as_properties(limits: Sequence[Setting]) -> list[Property]:
    """Return properties for those of `limits` that systemd has one for."""
    found: dict[str, tuple[str, Any]] = {}
    for file, value in limits:
        try:
            found.update(_properties(file, value.strip()))
        except ValueError:
            # Of `unified`, and not what the file takes: the kernel will say so.
            continue
    if ("cpu.idle", "1") in limits:
        found["CPUWeight"] = ("t", 0)
    return list(found.items())


def _properties(file: str, text: str) -> dict[str, tuple[str, Any]]:
    """Return the properties for what is written into one file. Raises ValueError for what it would not take."""
    if file in _NUMBERS:
        number = _INFINITY if text == "max" else int(text)
        # It takes no 0 for the number of tasks; what the file gets is the 0.
        return {_NUMBERS[file]: ("t", max(number, 1) if file == "pids.max" else number)}
    if file in _MASKS:
        return {_MASKS[file]: ("ay", _mask(text))}
    if file == "cpu.max":
        return _quota(text)
    return {}


def _quota(text: str) -> dict[str, tuple[str, Any]]:
    """Return how much of each second the processors may work, and in what portions, for `cpu.max`: `QUOTA [PERIOD]`."""
    quota, _, period = text.partition(" ")
    microseconds = int(period or 100_000)
    share = _INFINITY if quota == "max" else int(quota) * 1_000_000 // microseconds
    return {"CPUQuotaPerSecUSec": ("t", share), "CPUQuotaPeriodUSec": ("t", microseconds)}


def _mask(text: str) -> bytes:
    """Return a list of numbers such as `0-2,5` as bits, the lowest first."""
    bits = sum(1 << number for number in parse_numbers(text))
    return bits.to_bytes((bits.bit_length() + 7) // 8 or 1, "little")
