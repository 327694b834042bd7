"""Limits that this machine's cgroups don't have, or not with these values (config-linux.md, Control groups)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.configfile.text_checks import numbers_of
from tutor.explain.model import Finding
from tutor.observe.parts import parse_mounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.configfile import JsonValue
    from tutor.explain.bundle import Bundle

_RESOURCES = "/linux/resources"
_SHARES = (2, 262144)
_SMALLEST = 512 * 1024
"""A limit of memory in bytes: with half of it, runt and runc 1.1.5 could make no container (crun 1.8.1 could)."""
_CONTROLLERS = {
    "memory/limit": "memory",
    "memory/reservation": "memory",
    "memory/swap": "memory",
    "memory/kernelTCP": "memory",
    "memory/swappiness": "memory",
    "memory/disableOOMKiller": "memory",
    "cpu/shares": "cpu",
    "cpu/period": "cpu",
    "cpu/quota": "cpu",
    "cpu/burst": "cpu",
    "cpu/idle": "cpu",
    "cpu/realtimePeriod": "cpu",
    "cpu/realtimeRuntime": "cpu",
    "cpu/cpus": "cpuset",
    "cpu/mems": "cpuset",
    "pids/limit": "pids",
    "blockIO/weight": "blkio",
    "blockIO/leafWeight": "blkio",
    "blockIO/weightDevice": "blkio",
    "blockIO/throttleReadBpsDevice": "blkio",
    "blockIO/throttleWriteBpsDevice": "blkio",
    "blockIO/throttleReadIOPSDevice": "blkio",
    "blockIO/throttleWriteIOPSDevice": "blkio",
    "hugepageLimits": "hugetlb",
    "network/classID": "net_cls",
    "network/priorities": "net_prio",
    "rdma": "rdma",
}
_ZERO_COUNTS = ("memory/swappiness", "memory/disableOOMKiller", "cpu/idle", "cpu/burst", "pids/limit")
"""Members for which 0 or false is a value, not the absence of one."""
_ONLY_V1 = ("memory/kernelTCP", "cpu/realtimePeriod", "cpu/realtimeRuntime", "blockIO/leafWeight", "memory/swappiness",
    "network/classID", "network/priorities")  # fmt: skip


def look_at_limits(bundle: Bundle) -> Iterator[Finding]:
    """Find limits that can't be set; for an ordinary user runtimes leave out limits that they may not set, and so does this."""
    if os.geteuid() != 0 or not bundle.document.object_at(_RESOURCES):
        return
    version2, there = _controllers()
    yield from _versions(bundle, version2=version2)
    for member, controller in _CONTROLLERS.items():
        pointer = f"{_RESOURCES}/{member}"
        name = "io" if version2 and controller == "blkio" else controller
        is_lacking = bool(there) and name not in there and not (version2 and member in _ONLY_V1)
        if is_lacking and _is_asked(member, bundle.value(pointer)):
            yield Finding("cgroup.no_controller", {"controller": name}, pointer)
    yield from _memory(bundle)
    yield from _cpu(bundle, version2=version2)
    yield from _block_devices(bundle)
    yield from _page_sizes(bundle, there)


def _controllers() -> tuple[bool, set[str]]:
    """Return whether v2 alone is mounted, and the controllers of the version that limits containers here."""
    try:
        mounts = parse_mounts(Path("/proc/self/mountinfo").read_bytes())
        known = Path("/proc/cgroups").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return False, set()
    names = {line.split()[0] for line in known if line and not line.startswith("#")}
    first = {option for mount in mounts if mount.fstype == "cgroup" for option in mount.super_options}
    if any(mount.fstype == "cgroup" for mount in mounts):
        return False, first & names
    second = [mount.target for mount in mounts if mount.fstype == "cgroup2"]
    try:
        return True, set(Path(second[0], "cgroup.controllers").read_text(encoding="ascii").split())
    except (OSError, ValueError, IndexError):
        return True, set()


def _is_asked(member: str, value: JsonValue) -> bool:
    return value is not None if member in _ZERO_COUNTS else bool(value)


