"""Takes an immutable `Snapshot` of a container's process and of the reference process on the host."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tutor.observe.cgroups import KnownCgroupFiles, own_cgroups
from tutor.observe.known_processes import KnownProcesses
from tutor.observe.model import NAMESPACE_KINDS, ContainerView, HostView, Namespace, Snapshot, Unreadable
from tutor.observe.parts import (
    compare_namespaces,
    parse_capabilities,
    parse_cgroups,
    parse_credentials,
    parse_id_map,
    parse_mounts,
    read_namespaces,
)
from tutor.observe.processes import Strangers, cgroup_members, read_processes
from tutor.observe.procfs import ProcessDirectory, reason_of, start_time_of, status_fields

if TYPE_CHECKING:
    from tutor.observe.model import CgroupMembership


def take_snapshot(
    pid: int | None,
    *,
    start_time: int | None = None,
    reference_pid: int | None = None,
    strangers: Strangers | None = None,
    known: KnownProcesses | None = None,
    files: KnownCgroupFiles | None = None,
) -> Snapshot:
    """Return a snapshot of a container's process and of the host.

    A process that has ended or may not be read is no error: what could not be read is empty, and `unreadable` says why.

    Args:
        pid: the container's init process; None if there is no container.
        start_time: its start time (field 22 of proc_pid_stat(5), in clock ticks), if known: a process with the same pid but
            another start time is a different one.
        reference_pid: the process whose namespaces are the host's (the keeper of the lab); by default this one.
        strangers: the pids that earlier snapshots found to be outside the container; a `Poller` keeps them.
        known: what the last snapshot found inside, which a `Poller` keeps too.
        files: what earlier snapshots read of the container's cgroups, likewise.
    """
    reference = os.getpid() if reference_pid is None else reference_pid
    host, cgroups = _read_host(reference)
    container = None
    if pid is not None:
        memory = strangers or Strangers(), known or KnownProcesses(), files or KnownCgroupFiles()
        container = _read_container(pid, start_time, host, cgroups, memory)
    return Snapshot(taken=time.monotonic(), host=host, container=container)


def _read_host(pid: int) -> tuple[HostView, tuple[CgroupMembership, ...]]:
    try:
        with ProcessDirectory(pid) as process:
            host = HostView(pid, read_namespaces(process), parse_mounts(process.read_or_note("mountinfo")))
            return host, parse_cgroups(process.read_or_note("cgroup"))
    except OSError as error:
        unknown = tuple(Namespace(kind, None, reason_of(error)) for kind in NAMESPACE_KINDS)
        return HostView(pid, unknown, ()), ()


def _read_container(
    pid: int,
    start_time: int | None,
    host: HostView,
    host_cgroups: tuple[CgroupMembership, ...],
    memory: tuple[Strangers, KnownProcesses, KnownCgroupFiles],
) -> ContainerView:
    try:
        with ProcessDirectory(pid) as process:
            started = start_time_of(process.read("stat"))
            if start_time is not None and started != start_time:
                return ContainerView(pid, alive=False)
            view = _read_living(process, started, host, host_cgroups, memory)
            # It may have ended meanwhile; then half of what was read is empty, which is no change of the container.
            state = status_fields(process.read("status")).get("State", "X")[:1]
            if state not in "ZXx":
                return view
            return ContainerView(pid, alive=False, start_time=started, processes=view.processes)
    except OSError:
        return ContainerView(pid, alive=False)


def _read_living(
    process: ProcessDirectory,
    started: int,
    host: HostView,
    host_cgroups: tuple[CgroupMembership, ...],
    memory: tuple[Strangers, KnownProcesses, KnownCgroupFiles],
) -> ContainerView:
    strangers, known, files = memory
    status = status_fields(process.read("status"))
    namespaces = compare_namespaces(process, host.namespaces)
    cgroups = parse_cgroups(process.read_or_note("cgroup"))
    outsiders = {os.getpid(), host.pid, int(status.get("PPid", "0"))} - {process.pid}
    entered = cgroup_members(cgroups, host_cgroups, host.mounts, host.pid, outsiders)
    pid_namespace = next(view for view in namespaces if view.kind == "pid")
    if entered is None:
        own = pid_namespace.known and not pid_namespace.shared and pid_namespace.inode is not None
        entered = strangers.members(pid_namespace.inode or 0) if own else []
    return ContainerView(
        pid=process.pid,
        alive=True,
        start_time=started,
        namespaces=namespaces,
        uid_map=parse_id_map(process.read_or_note("uid_map")),
        gid_map=parse_id_map(process.read_or_note("gid_map")),
        mounts=parse_mounts(process.read_or_note("mountinfo")),
        root=process.link_or_note("root"),
        cwd=process.link_or_note("cwd"),
        credentials=parse_credentials(status),
        capabilities=parse_capabilities(status),
        cgroups=cgroups,
        cgroup_files=files.of(own_cgroups(cgroups, host_cgroups, host.mounts), host.pid),
        no_new_privs=status.get("NoNewPrivs") == "1",
        seccomp=int(status.get("Seccomp", "0")),
        processes=read_processes(process, entered, host.pid, known),
        unreadable=tuple(Unreadable(*item) for item in sorted(process.unreadable.items())),
    )
