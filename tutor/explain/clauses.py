"""The clause of the specification (runtime-spec 1.3.0) for each explanation."""

from __future__ import annotations

_CLAUSES = {
    "config": "config.md",
    "config.missing": "bundle.md#container-format",
    "config.unreadable": "bundle.md#container-format",
    "root": "config.md#root",
    "process": "config.md#process",
    "program": "config.md#posix-process",
    "program.no_path": "config.md#process",
    "program.elsewhere": "config.md#posix-process",
    "program.not_allowed": "config.md#posix-platform-user",
    "cwd": "config.md#process",
    "terminal": "config.md#process",
    "capability": "config.md#linux-process",
    "rlimit": "config.md#posix-process",
    "oom_score": "config.md#linux-process",
    "label": "config.md#linux-process",
    "hostname": "config.md#hostname",
    "domainname": "config.md#domainname",
    "dev": "config-linux.md#default-devices",
    "mount": "config.md#mounts",
    "mask": "config-linux.md#masked-paths",
    "namespace": "config-linux.md#namespaces",
    "user": "config-linux.md#user-namespace-mappings",
    "user.id_not_mapped": "config.md#posix-platform-user",
    "time": "config-linux.md#offset-for-time-namespace",
    "sysctl": "config-linux.md#sysctl",
    "hook": "config.md#posix-platform-hooks",
    "cgroup": "config-linux.md#control-groups",
    "cgroup.memory_too_small": "config-linux.md#memory",
    "cgroup.swap_below": "config-linux.md#memory",
    "cgroup.shares": "config-linux.md#cpu",
    "cgroup.unified_on_v1": "config-linux.md#unified",
    "cgroup.path": "config-linux.md#cgroups-path",
    "cgroup.not_empty": "config-linux.md#cgroups-path",
    "seccomp": "config-linux.md#seccomp",
    "intel_rdt": "config-linux.md#intelrdt",
    "version": "config.md#specification-version",
    "id": "runtime.md#create",
    "bundle": "bundle.md#container-format",
    "init": "runtime.md#create",
    "container": "runtime.md#operations",
    "state": "runtime.md#operations",
    "state.start_again": "runtime.md#start",
    "state.start_stopped": "runtime.md#start",
    "state.delete_alive": "runtime.md#delete",
    "state.not_running": "runtime.md#kill",
    "signal": "runtime.md#kill",
}


def clause_of(id_: str) -> str:
    """Return the clause for an explanation; empty if the specification says nothing about it."""
    return _CLAUSES.get(id_) or _CLAUSES.get(id_.partition(".")[0], "")
