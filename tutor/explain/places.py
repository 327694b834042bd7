"""Which member of `config.json` an engine's message is about: one function for each `where` of the table of patterns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tutor import rlimits
from tutor.configfile.document import child

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.explain.bundle import Bundle

Groups = dict[str, str]

NOWHERE = "-"
"""The message is about nothing in the configuration (a pointer is empty or begins with `/`)."""

# runc's names of namespaces that differ from those of config.json.
_KINDS = {"net": "network", "mnt": "mount"}
_HOOKS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
# Only runc runs poststart hooks in `create`.
_HOOKS_OF = {
    "create": ("prestart", "createRuntime", "createContainer", "poststart"),
    "start": ("startContainer", "poststart"),
    "delete": ("poststop",),
}
# Files of cgroup v1 and v2 and the member of linux.resources that is written to them.
_CGROUP_FILES = {
    "cpuset.cpus": "cpu/cpus",
    "cpuset.mems": "cpu/mems",
    "cpu.shares": "cpu/shares",
    "cpu.weight": "cpu/shares",
    "cpu.cfs_quota_us": "cpu/quota",
    "cpu.cfs_period_us": "cpu/period",
    "cpu.cfs_burst_us": "cpu/burst",
    "cpu.rt_period_us": "cpu/realtimePeriod",
    "cpu.rt_runtime_us": "cpu/realtimeRuntime",
    "cpu.max": "cpu/quota",
    "cpu.idle": "cpu/idle",
    "memory.limit_in_bytes": "memory/limit",
    "memory.max": "memory/limit",
    "memory.memsw.limit_in_bytes": "memory/swap",
    "memory.swap.max": "memory/swap",
    "memory.soft_limit_in_bytes": "memory/reservation",
    "memory.low": "memory/reservation",
    "memory.swappiness": "memory/swappiness",
    "memory.kmem.limit_in_bytes": "memory/kernel",
    "memory.kmem.tcp.limit_in_bytes": "memory/kernelTCP",
    "memory.oom_control": "memory/disableOOMKiller",
    "pids.max": "pids/limit",
    "blkio.weight": "blockIO/weight",
    "blkio.bfq.weight": "blockIO/weight",
    "io.weight": "blockIO/weight",
    "io.bfq.weight": "blockIO/weight",
}
_V1_LIMITS = {
    "tcp": "memory/kernelTCP",
    "kernel": "memory/kernel",
    "swappiness": "memory/swappiness",
    "usehierarchy": "memory/useHierarchy",
    "oom": "memory/disableOOMKiller",
    "leaf_weight": "blockIO/leafWeight",
    "realtime period": "cpu/realtimePeriod",
    "realtime runtime": "cpu/realtimeRuntime",
    "network": "network",
}
_CONTROLLERS = {"cpu": "cpu", "cpuset": "cpu", "memory": "memory", "pids": "pids", "hugetlb": "hugepageLimits",
    "blkio": "blockIO", "io": "blockIO", "net_cls": "network", "net_prio": "network", "rdma": "rdma",
    "devices": "devices"}  # fmt: skip


def find_place(where: str, groups: Groups, bundle: Bundle) -> str | None:
    """Return the pointer that a pattern means, `NOWHERE`, or None if the configuration has no such member."""
    if not where:
        return NOWHERE
    if where.startswith("/"):
        return where
    return _FINDERS[where](groups, bundle)


def _line(groups: Groups, bundle: Bundle) -> str | None:
    """The place that runt names: the smallest value there. If the text has changed since, the member is found by its name."""
    match = re.search(r"config\.json:(\d+):(\d+)", groups[""])
    if match is None:
        return None
    line, column = int(match[1]), int(match[2])
    problem = next((each for each in bundle.problems if (each.line, each.column) == (line, column)), None)
    if problem is None:
        problem = next((each for each in bundle.problems if each.line == line), None)
    return problem.pointer if problem else bundle.document.pointer_at(line, column)


def _field(groups: Groups, bundle: Bundle) -> str:
    """The path of Go's field names down to a value; it has no array indices."""
    wanted = "/" + groups["field"].replace(".", "/")
    for problem in bundle.problems:
        names = "/".join(name for name in problem.pointer.split("/") if not name.isdigit())
        if names == wanted or names.startswith(f"{wanted}/"):
            return problem.pointer
    return wanted


