"""What a configuration asks for and this machine, this user or `runt` does not have: seen before anything is run."""

from __future__ import annotations

import errno
import os
import re
import resource
import socket
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.configfile.document import child
from tutor.configfile.relations.linux import sysctl_parts
from tutor.configfile.text_checks import numbers_of
from tutor.explain.bundle import kind_of
from tutor.explain.cgroups import online
from tutor.explain.model import Finding
from tutor.explain.seen import is_private, namespace_of_sysctl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.configfile import JsonValue
    from tutor.explain.bundle import Bundle

_LONGEST_DEVICE_NAME = 15
"""IFNAMSIZ of netdevice(7), without the NUL at the end."""
_SYS_RESOURCE = 24
"""The bit of CAP_SYS_RESOURCE (linux/capability.h)."""
_PLATFORMS = ("freebsd", "solaris", "vm", "windows", "zos")


def _labels(bundle: Bundle) -> Iterator[Finding]:
    profile = bundle.text_at("/process/apparmorProfile")
    if profile and not _apparmor_is_enabled():
        yield Finding("label.apparmor", {"value": profile}, "/process/apparmorProfile")
    for name, pointer in (("selinux", "/process/selinuxLabel"), ("mount", "/linux/mountLabel")):
        label = bundle.text_at(pointer)
        if label and not Path("/sys/fs/selinux/enforce").exists():
            yield Finding(f"label.{name}", {"value": label}, pointer)


def _apparmor_is_enabled() -> bool:
    try:
        return Path("/sys/module/apparmor/parameters/enabled").read_text(encoding="ascii").startswith("Y")
    except (OSError, ValueError):
        return False


def _net_devices(bundle: Bundle) -> Iterator[Finding]:
    for name, device in bundle.document.object_at("/linux/netDevices").items():
        pointer = child("/linux/netDevices", name)
        new = device.get("name") if isinstance(device, dict) else None
        wrong = next((each for each in (name, new or name) if not _is_device_name(str(each))), None)
        if device is None:
            continue
        if not is_private(bundle, "network"):
            yield Finding("net_device.no_namespace", {"name": name}, pointer)
        elif os.geteuid() != 0:
            yield Finding("net_device.not_root", {"name": name}, pointer)
        elif wrong is not None:
            yield Finding("net_device.name", {"name": str(wrong)}, pointer)
        elif not _is_device(name):
            yield Finding("net_device.missing", {"name": name}, pointer)


def _is_device_name(name: str) -> bool:
    """Tell whether the kernel takes a name for a network device; one `%d` in it is for a number (dev_valid_name)."""
    plain = name.replace("%d", "0", 1)
    return (
        0 < len(plain.encode(errors="replace")) <= _LONGEST_DEVICE_NAME
        and plain not in (".", "..")
        and not any(character in "/:%" or character.isspace() for character in plain)
    )


def _is_device(name: str) -> bool:
    try:
        socket.if_nametoindex(name)
    except (OSError, ValueError):
        return False
    return True


def _id_mapped_mounts(bundle: Bundle) -> Iterator[Finding]:
    for pointer, mount in bundle.items("/mounts"):
        mapped = mount.get("uidMappings") or {"idmap", "ridmap"} & set(bundle.strings(f"{pointer}/options"))
        if mapped and os.geteuid() != 0:
            yield Finding("mount.idmap_not_root", {"destination": str(mount.get("destination", ""))}, pointer)


def _unsupported(bundle: Bundle) -> Iterator[Finding]:
    if bundle.value("/linux/intelRdt") is not None:
        yield Finding("unsupported.member", {"name": "linux.intelRdt"}, "/linux/intelRdt")
    for name in _PLATFORMS:
        if _has_content(bundle.value(f"/{name}")):
            yield Finding("unsupported.platform", {"name": name}, f"/{name}")


def _has_content(value: JsonValue) -> bool:
    """Tell whether a member says anything: empty strings, arrays and objects, and objects of such, say nothing."""
    if isinstance(value, dict):
        return any(_has_content(member) for member in value.values())
    return value not in (None, "", [])


def _devices(bundle: Bundle) -> Iterator[Finding]:
    """A file that is in the way of a device; and in a user namespace, where the host's devices are bound, one that the host lacks."""
    for pointer, device in bundle.items("/linux/devices"):
        path = str(device.get("path") or "")
        file = bundle.inside(path) if path.startswith("/") and not bundle.mounted(path) else None
        if file is not None and not _fits(file, device):
            yield Finding("device.other_file", {"path": path}, f"{pointer}/path")
        elif path.startswith("/") and bundle.namespace("user") and not kind_of(Path(path)):
            yield Finding("device.not_on_host", {"path": path}, f"{pointer}/path")


