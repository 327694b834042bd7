"""The parts of a snapshot that are one file of `/proc/PID` each: namespaces, mounts, id maps, capabilities, cgroups."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from tutor.observe.model import (
    NAMESPACE_KINDS,
    Capabilities,
    CapabilitySet,
    CgroupMembership,
    Credentials,
    IdRange,
    Mount,
    Namespace,
    NamespaceView,
)
from tutor.observe.procfs import reason_of, text

if TYPE_CHECKING:
    from tutor.observe.procfs import ProcessDirectory

# In bit order; the kernel's include/uapi/linux/capability.h.
CAPABILITY_NAMES = tuple(
    f"CAP_{name}"
    for name in [
        "CHOWN",
        "DAC_OVERRIDE",
        "DAC_READ_SEARCH",
        "FOWNER",
        "FSETID",
        "KILL",
        "SETGID",
        "SETUID",
        "SETPCAP",
        "LINUX_IMMUTABLE",
        "NET_BIND_SERVICE",
        "NET_BROADCAST",
        "NET_ADMIN",
        "NET_RAW",
        "IPC_LOCK",
        "IPC_OWNER",
        "SYS_MODULE",
        "SYS_RAWIO",
        "SYS_CHROOT",
        "SYS_PTRACE",
        "SYS_PACCT",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_NICE",
        "SYS_RESOURCE",
        "SYS_TIME",
        "SYS_TTY_CONFIG",
        "MKNOD",
        "LEASE",
        "AUDIT_WRITE",
        "AUDIT_CONTROL",
        "SETFCAP",
        "MAC_OVERRIDE",
        "MAC_ADMIN",
        "SYSLOG",
        "WAKE_ALARM",
        "BLOCK_SUSPEND",
        "AUDIT_READ",
        "PERFMON",
        "BPF",
        "CHECKPOINT_RESTORE",
    ]
)
_ESCAPE = re.compile(rb"\\([0-7]{3})")


def read_namespaces(process: ProcessDirectory) -> tuple[Namespace, ...]:
    """Return the eight namespaces of a process; one that cannot be read has no inode and a reason."""
    return tuple(Namespace(kind, *_inode(process, kind)) for kind in NAMESPACE_KINDS)


def compare_namespaces(process: ProcessDirectory, host: tuple[Namespace, ...]) -> tuple[NamespaceView, ...]:
    """Return the eight namespaces of a process, each with the host's."""
    views = []
    for theirs in host:
        inode, reason = _inode(process, theirs.kind)
        for_children = (
            _inode(process, f"{theirs.kind}_for_children")[0] if theirs.kind in ("pid", "time") else None
        )
        shared = inode is not None and inode == theirs.inode
        views.append(
            NamespaceView(theirs.kind, inode, theirs.inode, shared, for_children, reason or theirs.reason)
        )
    return tuple(views)


def _inode(process: ProcessDirectory, name: str) -> tuple[int | None, str]:
    try:
        link = process.link(f"ns/{name}")
    except OSError as error:
        return None, reason_of(error)
    digits = link.partition(b"[")[2].rstrip(b"]")
    # `pid_for_children` cannot be read until the first process of a new pid namespace is created (pid_namespaces(7)).
    return (int(digits), "") if digits.isdigit() else (None, "ENOENT")


# A mount table seldom changes, and parsing it costs more than everything else: the last few are cached.
@lru_cache(maxsize=8)
def parse_mounts(raw: bytes) -> tuple[Mount, ...]:
    """Return the mounts of a `/proc/PID/mountinfo`; a malformed line is left out.

    The kernel escapes newlines in paths, but not carriage returns, at which bytes.splitlines() would split.
    """
    return tuple(mount for line in raw.split(b"\n") if (mount := _mount(line)) is not None)


def _mount(line: bytes) -> Mount | None:
    fields = line.split(b" ")
    try:
        dash = fields.index(b"-", 6)
        fstype, source, super_options = fields[dash + 1 : dash + 4]
        number, parent = int(fields[0]), int(fields[1])
    except ValueError:
        return None
    return Mount(
        id=number,
        parent=parent,
        major_minor=text(fields[2]),
        root=_unescaped(fields[3]),
        target=_unescaped(fields[4]),
        options=tuple(text(fields[5]).split(",")),
        propagation=tuple(map(text, fields[6:dash])) or ("private",),
        fstype=_unescaped(fstype),
        source=_unescaped(source),
        super_options=tuple(_unescaped(super_options).split(",")),
    )


def _unescaped(field: bytes) -> str:
    if b"\\" in field:
        field = _ESCAPE.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), field)
    return text(field)


def parse_id_map(raw: bytes) -> tuple[IdRange, ...]:
    """Return the ranges of a `/proc/PID/uid_map` or `gid_map` (user_namespaces(7))."""
    return tuple(IdRange(*map(int, fields)) for line in raw.splitlines() if len(fields := line.split()) == 3)


@lru_cache(maxsize=32)
def capability_set(raw: int) -> CapabilitySet:
    """Return a capability mask with the names of its bits; a bit without a name is `CAP_<number>`."""
    bits = (bit for bit in range(raw.bit_length()) if raw >> bit & 1)
    return CapabilitySet(
        raw, tuple(CAPABILITY_NAMES[bit] if bit < len(CAPABILITY_NAMES) else f"CAP_{bit}" for bit in bits)
    )


def parse_capabilities(status: dict[str, str]) -> Capabilities:
    """Return the five sets from the fields of `/proc/PID/status`."""
    effective, permitted, inheritable, bounding, ambient = (
        capability_set(int(status.get(name, "0"), 16))
        for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")
    )
    return Capabilities(effective, permitted, inheritable, bounding, ambient)


def parse_credentials(status: dict[str, str]) -> Credentials | None:
    """Return the effective ids and the groups from the fields of `/proc/PID/status`; None if it has none."""
    uids, gids = status.get("Uid", "").split(), status.get("Gid", "").split()
    if len(uids) < 2 or len(gids) < 2:
        return None
    return Credentials(int(uids[1]), int(gids[1]), tuple(map(int, status.get("Groups", "").split())))


def parse_cgroups(raw: bytes) -> tuple[CgroupMembership, ...]:
    """Return the memberships of a `/proc/PID/cgroup` (cgroups(7)), in its order."""
    memberships = []
    for line in raw.split(b"\n"):
        hierarchy, _, rest = line.partition(b":")
        controllers, _, path = rest.partition(b":")
        if hierarchy.isdigit():
            names = tuple(text(controllers).split(",")) if controllers else ()
            memberships.append(CgroupMembership(int(hierarchy), names, text(path)))
    return tuple(memberships)
