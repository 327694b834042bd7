"""Judge what was found: pure functions from `Machine` to `Finding`, a line of the report each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.doctor.model import Finding, Machine, Tool, Trial
from tutor.doctor.tools import TIMEOUT
from tutor.lab.user_namespace import LEAST
from tutor.observe.model import NAMESPACE_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.doctor.model import Level, Topic

MOUNTS = ("tmpfs", "proc", "overlay", "pivot_root")
# Without these a lesson's container cannot be created, or differs from what the lesson describes.
ESSENTIAL_CAPABILITIES = ("CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SYS_CHROOT", "CAP_KILL")
TIME_NAMESPACE_SINCE = (5, 6)
ENOUGH_DISK = 200 * 1024**2
LEAST_DISK = 20 * 1024**2
COLUMNS, ROWS = 80, 24

PACKAGES = {
    "runc": "runc",
    "crun": "crun",
    "busybox": "busybox-static",
    "docker": "docker.io",
    "containerd": "containerd",
    "ctr": "containerd",
    "podman": "podman",
    "skopeo": "skopeo",
    "umoci": "umoci",
    "oci-image-tool": "oci-image-tool",
    "tmux": "tmux",
    "strace": "strace",
}
"""The packages of Debian and Ubuntu with the programs."""


def assess(machine: Machine) -> tuple[Finding, ...]:
    """Return every line of the report, in its order."""
    return (
        *_privileges(machine),
        *_namespaces(machine),
        *_mounts(machine),
        *_kernel(machine),
        *_cgroups(machine),
        *_tools(machine),
        *_terminal(machine),
        *_storage(machine),
    )


def _privileges(machine: Machine) -> Iterator[Finding]:
    privileges = machine.privileges
    lacking = [name for name in privileges.missing_capabilities if name in ESSENTIAL_CAPABILITIES]
    listed = ", ".join(privileges.missing_capabilities)
    if privileges.uid == 0 and lacking:
        yield Finding(
            "privileges", "root", "missing", "doctor.root.weak", {"names": listed}, "doctor.root.weak_advice"
        )
    elif privileges.uid == 0 and privileges.missing_capabilities:
        yield Finding("privileges", "root", "limited", "doctor.root.some", {"names": listed})
    elif privileges.uid == 0:
        yield Finding("privileges", "root", "ok", "doctor.root.full")
    else:
        advice = "doctor.root.sudo" if privileges.sudo else "doctor.root.su"
        values = {"user": privileges.user, "uid": privileges.uid}
        if machine.has_ordinary_labs:
            yield Finding(
                "privileges", "root", "limited", "doctor.root.ordinary", values, "doctor.root.all_steps"
            )
        else:
            yield Finding("privileges", "root", "missing", "doctor.root.user", values, advice)
        yield _rootless(machine)
        yield _subordinate(machine)
    if privileges.no_new_privs and privileges.uid != 0:
        yield Finding("privileges", "no_new_privs", "limited", "doctor.root.no_new_privs")


def _rootless(machine: Machine) -> Finding:
    """Return whether a user other than root can have containers in a user namespace, and what forbids it."""
    if machine.can("user") and machine.can("mnt") and machine.can("tmpfs"):
        return Finding("privileges", "rootless", "ok", "doctor.rootless.ok")
    sysctls = machine.privileges.sysctls
    if sysctls.get("kernel.apparmor_restrict_unprivileged_userns") == "1":
        why = "apparmor"
    elif sysctls.get("kernel.unprivileged_userns_clone") == "0":
        why = "debian"
    elif sysctls.get("user.max_user_namespaces") == "0":
        why = "maximum"
    else:
        return Finding("privileges", "rootless", "missing", "doctor.rootless.other")
    return Finding(
        "privileges", "rootless", "missing", f"doctor.rootless.{why}", {}, f"doctor.rootless.{why}_advice"
    )


def _subordinate(machine: Machine) -> Finding:
    privileges = machine.privileges
    if not (privileges.newuidmap and privileges.newgidmap):
        return Finding("privileges", "newuidmap", "missing", "doctor.newuidmap.missing", package="uidmap")
    if min(privileges.subordinate_uids, privileges.subordinate_gids) < LEAST:
        values = {"user": privileges.user, "least": LEAST}
        return Finding(
            "privileges", "newuidmap", "limited", "doctor.newuidmap.no_ids", values, "doctor.newuidmap.advice"
        )
    ids = {"uids": privileges.subordinate_uids, "gids": privileges.subordinate_gids}
    return Finding("privileges", "newuidmap", "ok", "doctor.newuidmap.ok", ids)


def _namespaces(machine: Machine) -> Iterator[Finding]:
    for kind in NAMESPACE_KINDS:
        yield _tried("namespaces", kind, machine.trials.get(kind))


def _mounts(machine: Machine) -> Iterator[Finding]:
    for name in MOUNTS:
        yield _tried("mounts", name, machine.trials.get(name))


def _tried(topic: Topic, name: str, trial: Trial | None) -> Finding:
    """Return the finding of a trial. The kernel's name (`mnt`) stands beside its meaning."""
    values = {"about": f"doctor.about.{name}"}
    if trial is None or trial.way == "timeout":
        return Finding(
            topic, name, "unknown", "doctor.trial.timeout" if trial else "doctor.trial.untried", values
        )
    level: Level = "ok" if trial.way == "direct" else "limited" if trial.way == "userns" else "missing"
    return Finding(
        topic, name, level, f"doctor.trial.{trial.way}", values | {"error": trial.error, "stage": trial.stage}
    )


