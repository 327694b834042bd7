"""What was recorded in a sandbox, normalised: without what differs from one run to the next, or between two right ways.

Left out are pids, ids of mounts and namespaces, inode numbers, times, the order of mounts, mounts that are there twice, sources of
filesystems that have none, and descriptors before the program runs. Two mounts from the host are alike whether they are private or slaves
where the configuration asks for neither: both keep what the container mounts away from the host.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tutor.lazy_dataclass import dataclass
from tutor.observe.details import parse_environ, parse_limits
from tutor.observe.parts import parse_capabilities, parse_mounts
from tutor.observe.procfs import status_fields
from tutor.own_steps.sandbox.places import STATE, WORK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tutor.observe import Mount

Facts = dict[tuple[str, str], str]
"""By aspect (`mounts`) and detail (`/data`)."""
_PROPAGATION_OPTIONS = {f"{r}{kind}" for r in ("", "r") for kind in ("private", "slave", "shared", "unbindable")}  # fmt: skip
_LIMITED = {"pids": "pids.max", "memory": "memory.limit_in_bytes", "cpu": "cpu.shares cpu.cfs_quota_us cpu.cfs_period_us"}  # fmt: skip

_HIERARCHIES = {
    *("cpu", "cpuacct", "cpu,cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd"),
    *("net_cls", "net_prio", "net_cls,net_prio", "hugetlb", "perf_event", "rdma", "misc"),
}
_DEFAULT_DEVICES = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")}
"""What is there counts, and not whether it was made or bound: root of a user namespace can't make devices."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What is true at a moment: after a command (`words` are its own), or when the kernel was asked (`name`).

    `alive`: whether the container has a process, None after a command.
    """

    name: str
    words: tuple[str, ...]
    facts: Facts
    alive: bool | None = None


def moments(records: Sequence[Mapping[str, Any]], config: Mapping[str, Any]) -> list[Moment]:
    """Return the moments of a recording, in their order."""
    before = next((each["host_mounts"] for each in records if each.get("look")), "")
    return [
        _after_command(each) if "did" in each else _looked(each, config, before)
        for each in records
        if each.get("look") not in ("begin", "end")
    ]


def _after_command(record: Mapping[str, Any]) -> Moment:
    words = tuple(record["did"])
    facts: Facts = {("exit", ""): "0" if record["status"] == 0 else "1"}
    if record["status"]:
        facts["message", ""] = str(len(record["err"].splitlines()))
    if words[0] in ("state", "list") and record["status"] == 0:
        facts |= _said(record)
    return Moment(words[0], words, facts)


def _said(record: Mapping[str, Any]) -> Facts:
    try:
        said = json.loads(record["out"])
    except ValueError:
        return {("state", ""): "no JSON"}
    facts: Facts = {}
    listed = said if isinstance(said, list) else [said]
    if not all(isinstance(each, dict) for each in listed):
        return {("state", ""): "no JSON objects"}
    if isinstance(said, list):
        facts["list", ""] = " ".join(str(each.get("id")) for each in listed)
    for each in listed:
        prefix = f"{each.get('id')} " if isinstance(said, list) else ""
        for name, value in each.items():
            shown = _text(value)
            if name == "pid":
                shown = _pid(value, record)
            facts["state", f"{prefix}{name}"] = shown
    return facts


def _pid(value: object, record: Mapping[str, Any]) -> str:
    if value == record["init"] and value in record["living"]:
        return "@its_process"
    if not value:
        return "0"
    return "@a_process" if value in record["living"] else "@no_process"


def _looked(record: Mapping[str, Any], config: Mapping[str, Any], before: str) -> Moment:
    facts: Facts = {
        ("host", "hostname"): record["host_name"],
        ("processes", ""): str(record["orphans"]),
        ("left", "cgroups"): _listed(_own_cgroups(record["cgroups"], config)),
        ("left", STATE): _listed(record["state"]),
    }
    facts["host", "mounts"] = _listed(sorted(_places(record["host_mounts"]) - _places(before)))
    facts["host", "unmounted"] = _listed(sorted(_places(before) - _places(record["host_mounts"])))
    if record["ended"] is not None:
        facts["ended", ""] = str(record["ended"])
    if record["printed"]:
        facts["printed", ""] = record["printed"].strip()
    if record["pid_file"]:
        pid = record["pid_file"].strip()
        facts["pid_file", ""] = "@its_process" if pid == str(record["init"]) else "@no_process"
    for path, entry in record["bundle"].items():
        facts |= _hook_log(path, entry)
    if "console" in record:
        facts |= {("terminal", name): _text(value) for name, value in record["console"].items()}
    process = record.get("process")
    if process:
        facts |= _process(process, config, record["look"])
    return Moment(record["look"], (), facts, bool(process))


def _process(process: Mapping[str, Any], config: Mapping[str, Any], moment: str) -> Facts:
    facts: Facts = {("namespaces", kind): f"@{value}" for kind, value in process["namespaces"].items()}
    names = process["host_name"] or ["", ""]
    facts["hostname", ""], facts["domainname", ""] = names
    facts |= _mounts(process, config)
    facts |= _listing(process["paths"])
    facts |= _cgroups(process)
    if moment == "created":
        # Until the program runs, it is a matter of the runtime how far it has come with the process.
        program = config["process"].get("args") == process["cmdline"]
        facts["program", ""] = "@runs_already" if program else "@waits"
        return facts
    return facts | _privileges(process) | _surroundings(process)


def _privileges(process: Mapping[str, Any]) -> Facts:
    status = status_fields(process["status"].encode())
    sets = parse_capabilities(status)
    facts: Facts = {
        ("capabilities", name): _listed(getattr(sets, name).names)
        for name in ("effective", "permitted", "inheritable", "bounding", "ambient")
    }
    facts["user", "uid"] = " ".join(status["Uid"].split())
    facts["user", "gid"] = " ".join(status["Gid"].split())
    facts["user", "groups"] = _listed(sorted(status["Groups"].split(), key=int))
    facts["umask", ""] = status.get("Umask", "")
    facts["no_new_privs", ""] = status.get("NoNewPrivs", "")
    facts["seccomp", ""] = status.get("Seccomp", "")
    ignored = int(status.get("SigIgn", "0"), 16)
    facts["signals", "ignored"] = _listed(str(number) for number in range(1, 65) if ignored >> number - 1 & 1)
    for name, (soft, hard) in parse_limits(process["limits"].encode()).items():
        facts["rlimits", name] = " ".join("unlimited" if each is None else str(each) for each in (soft, hard))
    facts["oom_score_adj", ""] = process["oom_score_adj"].strip()
    return facts


def _surroundings(process: Mapping[str, Any]) -> Facts:
    facts: Facts = {
        ("cwd", ""): process["cwd"],
        ("root", ""): process["root"],
        ("program", ""): " ".join(process["cmdline"]),
        ("terminal", "controlling"): "@yes" if _terminal(process["stat"]) else "@no",
        ("terminal", "window"): _listed(map(str, process["window"])),
    }
    environment = parse_environ("\0".join(process["environ"]).encode())
    facts |= {("environment", name): value for name, value in environment.items()}
    facts |= {("descriptors", name): _target(target) for name, target in process["descriptors"].items()}
    return facts


def _mounts(process: Mapping[str, Any], config: Mapping[str, Any]) -> Facts:
    exact = {
        each["destination"]
        for each in config.get("mounts", [])
        if _PROPAGATION_OPTIONS & set(each.get("options", []))
    }
    linux = config.get("linux", {})
    protected = {*linux.get("maskedPaths", []), *linux.get("readonlyPaths", []), *_DEFAULT_DEVICES}
    found: dict[str, set[str]] = {}
    for mount in parse_mounts(process["mountinfo"].encode()):
        if mount.target not in protected:  # there what the path is counts, and not how
            found.setdefault(mount.target, set()).add(_shown(mount, exact=mount.target in exact))
    facts: Facts = {("mounts", target): "; ".join(sorted(shown)) for target, shown in found.items()}
    if process["namespaces"]["mnt"] == "own":
        # Wherever it is, and whether the process can reach it or not (chroot).
        everywhere = parse_mounts(process["namespace_mounts"].encode())
        still_there = any(mount.target.endswith(WORK) for mount in everywhere)
        facts["old_root", ""] = "@still_there" if still_there else "@gone"
    return facts


def _shown(mount: Mount, *, exact: bool) -> str:
    kinds = sorted({each.partition(":")[0] for each in mount.propagation} - {"propagate_from"})
    propagation = "+".join({"master": "slave"}.get(kind, kind) for kind in kinds)
    if not exact and "shared" not in kinds:
        propagation = "not shared"
    root = "" if mount.root == "/" else f" {mount.root}"
    options = ",".join(sorted({*mount.options, *mount.super_options} - ({"rw"} if "ro" in mount.options else set())))  # fmt: skip
    return f"{mount.fstype}{root} {options} {propagation}"


def _listing(paths: Mapping[str, Mapping[str, Any]]) -> Facts:
    facts: Facts = {}
    for path, entry in paths.items():
        words = [f"@{entry['kind']}"]
        words += [str(entry[name]) for name in ("mode", "owner", "numbers", "target") if name in entry and entry["kind"] != "link"]  # fmt: skip
        if entry["kind"] == "link":
            words.append(f"→ {entry['target']}")
        if entry.get("read_only") and entry["kind"] in (
            "dir",
            "file",
        ):  # others can be written to all the same
            words.append("ro")
        facts["files", path] = " ".join(words)
        if entry.get("names") == [] or ("names" in entry and not path.startswith("/proc")):
            facts["files", f"{path.rstrip('/')}/*"] = _listed(entry["names"])
    return facts


def _cgroups(process: Mapping[str, Any]) -> Facts:
    facts: Facts = {}
    for line in process["cgroup"].splitlines():
        _number, controllers, path = line.split(":", 2)
        if set(controllers.split(",")) & _LIMITED.keys() or (not controllers and "" in process["limits_set"]):
            facts["cgroup", controllers or "path"] = path
    for controllers, values in process["limits_set"].items():
        if not controllers or set(controllers.split(",")) & _LIMITED.keys():
            facts |= {("cgroup", name): value for name, value in values.items()}
    return facts


def _hook_log(path: str, entry: Mapping[str, Any]) -> Facts:
    facts: Facts = {}
    for number, line in enumerate(entry.get("text", "").splitlines(), 1):
        who, _, state = line.partition(": ")
        shown = who
        try:
            said = json.loads(state)
        except ValueError:
            said = None
        if isinstance(said, dict):
            pid = " pid" if "pid" in said else ""
            shown += (
                f": {said.get('status')} {said.get('id')} {said.get('bundle')} {said.get('ociVersion')}{pid}"
            )
        else:
            shown += ": no state on stdin"
        facts["hooks", f"{path} {number}"] = shown
    facts["hooks", path] = str(len(facts))
    return facts


def _own_cgroups(tree: Sequence[str], config: Mapping[str, Any]) -> list[str]:
    """Return cgroups below the controllers' directories of v1, or below the root of v2: each once, without those above the container's."""
    found = set()
    for path in tree:
        top, _, rest = path.partition("/")
        name = rest if top in _HIERARCHIES else path
        if name and not name.startswith("runtime"):
            found.add(name)
    wanted = str(config.get("linux", {}).get("cgroupsPath", "")).strip("/")
    return sorted(name for name in found if not wanted.startswith(f"{name}/"))


def _places(text: str) -> set[str]:
    return {f"{mount.target} ({mount.fstype})" for mount in parse_mounts(text.encode())}


def _terminal(stat: str) -> int:
    return int(stat.rpartition(") ")[2].split()[4])


def _target(target: str) -> str:
    """Return the kind of a descriptor's target: without numbers of inodes and terminals."""
    if target.startswith("/run/oci-tutor/output"):
        return "@file_of_caller"
    head, bracket, _ = target.partition(":[")
    if bracket:
        return head
    return "/dev/pts/N" if target.startswith("/dev/pts/") else target


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _listed(items: Any) -> str:
    return " ".join(items) or "-"