def _versions(bundle: Bundle, *, version2: bool) -> Iterator[Finding]:
    if not version2 and bundle.value(f"{_RESOURCES}/unified"):
        yield Finding("cgroup.unified_on_v1", {}, f"{_RESOURCES}/unified")
    for member in _ONLY_V1 if version2 else ():
        value = bundle.value(f"{_RESOURCES}/{member}")
        if _is_asked(member, value) and not (isinstance(value, int) and value < 0):
            yield Finding("cgroup.only_v1", {"name": member.replace("/", ".")}, f"{_RESOURCES}/{member}")
    if bundle.value(f"{_RESOURCES}/memory/useHierarchy") is False:
        yield Finding("cgroup.hierarchy", {}, f"{_RESOURCES}/memory/useHierarchy")
    if version2 and bundle.value(f"{_RESOURCES}/memory/disableOOMKiller") is True:
        name = "memory.disableOOMKiller"
        yield Finding("cgroup.only_v1", {"name": name}, f"{_RESOURCES}/memory/disableOOMKiller")


def _memory(bundle: Bundle) -> Iterator[Finding]:
    limit = bundle.value(f"{_RESOURCES}/memory/limit")
    if isinstance(limit, int) and 0 < limit < _SMALLEST:
        yield Finding("cgroup.memory_too_small", {"value": limit}, f"{_RESOURCES}/memory/limit")


def _cpu(bundle: Bundle, *, version2: bool) -> Iterator[Finding]:
    cpu = bundle.document.object_at(f"{_RESOURCES}/cpu")
    shares, runtime = cpu.get("shares"), cpu.get("realtimeRuntime")
    if (
        not version2
        and isinstance(shares, int)
        and shares
        and not cpu.get("idle")
        and not _SHARES[0] <= shares <= _SHARES[1]
    ):
        yield Finding("cgroup.shares", {"value": shares}, f"{_RESOURCES}/cpu/shares")
    for name, file in (("cpus", "cpu"), ("mems", "node")):
        text = cpu.get(name)
        there = online(file)
        wanted = numbers_of(text) if isinstance(text, str) else None
        if wanted and there and not wanted <= (numbers_of(there) or wanted):
            yield Finding(
                f"cgroup.no_{file}", {"value": str(text), "there": there}, f"{_RESOURCES}/cpu/{name}"
            )
    if not version2 and isinstance(runtime, int) and runtime > 0 and _realtime_of_parent() == "0":
        yield Finding("cgroup.no_realtime", {"value": runtime}, f"{_RESOURCES}/cpu/realtimeRuntime")


def online(kind: str) -> str:
    """Return the processors (`cpu`) or memory nodes (`node`) of this machine as a list; empty if that can't be read."""
    try:
        return Path(f"/sys/devices/system/{kind}/online").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return "0" if kind == "node" else ""


def _realtime_of_parent() -> str:
    """Return the realtime that the cgroup of this process has, in which runtimes make the container's (cgroup v1)."""
    try:
        mounts = parse_mounts(Path("/proc/self/mountinfo").read_bytes())
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        own = next(line.split(":", 2)[2] for line in lines if "cpu" in line.split(":")[1].split(","))
        top = next(each.target for each in mounts if each.fstype == "cgroup" and "cpu" in each.super_options)
        return Path(f"{top}{own}/cpu.rt_runtime_us").read_text(encoding="ascii").strip()
    except (OSError, ValueError, StopIteration):
        return ""


def _block_devices(bundle: Bundle) -> Iterator[Finding]:
    for name, value in bundle.document.object_at(f"{_RESOURCES}/blockIO").items():
        for pointer, device in (
            bundle.items(f"{_RESOURCES}/blockIO/{name}") if isinstance(value, list) else ()
        ):
            number = f"{device.get('major')}:{device.get('minor')}"
            if Path("/sys/dev/block").is_dir() and not Path(f"/sys/dev/block/{number}").exists():
                yield Finding("cgroup.no_block_device", {"number": number}, pointer)


def _page_sizes(bundle: Bundle, there: set[str]) -> Iterator[Finding]:
    folder = Path("/sys/kernel/mm/hugepages")
    if "hugetlb" not in there or not folder.is_dir():
        return
    sizes = [
        _in_units(int(each.name.removeprefix("hugepages-").removesuffix("kB"))) for each in folder.iterdir()
    ]
    for pointer, limit in bundle.items(f"{_RESOURCES}/hugepageLimits"):
        size = limit.get("pageSize")
        if isinstance(size, str) and size not in sizes:
            values: dict[str, str | int] = {"value": size, "there": ", ".join(sorted(sizes))}
            yield Finding("cgroup.no_page_size", values, f"{pointer}/pageSize")


def _in_units(kilobytes: int) -> str:
    if kilobytes >= 1 << 20:
        return f"{kilobytes >> 20}GB"
    return f"{kilobytes >> 10}MB" if kilobytes >= 1 << 10 else f"{kilobytes}KB"


LOOKS = (look_at_limits,)