def _kernel(machine: Machine) -> Iterator[Finding]:
    system = machine.system
    numbers = tuple(int(part) for part in system.kernel.split("-")[0].split(".")[:2] if part.isdigit())
    key = "doctor.kernel.ok" if numbers >= TIME_NAMESPACE_SINCE else "doctor.kernel.old"
    values: dict[str, object] = {"kernel": system.kernel, "architecture": system.architecture}
    yield Finding("kernel", "Linux", "ok" if key.endswith("ok") else "limited", key, values)
    yield _tried("kernel", "seccomp", machine.trials.get("seccomp"))
    yield _tried("kernel", "looking", machine.trials.get("looking"))
    values = {"version": system.python, "path": system.executable}
    yield Finding("kernel", "Python", "ok", "doctor.python", values)


def _cgroups(machine: Machine) -> Iterator[Finding]:
    groups = machine.cgroups
    values: dict[str, object] = {
        "v1": " ".join(groups.v1) or "-",
        "v2": " ".join(groups.v2) or "-",
        "place": groups.v2_mount,
    }
    level: Level = "missing" if groups.layout == "none" else "ok"
    yield Finding("cgroups", "cgroup", level, f"doctor.cgroup.{groups.layout}", values)
    if groups.layout == "none":
        return
    if groups.writable or groups.delegated:
        key = "doctor.cgroup.delegated" if groups.delegated else "doctor.cgroup.writable"
        yield Finding("cgroups", "write", "ok", key)
    elif machine.privileges.uid == 0:
        yield Finding("cgroups", "write", "limited", "doctor.cgroup.read_only")
    else:
        yield Finding("cgroups", "write", "limited", "doctor.cgroup.not_delegated")


def _tools(machine: Machine) -> Iterator[Finding]:
    for tool in machine.tools:
        yield _tool(tool)
        if tool.name == "docker" and tool.path is not None:
            yield _docker_daemon(machine)


def _tool(tool: Tool) -> Finding:
    if tool.path is None:
        advice = "" if tool.name in PACKAGES else "doctor.tool.reinstall"
        values = {"about": f"doctor.about.{tool.name}"}
        package = PACKAGES.get(tool.name, "")
        return Finding("tools", tool.name, "missing", "doctor.tool.missing", values, advice, package)
    if tool.version:
        values = {"version": tool.version, "path": tool.path}
        return Finding("tools", tool.name, "ok", "doctor.tool.found", values)
    if tool.problem == TIMEOUT:
        return Finding("tools", tool.name, "unknown", "doctor.tool.timeout", {"path": tool.path})
    values = {"path": tool.path, "problem": tool.problem}
    return Finding("tools", tool.name, "limited", "doctor.tool.silent", values)