def _program(groups: Groups, bundle: Bundle) -> str:
    """process.args[0]; `NOWHERE` for `exec`, whose program is on the command line."""
    name = groups.get("name")
    first = next(iter(bundle.strings("/process/args")), None)
    return "/process/args/0" if name is None or name == first or first is None else NOWHERE


def _root(groups: Groups, bundle: Bundle) -> str | None:
    path = bundle.text_at("/root/path")
    return (
        "/root/path"
        if path and groups["path"].rstrip("/") in (path.rstrip("/"), str(bundle.rootfs))
        else None
    )


def _mount(groups: Groups, bundle: Bundle) -> str | None:
    source, destination = groups.get("source"), groups.get("destination")
    for pointer, item in bundle.items("/mounts"):
        place = str(item.get("destination", "")).strip("/")
        if destination is not None and place == destination.strip("/"):
            return pointer
    for pointer, item in bundle.items("/mounts"):
        if destination is None and item.get("source") == source:
            return pointer
    for pointer, item in bundle.items("/mounts"):
        # The directory that could not be made may be a parent of a mount's destination.
        place = str(item.get("destination", ""))
        if destination and groups.get("step") and place.startswith(destination.rstrip("/") + "/"):
            return pointer
    return None if groups.get("step") else "/mounts"


def _namespace(groups: Groups, bundle: Bundle) -> str | None:
    kind, path = groups.get("kind"), groups.get("path")
    for pointer, item in bundle.items("/linux/namespaces"):
        if (path and item.get("path") == path) or (kind and item.get("type") == _KINDS.get(kind, kind)):
            return child(pointer, "path")
    return None


def _user_namespace(_groups: Groups, bundle: Bundle) -> str | None:
    for pointer, item in bundle.items("/linux/namespaces"):
        if item.get("type") == "user":
            return pointer
    return "/linux/namespaces"


def _user_root(_groups: Groups, bundle: Bundle) -> str | None:
    return "/linux/uidMappings" if bundle.namespace("user") else None


def _user_id(groups: Groups, bundle: Bundle) -> str:
    number = groups.get("number") or groups.get("uid")
    name = "gid" if groups.get("what") == "gid" else "uid"
    if number and str(bundle.value(f"/process/user/{name}")) != number:
        name = "gid" if name == "uid" else "uid"
    return f"/process/user/{name}"


def _mapping(groups: Groups, bundle: Bundle) -> str:
    if groups.get("what"):
        return f"/linux/{groups['what'].lower()}Mappings"
    return "/linux/uidMappings" if bundle.value("/linux/uidMappings") else "/linux/gidMappings"


def _root_mapping(_groups: Groups, bundle: Bundle) -> str | None:
    """The mappings that do not cover the container's ID 0."""
    for name in ("uidMappings", "gidMappings"):
        mappings = bundle.items(f"/linux/{name}")
        if mappings and not any(item.get("containerID") == 0 for _, item in mappings):
            return f"/linux/{name}"
    return None


def _masked(_groups: Groups, bundle: Bundle) -> str:
    return "/linux/maskedPaths" if bundle.value("/linux/maskedPaths") else "/linux/readonlyPaths"


def _sysctl(groups: Groups, bundle: Bundle) -> str | None:
    name = groups["name"]
    known = bundle.value("/linux/sysctl")
    for each in known if isinstance(known, dict) else ():
        if each.replace("/", ".") == name.replace("/", "."):
            return child("/linux/sysctl", each)
    return None


def _cwd(groups: Groups, bundle: Bundle) -> str | None:
    cwd = bundle.text_at("/process/cwd")
    return "/process/cwd" if cwd and (cwd == groups["path"] or cwd.startswith(groups["path"])) else None


def _capabilities(_groups: Groups, bundle: Bundle) -> str:
    permitted = set(bundle.strings("/process/capabilities/permitted"))
    for name in ("effective", "ambient"):
        for index, each in enumerate(bundle.strings(f"/process/capabilities/{name}")):
            if each not in permitted:
                return f"/process/capabilities/{name}/{index}"
    return "/process/capabilities"


def _capability(groups: Groups, bundle: Bundle) -> str:
    name = groups.get("name") or groups.get("one") or ""
    for kind in ("bounding", "effective", "permitted", "inheritable", "ambient"):
        for index, each in enumerate(bundle.strings(f"/process/capabilities/{kind}")):
            if each in name:
                return f"/process/capabilities/{kind}/{index}"
    return "/process/capabilities"


