"""The container of a trial as the panels show it: a snapshot made of what was recorded while it lived."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from tutor.observe.model import (
    NAMESPACE_KINDS,
    ContainerView,
    HostView,
    Namespace,
    NamespaceView,
    Process,
    Snapshot,
)
from tutor.observe.parts import parse_capabilities, parse_cgroups, parse_credentials, parse_mounts
from tutor.observe.procfs import name_of, status_fields
from tutor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BEST = "running"
_INODE = re.compile(r"\[(\d+)\]")


def snapshot_of(records: Iterable[Mapping[str, Any]]) -> Snapshot | None:
    """Return the container of a trial at its last look while the program ran, else at the last one with a process; None without any.

    Pids are those of the sandbox.
    """
    looks = [each for each in records if each.get("process")]
    if not looks:
        return None
    best = [each for each in looks if each["look"] == _BEST] or looks
    try:
        return _snapshot(best[-1])
    except (
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
    ):  # what runs in a sandbox may have its way with the record
        return None


def _snapshot(record: Mapping[str, Any]) -> Snapshot:
    process = record["process"]
    links: Mapping[str, Any] = process.get("namespace_links", {})
    inodes = {kind: [_inode(link) for link in links.get(kind, ("", ""))] for kind in NAMESPACE_KINDS}
    status = status_fields(process["status"].encode())
    view = ContainerView(
        pid=record["init"],
        alive=True,
        namespaces=tuple(
            NamespaceView(
                kind, own, host, shared=own is not None and own == host, reason="" if own else "ENOENT"
            )
            for kind, (own, host) in inodes.items()
            if kind in links
        ),
        mounts=parse_mounts(process["mountinfo"].encode()),
        processes=(_process(record["init"], process, status),),
        root=visible(process["root"]),
        cwd=visible(process["cwd"]),
        credentials=parse_credentials(status),
        capabilities=parse_capabilities(status),
        cgroups=parse_cgroups(process["cgroup"].encode()),
        no_new_privs=status.get("NoNewPrivs") == "1",
        seccomp=int(status.get("Seccomp", "0")),
    )
    host = tuple(Namespace(kind, host) for kind, (_own, host) in inodes.items() if kind in links)
    return Snapshot(time.monotonic(), HostView(1, host, parse_mounts(record["host_mounts"].encode())), view)


def _process(pid: int, process: Mapping[str, Any], status: dict[str, str]) -> Process:
    inner = status.get("NSpid", str(pid)).split()
    return Process(
        pid=pid,
        ns_pid=int(inner[-1]),
        ppid=0,
        state=status.get("State", "?")[:1],
        comm=visible(name_of(status)),
        cmdline=tuple(process["cmdline"]),
        exe=visible(process["exe"]),
        threads=int(status.get("Threads", "1")),
        depth=0,
        waits_for=None,
    )


def _inode(link: str) -> int | None:
    found = _INODE.search(link)
    return int(found[1]) if found else None