def _docker_daemon(machine: Machine) -> Finding:
    docker = machine.docker
    if docker.running:
        return Finding("tools", "dockerd", "ok", "doctor.docker.running", {"version": docker.version})
    if docker.problem == TIMEOUT:
        return Finding("tools", "dockerd", "unknown", "doctor.docker.timeout")
    if docker.problem:
        values = {"problem": docker.problem}
        return Finding("tools", "dockerd", "limited", "doctor.docker.unreachable", values)
    return Finding("tools", "dockerd", "limited", "doctor.docker.stopped", {}, "doctor.docker.advice")


def _terminal(machine: Machine) -> Iterator[Finding]:
    terminal = machine.terminal
    if terminal.encoding != "utf-8":
        values: dict[str, object] = {"encoding": terminal.encoding, "locale": terminal.locale or "-"}
        yield Finding(
            "terminal", "UTF-8", "limited", "doctor.terminal.encoding", values, "doctor.terminal.use_utf8"
        )
    else:
        yield Finding("terminal", "UTF-8", "ok", "doctor.terminal.utf8", {"locale": terminal.locale or "-"})
    if not terminal.present:
        yield Finding("terminal", "TTY", "limited", "doctor.terminal.absent")
        return
    if terminal.term in ("", "dumb"):
        yield Finding("terminal", "TTY", "limited", "doctor.terminal.dumb")
        return
    if terminal.term == "linux":
        yield Finding("terminal", "TTY", "limited", "doctor.terminal.console", {}, "doctor.terminal.use_ssh")
        return
    values = {"columns": terminal.columns, "rows": terminal.rows, "term": terminal.term}
    small = terminal.columns < COLUMNS or terminal.rows < ROWS
    yield Finding(
        "terminal",
        "TTY",
        "limited" if small else "ok",
        "doctor.terminal.small" if small else "doctor.terminal.size",
        values,
    )
    yield Finding("terminal", "colour", "ok", f"doctor.colours.{terminal.colours}")
    yield _widths(machine)


def _widths(machine: Machine) -> Finding:
    terminal = machine.terminal
    if terminal.wide_width is None:
        return Finding("terminal", "width", "unknown", "doctor.width.unknown")
    if terminal.wide_width != 2:
        return Finding(
            "terminal", "width", "limited", "doctor.width.narrow", {}, "doctor.width.narrow_advice"
        )
    if terminal.ambiguous_width == 2:
        return Finding(
            "terminal", "width", "limited", "doctor.width.ambiguous", {}, "doctor.width.ambiguous_advice"
        )
    return Finding("terminal", "width", "ok", "doctor.width.ok")


def _storage(machine: Machine) -> Iterator[Finding]:
    for place in machine.storage:
        values: dict[str, object] = {"path": place.path, "free": place.free // 1024**2}
        if place.refusal:
            values |= {"mount": place.refusal.mount, "kind": place.refusal.kind}
            key = f"doctor.disk.refused.{place.refusal.why}"
            yield Finding("storage", "disk", "missing", key, values, "doctor.disk.home")
        elif not place.writable:
            yield Finding("storage", "disk", "missing", "doctor.disk.read_only", values, "doctor.disk.home")
        elif place.free < LEAST_DISK:
            yield Finding("storage", "disk", "missing", "doctor.disk.full", values, "doctor.disk.home")
        elif place.free < ENOUGH_DISK:
            yield Finding("storage", "disk", "limited", "doctor.disk.low", values)
        elif place.hindrances:
            values["options"] = ", ".join(place.hindrances)
            yield Finding("storage", "disk", "limited", "doctor.disk.hindered", values, "doctor.disk.outside")
        else:
            yield Finding("storage", "disk", "ok", "doctor.disk.ok", values)
