"""Reads what the kernel says about a container's process, and about the host for comparison.

`take_snapshot` reads `/proc` once and returns an immutable `Snapshot`; `diff` compares two of them; a `Poller` does both in a
thread and publishes what changed. Nothing here writes, enters a namespace or traces.
"""

from __future__ import annotations

from tutor.observe.details import SECCOMP_MODES, ProcessDetails, read_details
from tutor.observe.difference import Changed, Changes, Delta, diff
from tutor.observe.model import (
    NAMESPACE_KINDS,
    NO_CAPABILITIES,
    Capabilities,
    CapabilitySet,
    CgroupFile,
    CgroupMembership,
    ContainerView,
    Credentials,
    HostView,
    IdRange,
    Mount,
    Namespace,
    NamespaceKind,
    NamespaceView,
    Process,
    Snapshot,
    Unreadable,
    Wait,
)
from tutor.observe.poller import Poller
from tutor.observe.snapshot import take_snapshot
from tutor.observe.waits import describe

__all__ = [
    "NAMESPACE_KINDS",
    "NO_CAPABILITIES",
    "SECCOMP_MODES",
    "Capabilities",
    "CapabilitySet",
    "CgroupFile",
    "CgroupMembership",
    "Changed",
    "Changes",
    "ContainerView",
    "Credentials",
    "Delta",
    "HostView",
    "IdRange",
    "Mount",
    "Namespace",
    "NamespaceKind",
    "NamespaceView",
    "Poller",
    "Process",
    "ProcessDetails",
    "Snapshot",
    "Unreadable",
    "Wait",
    "describe",
    "diff",
    "read_details",
    "take_snapshot",
]
