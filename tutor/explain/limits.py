"""Errors that name a disk and mean another limit of the kernel, or that mean a limit and name nothing: patterns by what was being done.

ENOSPC is what the kernel also answers when there are too many cgroups, namespaces, mounts or watches of inotify, and for a cpuset
without CPUs (cgroups(7), namespaces(7), mount(2), inotify_add_watch(2), cpuset(7)); EDQUOT for keys (keyctl(2)).
"""

from __future__ import annotations

from tutor.explain.pattern import pattern as _p

_FULL = r"no space left on device"
_CGROUP = r"/sys/fs/cgroup|cgroup"

LIMITS = (
    _p("cgroup.empty_cpuset", rf"(?:cgroup\.procs|/tasks|cpuset\.(?:cpus|mems)).*{_FULL}"),
    _p("cgroup.too_many", rf"(?:mkdir|creat\w*|make)\b.*(?:{_CGROUP}).*(?:{_FULL}|resource temporarily unavailable)"),
    _p("host.namespaces", rf"(?:clone|unshare|nsexec|namespace|fork/exec|step clone_init).*(?:{_FULL}|too many users)"),
    _p("host.namespaces", rf"{_FULL} \(step (?:clone_init|unshare\w*|\w*namespaces?)\)"),
    _p("host.watches", rf"inotify.*(?:{_FULL}|too many open files)"),
    _p("host.mounts", rf"(?:^|: )(?:re)?mount\b(?!.*(?:mkdir|creat|open\b|mknod|write))[^/]*.*{_FULL}"),
    _p("host.mounts", rf"(?:move_mount|open_tree|fsmount|pivot_root|mount_setattr)\b.*{_FULL}"),
    _p("host.keys", r"key.*disk quota exceeded"),
    _p("host.quota", r"disk quota exceeded"),
    _p("cgroup.occupied", r"(?:cgroup\.(?:procs|threads|subtree_control)|cgroupv2).*(?:device or resource busy|operation not supported)"),
    _p("cgroup.occupied", r"cannot enter cgroupv2 .* with domain controllers"),
    _p("cgroup.memory_too_small", r"OOM-killed", "memory_limit", doubtful=True),
    _p("init.oom", r"OOM-killed"),
)  # fmt: skip
