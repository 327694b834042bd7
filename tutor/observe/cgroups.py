"""What the files of the container's own cgroup say: limits, what is used, and what a limit has done (cgroups(7); version 1, 2 or both)."""

from __future__ import annotations

import math
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from tutor.observe.model import CgroupFile
from tutor.observe.procfs import decoded
from tutor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.observe.model import CgroupMembership, Mount


class _File(NamedTuple):
    """A file of a cgroup; of one with a key and a value in each line, the value of `key`."""

    controller: str
    name: str
    key: str = ""


_VERSION_1 = (
    _File("memory", "memory.limit_in_bytes"),
    _File("memory", "memory.memsw.limit_in_bytes"),
    _File("memory", "memory.usage_in_bytes"),
    _File("memory", "memory.oom_control", "oom_kill"),
    _File("pids", "pids.max"),
    _File("pids", "pids.current"),
    _File("pids", "pids.events", "max"),
    _File("cpu", "cpu.cfs_quota_us"),
    _File("cpu", "cpu.cfs_period_us"),
    _File("cpu", "cpu.stat", "nr_throttled"),
    _File("freezer", "freezer.state"),
)
_VERSION_2 = (
    _File("memory", "memory.max"),
    _File("memory", "memory.swap.max"),
    _File("memory", "memory.current"),
    _File("memory", "memory.events", "oom_kill"),
    _File("pids", "pids.max"),
    _File("pids", "pids.current"),
    _File("pids", "pids.events", "max"),
    _File("cpu", "cpu.max"),
    _File("cpu", "cpu.stat", "nr_throttled"),
    _File("", "cgroup.freeze"),
)


_FRESH_SECONDS = 2.0
"""How old what was read may be while nothing is done to the container."""


class OwnCgroup(NamedTuple):
    """The container's own cgroup in one hierarchy: where the reference process sees it."""

    membership: CgroupMembership
    directory: str


def own_cgroups(
    own: tuple[CgroupMembership, ...],
    reference: tuple[CgroupMembership, ...],
    mounts: tuple[Mount, ...],
) -> Iterator[OwnCgroup]:
    """Yield the container's own cgroups: those below the reference's or beside it; one above it is the host's."""
    paths = {membership.hierarchy: membership.path for membership in reference}
    for membership in own:
        here = paths.get(membership.hierarchy)
        if (
            here is None
            or here == membership.path
            or f"{here}/".startswith(f"{membership.path.rstrip('/')}/")
        ):
            continue
        for mount in mounts:
            if _mounts_hierarchy(mount, membership):
                inside = os.path.relpath(membership.path, mount.root)
                yield OwnCgroup(membership, os.path.normpath(f"{mount.target}/{inside}"))


def _mounts_hierarchy(mount: Mount, membership: CgroupMembership) -> bool:
    if not membership.controllers:
        return mount.fstype == "cgroup2"
    return mount.fstype == "cgroup" and set(membership.controllers) <= set(mount.super_options)


def read_cgroup_files(cgroups: Iterator[OwnCgroup], reference_pid: int) -> tuple[CgroupFile, ...]:
    """Return what the files of cgroups say, through the root of the reference process; one that is not there is left out."""
    found: dict[CgroupFile, int] = {}  # with their places in the table: /proc has the hierarchies in no order
    for membership, directory in cgroups:
        version = 1 if membership.controllers else 2
        for place, file in enumerate(_VERSION_1 if version == 1 else _VERSION_2):
            if version == 1 and file.controller not in membership.controllers:
                continue
            with suppress(OSError, StopIteration):
                value = _value(f"/proc/{reference_pid}/root{directory}/{file.name}", file.key)
                found[CgroupFile(version, directory, file.name, file.key, value)] = place
    return tuple(sorted(found, key=lambda each: found[each]))


class KnownCgroupFiles:
    """What a poller has read of a container's cgroups: what is used changes all the time, and each change is drawn.

    So the files are read again after two seconds only, or when something was done (`forget`).
    """

    def __init__(self) -> None:
        self._cgroups: list[OwnCgroup] = []
        self._files: tuple[CgroupFile, ...] = ()
        self._read_at = -math.inf

    def forget(self) -> None:
        """Read the files at the next look, however soon it comes."""
        self._read_at = -math.inf

    def of(self, cgroups: Iterator[OwnCgroup], reference_pid: int) -> tuple[CgroupFile, ...]:
        """Return what the files say, as `read_cgroup_files` does, or said a moment ago."""
        own, now = list(cgroups), time.monotonic()
        if own != self._cgroups or now - self._read_at >= _FRESH_SECONDS:
            self._files = read_cgroup_files(iter(own), reference_pid)
            self._cgroups, self._read_at = own, now
        return self._files


def _value(path: str, key: str) -> str:
    with open(path, "rb") as file:  # noqa: PTH123  (a path of the kernel's, read many times a second)
        content = decoded(file.read()).strip()
    if not key:
        return visible(content)
    return visible(next(words[1] for line in content.split("\n") if (words := line.split())[:1] == [key]))
