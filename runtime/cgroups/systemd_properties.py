"""Limits as properties of a systemd unit (systemd.resource-control(5); org.freedesktop.systemd1(5) for their types).

They are made from the values for the files of cgroup v2, so limits that are converted and limits of `unified` are treated
alike. A limit that systemd does not have is in the files only.
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
    """Return the properties for those of `limits` that systemd has."""
    found: dict[str, tuple[str, Any]] = {}
    for file, value in limits:
        try:
            found.update(_properties(file, value.strip()))
        except ValueError:
            # A value of `unified` that the file does not take: the kernel will refuse it.
            continue
    if ("cpu.idle", "1") in limits:
        found["CPUWeight"] = ("t", 0)
    return list(found.items())


def _properties(file: str, text: str) -> dict[str, tuple[str, Any]]:
    """Return the properties for the value of one file. Raises ValueError for a value that the file does not take."""
    if file in _NUMBERS:
        number = _INFINITY if text == "max" else int(text)
        # systemd takes no 0 for the number of tasks; the 0 is written to the file.
        return {_NUMBERS[file]: ("t", max(number, 1) if file == "pids.max" else number)}
    if file in _MASKS:
        return {_MASKS[file]: ("ay", _mask(text))}
    if file == "cpu.max":
        return _quota(text)
    return {}


def _quota(text: str) -> dict[str, tuple[str, Any]]:
    """Return the processor time for each second, and the period, for `cpu.max`: `QUOTA [PERIOD]`."""
    quota, _, period = text.partition(" ")
    microseconds = int(period or 100_000)
    share = _INFINITY if quota == "max" else int(quota) * 1_000_000 // microseconds
    return {"CPUQuotaPerSecUSec": ("t", share), "CPUQuotaPeriodUSec": ("t", microseconds)}


def _mask(text: str) -> bytes:
    """Return a list of numbers such as `0-2,5` as bits, the lowest first."""
    bits = sum(1 << number for number in parse_numbers(text))
    return bits.to_bytes((bits.bit_length() + 7) // 8 or 1, "little")