def _fits(file: Path, device: dict[str, JsonValue]) -> bool:
    """Tell whether a file is the device, or an empty one that a runtime can bind it to."""
    try:
        status = file.stat()
    except (OSError, ValueError):
        return True
    if stat.S_ISREG(status.st_mode):
        return status.st_size == 0
    number = (os.major(status.st_rdev), os.minor(status.st_rdev))
    if stat.S_ISFIFO(status.st_mode):
        return device.get("type") == "p"
    is_type = stat.S_ISBLK(status.st_mode) if device.get("type") == "b" else stat.S_ISCHR(status.st_mode)
    return is_type and number == (device.get("major"), device.get("minor"))


def _limits(bundle: Bundle) -> Iterator[Finding]:
    """Limits that only a process with CAP_SYS_RESOURCE raises, and the number of open files that none can exceed."""
    privileged = _has_sys_resource()
    for pointer, item in bundle.items("/process/rlimits"):
        name, hard = str(item.get("type", "")), item.get("hard")
        own = getattr(resource, name, None) if name.startswith("RLIMIT_") else None
        if own is None or not isinstance(hard, int) or isinstance(hard, bool):
            continue
        now = resource.getrlimit(own)[1]
        most = _number("/proc/sys/fs/nr_open") if name == "RLIMIT_NOFILE" else None
        beyond = most is not None and hard > most
        if beyond or (not privileged and now != resource.RLIM_INFINITY and hard > now):
            values: dict[str, str | int] = {"type": name, "hard": hard}
            yield Finding("rlimit.not_permitted", values, pointer)
    score = bundle.value("/process/oomScoreAdj")
    own_score = _number("/proc/self/oom_score_adj")
    if isinstance(score, int) and own_score is not None and score < own_score and not privileged:
        yield Finding("oom_score.not_permitted", {}, "/process/oomScoreAdj")


def _has_sys_resource() -> bool:
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
        effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    except (OSError, StopIteration):
        return True
    return bool(int(effective, 16) >> _SYS_RESOURCE & 1)


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _parameters(bundle: Bundle) -> Iterator[Finding]:
    """Kernel parameters that do not exist, or that are numbers and would get something else.

    What is below the name of a network device or a neighbour exists in the container's namespace only.
    """
    for name, value in bundle.document.object_at("/linux/sysctl").items():
        parts = sysctl_parts(name)
        dotted, path = ".".join(parts), Path("/proc/sys", *parts)
        if not namespace_of_sysctl(dotted) or {"", ".", ".."} & set(parts) or {"conf", "neigh"} & set(parts):
            continue
        pointer = child("/linux/sysctl", name)
        try:
            if not path.exists():
                yield Finding("sysctl.unknown", {"name": dotted}, pointer)
                continue
            now = path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        numbers = re.fullmatch(r"[-\d\s]+", now)
        if (
            numbers
            and isinstance(value, str)
            and value
            and not re.fullmatch(r"(-?(0[xX])?[\da-fA-F]+\s*)+", value)
        ):
            yield Finding("sysctl.value", {"name": dotted, "why": os.strerror(errno.EINVAL)}, pointer)


def _time_offsets(bundle: Bundle) -> Iterator[Finding]:
    """Offsets that would set a clock before 0 or beyond half of what it can show: the kernel's ERANGE (time_namespaces(7))."""
    for name, clock in (("monotonic", time.CLOCK_MONOTONIC), ("boottime", time.CLOCK_BOOTTIME)):
        seconds = bundle.value(f"/linux/timeOffsets/{name}/secs")
        if isinstance(seconds, int) and not 0 <= time.clock_gettime(clock) + seconds <= _LAST_SECOND:
            yield Finding(
                "time.offset_range", {"name": name, "seconds": seconds}, f"/linux/timeOffsets/{name}/secs"
            )


def _memory_nodes(bundle: Bundle) -> Iterator[Finding]:
    nodes, there = bundle.text_at("/linux/memoryPolicy/nodes"), online("node")
    wanted = numbers_of(nodes)
    if wanted and not wanted <= (numbers_of(there) or wanted):
        yield Finding("cgroup.no_node", {"value": nodes, "there": there}, "/linux/memoryPolicy/nodes")


_LAST_SECOND = (2**63 - 1) // 10**9 // 2

LOOKS = (
    _devices,
    _limits,
    _parameters,
    _memory_nodes,
    _time_offsets,
    _labels,
    _net_devices,
    _id_mapped_mounts,
    _unsupported,
)