def _rlimit(groups: Groups, bundle: Bundle) -> str:
    kind = groups["type"]
    if kind.isdigit():
        # runc prints the number of a resource limit (getrlimit(2)).
        kind = rlimits.NAMES[int(kind)] if int(kind) < len(rlimits.NAMES) else ""
    for pointer, item in bundle.items("/process/rlimits"):
        if item.get("type") == kind:
            return pointer
    return "/process/rlimits"


def _hook(groups: Groups, bundle: Bundle) -> str | None:
    """The hook by its kind, its path or its number. runc prints only the number: `/hooks` if several hooks have it."""
    kind, path, index = groups.get("kind"), groups.get("path"), groups.get("index")
    if path is None and (match := re.search(r"fork/exec (\S+):", groups.get("why", ""))):
        path = match[1]
    found = [
        pointer
        for each in ([kind] if kind else _HOOKS_OF.get(groups["operation"], _HOOKS))
        for pointer, item in bundle.items(f"/hooks/{each}")
        if (index is None or pointer.endswith(f"/{index}")) and (path is None or item.get("path") == path)
    ]
    if len(found) > 1 and path is None and kind is None:
        # runc runs poststart when the container exists, the others while it prepares the init process.
        early = "container init" in groups["whole"]
        found = [each for each in found if each.startswith("/hooks/poststart") is not early]
        return found[0] if len(found) == 1 else "/hooks"
    return found[0] if found else None


def _cgroup_file(groups: Groups, _bundle: Bundle) -> str:
    known = _CGROUP_FILES.get(groups["file"])
    return f"/linux/resources/{known}" if known else "/linux/resources"


def _controller(groups: Groups, _bundle: Bundle) -> str:
    known = _CONTROLLERS.get(groups["controller"])
    return f"/linux/resources/{known}" if known else "/linux/resources"


def _v1_limit(groups: Groups, _bundle: Bundle) -> str:
    """The member that only cgroup v1 has, by crun's words for it."""
    return next(
        (f"/linux/resources/{where}" for word, where in _V1_LIMITS.items() if word in groups[""].lower()),
        "/linux/resources",
    )


def _cgroups_path(_groups: Groups, bundle: Bundle) -> str:
    return "/linux/cgroupsPath" if bundle.value("/linux/cgroupsPath") is not None else NOWHERE


def _memory_limit(_groups: Groups, bundle: Bundle) -> str | None:
    return "/linux/resources/memory/limit" if bundle.value("/linux/resources/memory/limit") else None


def _pids_limit(_groups: Groups, bundle: Bundle) -> str | None:
    return "/linux/resources/pids/limit" if bundle.value("/linux/resources/pids/limit") else None


def _open_files(_groups: Groups, bundle: Bundle) -> str | None:
    limits = bundle.items("/process/rlimits")
    return next((pointer for pointer, item in limits if item.get("type") == "RLIMIT_NOFILE"), None)


def _proc_mount(_groups: Groups, bundle: Bundle) -> str:
    for pointer, item in bundle.items("/mounts"):
        if str(item.get("destination", "")).startswith("/proc/"):
            return f"{pointer}/destination"
    return "/mounts"


def _seccomp(_groups: Groups, bundle: Bundle) -> str | None:
    return "/linux/seccomp/defaultAction" if bundle.value("/linux/seccomp") else None


def _contradiction(_groups: Groups, bundle: Bundle) -> str:
    found = (each.pointer for each in bundle.problems if "rules_contradict" in each.key)
    return next(found, "/linux/seccomp/syscalls")


_FINDERS: dict[str, Callable[[Groups, Bundle], str | None]] = {
    "line": _line,
    "field": _field,
    "program": _program,
    "root": _root,
    "mount": _mount,
    "namespace": _namespace,
    "user_namespace": _user_namespace,
    "user_root": _user_root,
    "user_id": _user_id,
    "mapping": _mapping,
    "root_mapping": _root_mapping,
    "masked": _masked,
    "sysctl": _sysctl,
    "cwd": _cwd,
    "capabilities": _capabilities,
    "capability": _capability,
    "rlimit": _rlimit,
    "hook": _hook,
    "cgroup_file": _cgroup_file,
    "controller": _controller,
    "v1_limit": _v1_limit,
    "cgroups_path": _cgroups_path,
    "memory_limit": _memory_limit,
    "pids_limit": _pids_limit,
    "open_files": _open_files,
    "proc_mount": _proc_mount,
    "seccomp": _seccomp,
    "contradiction": _contradiction,
}
