"""What a face shows of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.observe import HostView


def cgroup_version(host: HostView) -> str:
    """Return `v1` if a hierarchy of version 1 is mounted (cgroups(7)), else `v2`; empty if no cgroups are mounted."""
    kinds = {mount.fstype for mount in host.mounts}
    return "v1" if "cgroup" in kinds else "v2" if "cgroup2" in kinds else ""
