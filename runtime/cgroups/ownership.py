"""Giving the cgroup to the container's user, to make cgroups below it: v2 only (config-linux.md, Cgroup ownership)."""

from __future__ import annotations

import os

from runtime.cgroups import hierarchies
from runtime.config.id_maps import host_id
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.container import Container

_DELEGATED = ("cgroup.procs", "cgroup.subtree_control", "cgroup.threads")
"""The files to give to the user where the kernel does not list them: with others the user could raise the limits."""


def give_cgroup_to_user(c: Container) -> None:
    """Make the program's user the owner of the container's cgroup, if the container sees it and may write to it.

    "Runtimes SHOULD change the cgroup ownership if and only if the cgroup filesystem is to be mounted read/write".
    """
    leaves = c.entry.record["cgroups"]
    if not leaves or not c.has_new("cgroup") or not _is_mounted_writable(c) or not hierarchies.is_version2():
        return
    owner = _host_uid(c)
    if owner is None or owner == os.geteuid():
        return
    try:
        os.chown(leaves[0], owner, -1)
        for name in _delegated_files():
            try:
                os.chown(f"{leaves[0]}/{name}", owner, -1)
            except FileNotFoundError:
                continue
    except OSError as error:
        raise RuntError(f"cannot give the cgroup to user {owner}: {describe(error)}") from None


def _is_mounted_writable(c: Container) -> bool:
    return any(
        mount.get("type") == "cgroup"
        and os.path.normpath(mount["destination"]) == "/sys/fs/cgroup"
        and "ro" not in mount.get("options", ())
        for mount in c.config.get("mounts", ())
    )


def _host_uid(c: Container) -> int | None:
    """Return the ID on the host of the program's user, None if the configuration does not have it."""
    uid = c.process["user"]["uid"]
    if not c.has_own("user"):
        return uid
    found = host_id(c.linux.get("uidMappings", ()), uid)
    return None if found < 0 else found


def _delegated_files() -> list[str]:
    """Return the names of the files that a delegated cgroup gives to its user (cgroups(7))."""
    try:
        with open("/sys/kernel/cgroup/delegate", encoding="utf-8") as file:
            return file.read().split()
    except OSError:
        return list(_DELEGATED)
