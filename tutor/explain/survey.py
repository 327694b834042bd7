"""Problems of a bundle beyond single members: between members, and between `config.json` and the files.

Each of them makes at least one engine refuse `create`, or makes the program end at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.configfile.document import child
from tutor.configfile.members import CAPABILITY_NAMES
from tutor.configfile.relations.linux import sysctl_parts
from tutor.explain import cgroups, machine, mounts
from tutor.explain.bundle import kind_of
from tutor.explain.model import Finding
from tutor.explain.programs import look_at_program
from tutor.explain.refine import of_problem
from tutor.explain.seen import (
    devices_forbidden,
    is_private,
    look_at_hook,
    namespace_kind,
    namespace_of_sysctl,
    near_directory,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tutor.explain.bundle import Bundle


def survey(bundle: Bundle) -> list[Finding]:
    """Return every problem found, in the order of the text; at each place, the problems of `tutor.configfile` first."""
    found: list[Finding] = []
    for problem in bundle.problems:
        if (finding := of_problem(problem, bundle)).pointer not in {each.pointer for each in found}:
            found.append(finding)
    if bundle.text is None:
        there = bool(kind_of(bundle.config))
        values: dict[str, str | int] = {"path": str(bundle.config or "")}
        return [Finding("config.unreadable" if there else "config.missing", values)]
    told = {finding.pointer for finding in found if finding.severity == "error"}
    if bundle.document.valid:
        seen = [finding for look in _LOOKS for finding in look(bundle)]
        found += [each for each in seen if not any(_covers(pointer, each.pointer) for pointer in told)]
    return sorted(found, key=lambda finding: _place(finding, bundle))


def _covers(told: str | None, pointer: str | None) -> bool:
    return told is not None and pointer is not None and (pointer == told or told.startswith(f"{pointer}/"))


def _place(finding: Finding, bundle: Bundle) -> int:
    pointer = finding.pointer or ""
    while pointer and pointer not in bundle.document.values:
        pointer = pointer.rpartition("/")[0]
    span = bundle.document.values.get(pointer)
    return (
        finding.problem.line
        if finding.problem
        else bundle.document.position_of(span.start).line
        if span
        else 0
    )


def _root(bundle: Bundle) -> Iterator[Finding]:
    rootfs = bundle.rootfs
    path = bundle.text_at("/root/path")
    if rootfs is None or kind_of(rootfs) == "directory":
        return
    if kind_of(rootfs):
        yield Finding("root.not_directory", {"path": path}, "/root/path")
    else:
        yield Finding("root.missing", {"path": path, "near": near_directory(bundle, path)}, "/root/path")


def _dev(bundle: Bundle) -> Iterator[Finding]:
    if path := devices_forbidden(bundle):
        yield Finding("dev.nodev", {"path": path}, "/root/path")


def _program(bundle: Bundle) -> Iterator[Finding]:
    args = bundle.strings("/process/args")
    if args and not args[0]:
        yield Finding("program.empty", {}, "/process/args/0")
    elif args and (seen := look_at_program(bundle, args[0])):
        pointer = "/process/env" if seen.id == "program.no_path" else "/process/args/0"
        yield Finding(seen.id, {"near": "", **seen.values}, pointer)


def _cwd(bundle: Bundle) -> Iterator[Finding]:
    path = bundle.text_at("/process/cwd")
    file = bundle.inside(path) if path.startswith("/") and not bundle.mounted(path) else None
    if kind_of(file) in ("file", "other"):
        yield Finding("cwd.not_directory", {"path": path, "file": path}, "/process/cwd")


def _names(bundle: Bundle) -> Iterator[Finding]:
    for name in ("hostname", "domainname"):
        if bundle.text_at(f"/{name}") and not bundle.namespace("uts"):
            yield Finding(f"{name}.no_uts", {}, f"/{name}")


def _namespaces(bundle: Bundle) -> Iterator[Finding]:
    for pointer, item in bundle.items("/linux/namespaces"):
        path, kind = str(item.get("path") or ""), str(item.get("type", ""))
        if not path.startswith("/"):
            continue
        beside = bundle.beside(path)
        values: dict[str, str | int] = {"path": path, "kind": kind}
        if beside is not None and not kind_of(beside):
            yield Finding("namespace.path_missing", values, f"{pointer}/path")
        elif (found := namespace_kind(path)) is not None and found != kind:
            name = "namespace.other_kind" if found else "namespace.not_namespace"
            yield Finding(name, {**values, "found": found}, f"{pointer}/path")


def _limits(bundle: Bundle) -> Iterator[Finding]:
    for pointer, item in bundle.items("/process/rlimits"):
        soft, hard, kind = item.get("soft"), item.get("hard"), item.get("type")
        if isinstance(soft, int) and isinstance(hard, int) and soft > hard:
            yield Finding("rlimit.soft_over_hard", {"type": str(kind), "soft": soft, "hard": hard}, pointer)
    limit, swap = (bundle.value(f"/linux/resources/memory/{name}") for name in ("limit", "swap"))
    if isinstance(limit, int) and isinstance(swap, int) and 0 < swap < limit:
        yield Finding("cgroup.swap_below", {"value": swap}, "/linux/resources/memory/swap")


def _capabilities(bundle: Bundle) -> Iterator[Finding]:
    """The kernel wants effective within permitted, and inheritable within bounding; runtimes leave out names that nobody knows."""
    for name, other, problem in (
        ("effective", "permitted", "capability.not_permitted"),
        ("inheritable", "bounding", "capability.not_bounding"),
    ):
        within = set(bundle.strings(f"/process/capabilities/{other}"))
        for index, each in enumerate(bundle.strings(f"/process/capabilities/{name}")):
            if each not in within and each in CAPABILITY_NAMES:
                yield Finding(problem, {"name": each}, f"/process/capabilities/{name}/{index}")


def _users(bundle: Bundle) -> Iterator[Finding]:
    user = bundle.namespace("user")
    joined = any(
        item.get("type") == "user" and item.get("path") for _, item in bundle.items("/linux/namespaces")
    )
    for name in ("uidMappings", "gidMappings"):
        mappings = bundle.items(f"/linux/{name}")
        if mappings and not user:
            yield Finding("user.mapping_without_namespace", {}, f"/linux/{name}")
        number = bundle.value(f"/process/user/{name[:3]}")
        if (
            user
            and mappings
            and isinstance(number, int)
            and not any(_holds(item, number) for _, item in mappings)
        ):
            yield Finding("user.id_not_mapped", {"number": number}, f"/process/user/{name[:3]}")
        groups = (
            bundle.value("/process/user/additionalGids")
            if name == "gidMappings" and user and mappings
            else None
        )
        for index, group in enumerate(groups if isinstance(groups, list) else ()):
            if isinstance(group, int) and not any(_holds(item, group) for _, item in mappings):
                yield Finding(
                    "user.id_not_mapped", {"number": group}, f"/process/user/additionalGids/{index}"
                )
        if user and mappings and not any(_holds(item, 0) for _, item in mappings):
            yield Finding("user.root_not_mapped", {}, f"/linux/{name}")
        if joined and mappings:
            yield Finding("user.joined_mapping", {"name": name}, f"/linux/{name}")
    missing = [name for name in ("uidMappings", "gidMappings") if not bundle.items(f"/linux/{name}")]
    if user and not joined and missing:
        pointer = next(
            where for where, item in bundle.items("/linux/namespaces") if item.get("type") == "user"
        )
        yield Finding("user.no_mapping", {}, pointer if len(missing) > 1 else f"/linux/{missing[0]}")
    new = [item for _, item in bundle.items("/linux/namespaces") if item.get("type") == "time"]
    if bundle.value("/linux/timeOffsets") and not any(not item.get("path") for item in new):
        yield Finding("time.no_namespace", {}, "/linux/timeOffsets")


def _holds(mapping: Mapping[str, object], number: int) -> bool:
    first, size = mapping.get("containerID"), mapping.get("size")
    return isinstance(first, int) and isinstance(size, int) and first <= number < first + size


def _masks(bundle: Bundle) -> Iterator[Finding]:
    for name in ("maskedPaths", "readonlyPaths"):
        if bundle.value(f"/linux/{name}") and not bundle.namespace("mount"):
            yield Finding("mask.no_mount", {}, f"/linux/{name}")


def _sysctls(bundle: Bundle) -> Iterator[Finding]:
    known = bundle.document.object_at("/linux/sysctl")
    for name in known:
        dotted = ".".join(sysctl_parts(name))
        kind = namespace_of_sysctl(dotted)
        pointer = child("/linux/sysctl", name)
        member = dotted.removeprefix("kernel.")
        if not kind:
            yield Finding("sysctl.not_namespaced", {"name": dotted}, pointer)
        elif not is_private(bundle, kind):
            yield Finding("sysctl.host_namespace", {"name": dotted, "kind": kind}, pointer)
        # The same domain name said twice is no conflict.
        elif kind == "uts" and (
            member == "hostname" or (bundle.text_at(f"/{member}") or known[name]) != known[name]
        ):
            yield Finding("sysctl.conflict", {"name": dotted, "member": member}, pointer)


def _hooks(bundle: Bundle) -> Iterator[Finding]:
    for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"):
        for pointer, item in bundle.items(f"/hooks/{kind}"):
            path = str(item.get("path", ""))
            if why := look_at_hook(bundle, kind, path):
                yield Finding("hook.unfit", {"path": path, "kind": kind, "why": why}, f"{pointer}/path")


_LOOKS = (
    _root,
    _dev,
    _program,
    _cwd,
    _names,
    *mounts.LOOKS,
    *cgroups.LOOKS,
    _namespaces,
    _limits,
    _capabilities,
    _users,
    _masks,
    _sysctls,
    _hooks,
    *machine.LOOKS,
)
