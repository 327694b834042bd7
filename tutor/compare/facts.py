"""What the kernel says of a container, as facts that mean the same on every engine: without pids, inodes and names of this one lab.

What is left out, as it says nothing of an engine: ids of mounts and peer groups, device numbers, inodes, pids, and what is used of a limit.
"""

from __future__ import annotations

import os
import re
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.compare.model import Key
from tutor.observe import SECCOMP_MODES
from tutor.observe.parts import CAPABILITY_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tutor.compare.model import Facts
    from tutor.observe import CapabilitySet, CgroupMembership, ContainerView, IdRange, Mount, NamespaceView

_NUMBER = re.compile(r":\[\d+\]$")  # pipe:[4026], socket:[4026], mnt:[4026531840]
_USAGE = ("memory.usage_in_bytes", "memory.current", "pids.current")
_CAPABILITY_SETS = ("effective", "permitted", "inheritable", "bounding", "ambient")
_PEERS = {"shared": "shared", "master": "slave", "unbindable": "unbindable", "private": "private"}
NONE, ALL = "none", "all"
CALLER = "<caller>"
"""The cgroup of whoever calls the engine."""


def facts_of(
    view: ContainerView,
    descriptors: Iterable[tuple[int, str]],
    reference: tuple[CgroupMembership, ...],
    config: dict[str, Any],
) -> Facts:
    """Return the facts of a container.

    Args:
        view: what the kernel says of it.
        descriptors: the open descriptors of its init process.
        reference: the cgroups of the lab's own process: paths are told from there.
        config: its configuration, which says what namespaces it joins.
    """
    callers = sorted({each.path for each in reference if each.path != "/"}, key=len, reverse=True)

    def plain(path: str) -> str:
        """Return a path with the lab's own cgroup as the root, as the engine sees it, and with a word for its own below that."""
        for caller in callers:
            path = path.replace(caller, CALLER).replace(os.path.dirname(caller), "")  # noqa: PTH120  (a cgroup's name, not a file's)
        return path or "/"

    return dict(
        (
            *_namespaces(view, config),
            *_mounts(view.mounts, plain),
            *((Key("capabilities", name), _capabilities(getattr(view.capabilities, name))) for name in _CAPABILITY_SETS),
            (Key("mappings", "uid"), _mapping(view.uid_map)),
            (Key("mappings", "gid"), _mapping(view.gid_map)),
            *_ids(view),
            *_cgroup(view, plain),
            *((Key("descriptors", str(number)), _NUMBER.sub("", target)) for number, target in descriptors),
            (Key("root", "root"), view.root),
            (Key("root", "cwd"), view.cwd),
            (Key("protection", "no_new_privs"), str(int(view.no_new_privs))),
            (Key("protection", "seccomp"), SECCOMP_MODES[view.seccomp] if view.seccomp < 3 else str(view.seccomp)),
            *_processes(view),
        )
    )  # fmt: skip


def _namespaces(view: ContainerView, config: dict[str, Any]) -> Iterator[tuple[Key, str]]:
    for each in view.namespaces:
        if each.reason != "ENOENT":  # else this kernel has no such kind
            yield Key("namespaces", each.kind), _whose(each, config)


def _whose(view: NamespaceView, config: dict[str, Any]) -> str:
    if not view.known:
        return view.reason
    if view.shared:
        return "shared"
    return "joined" if view.inode in _joined(config) else "own"


def _joined(config: dict[str, Any]) -> set[int]:
    """Return the inodes of the namespaces that a configuration names by path."""
    found = set()
    with suppress(AttributeError, TypeError):  # of another form than the specification's: the engine says so
        for path in [each.get("path") for each in config["linux"]["namespaces"] if each.get("path")]:
            with suppress(OSError):
                found.add(Path(path).stat().st_ino)
    return found


def _mounts(mounts: tuple[Mount, ...], plain: Callable[[str], str]) -> Iterator[tuple[Key, str]]:
    seen: dict[str, int] = {}
    for mount in mounts:
        seen[mount.target] = number = seen.get(mount.target, 0) + 1
        name = mount.target if number == 1 else f"{mount.target} ({number})"
        propagation = (_PEERS.get(each.partition(":")[0], "") for each in mount.propagation)
        yield Key("mounts", name, "type"), mount.fstype
        yield Key("mounts", name, "source"), mount.source
        yield Key("mounts", name, "root"), plain(mount.root)
        yield Key("mounts", name, "options"), ",".join(mount.options)
        yield Key("mounts", name, "propagation"), ",".join(filter(None, propagation)) or "private"
        yield Key("mounts", name, "superblock"), ",".join(map(plain, mount.super_options))


def _capabilities(of: CapabilitySet) -> str:
    if of.raw == (1 << _last_capability() + 1) - 1:
        return ALL
    return " ".join(each.removeprefix("CAP_") for each in of.names) or NONE


def _last_capability() -> int:
    try:
        return int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    except (OSError, ValueError):
        return len(CAPABILITY_NAMES) - 1


def _mapping(ranges: tuple[IdRange, ...]) -> str:
    return ", ".join(f"{each.inside} {each.outside} {each.count}" for each in ranges) or NONE


def _ids(view: ContainerView) -> Iterator[tuple[Key, str]]:
    if (ids := view.credentials) is not None:
        yield Key("ids", "uid"), str(ids.uid)
        yield Key("ids", "gid"), str(ids.gid)
        yield Key("ids", "groups"), " ".join(map(str, ids.groups)) or NONE


def _cgroup(view: ContainerView, plain: Callable[[str], str]) -> Iterator[tuple[Key, str]]:
    for each in sorted(view.cgroups, key=lambda one: one.controllers):
        yield Key("cgroup", ",".join(each.controllers) or "v2", "path"), plain(each.path)
    for file in view.cgroup_files:
        if not file.key and file.name not in _USAGE:
            yield Key("cgroup", file.name), " ".join(file.value.split())


def _processes(view: ContainerView) -> Iterator[tuple[Key, str]]:
    for number, each in enumerate(view.processes, 1):
        words = shlex.join(each.words) or f"[{each.comm}]"
        yield Key("processes", str(number)), "  " * each.depth + words
