"""Control groups: where the container is, and what its limits are: config-linux.md#control-groups."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.conformance.model import InapplicableError
from tutor.conformance.registry import add, check
from tutor.text.glyphs import DIFFERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.conformance.subject import Subject
    from tutor.engines.trial import Bundle

_PATH = "config-linux.md#cgroups-path"
_MIB = 1 << 20


def _own(pid: int, controller: str) -> tuple[Path, int] | None:
    """Return the directory of a process's cgroup that has a controller, as the host sees it, and the version of the hierarchy."""
    mounts = _mounts()
    unified: tuple[Path, int] | None = None
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if controller in controllers.split(",") and controllers in mounts:
            return mounts[controllers] / path.lstrip("/"), 1
        if number == "0" and "" in mounts:
            unified = mounts[""] / path.lstrip("/"), 2
    if unified is not None and controller in _read(unified[0] / "cgroup.controllers").split():
        return unified
    return None


def _mounts() -> dict[str, Path]:
    """Return where each hierarchy is mounted, by its controllers as /proc/PID/cgroup names them; v2 has none."""
    found: dict[str, Path] = {}
    known = [line.split(":")[1] for line in Path("/proc/self/cgroup").read_text().splitlines()]
    for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines():
        words = line.split()
        kind, options = words[words.index("-") + 1], words[-1].split(",")
        if kind == "cgroup2":
            found.setdefault("", Path(words[4]))
        elif kind == "cgroup":
            for controllers in known:
                if controllers and set(controllers.split(",")) <= set(options):
                    found.setdefault(controllers, Path(words[4]))
    return found


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def _has(t: Subject, controller: str) -> int:
    """Return the version of the hierarchy that has a controller.

    Raises:
        InapplicableError: none has.
    """
    own = _own(t.lab.keeper_pid, controller)
    if own is None:
        raise InapplicableError("controller", controller)
    return own[1]


def _limit(
    name: str,
    clause: str,
    controller: str,
    resources: dict[str, Any],
    v1: Mapping[str, str],
    v2: Mapping[str, str],
    *,
    since: str = "1.0.0",
) -> None:
    """Add a check of limits.

    Args:
        name: of the check.
        clause: section of config-linux.md.
        controller: what has to be there.
        resources: `linux.resources`.
        v1: the files and what is expected in them; empty where v1 has no such limit.
        v2: the same for v2.
        since: the first version of the specification that has them.
    """

    def run(t: Subject) -> None:
        expected = (v1, v2)[_has(t, controller) - 1]
        if not expected:
            raise InapplicableError("cgroup_version", controller)
        with t.running(patch={"ociVersion": since, "linux": {"resources": resources}}) as box:
            own = _own(box.pid(), controller)
            for file, value in expected.items():
                place = own[0] / file if own else Path()
                if own and not place.exists():
                    raise InapplicableError("kernel", file)
                t.same(file, value, _read(place))

    add(f"cgroups.{name}", f"config-linux.md#{clause}", run, since=since)


_limit("memory-limit", "memory", "memory", {"memory": {"limit": 64 * _MIB}},
    {"memory.limit_in_bytes": str(64 * _MIB)}, {"memory.max": str(64 * _MIB)})  # fmt: skip
_limit("memory-reservation", "memory", "memory", {"memory": {"reservation": 32 * _MIB}},
    {"memory.soft_limit_in_bytes": str(32 * _MIB)}, {"memory.low": str(32 * _MIB)})  # fmt: skip
_limit("memory-swap", "memory", "memory", {"memory": {"limit": 64 * _MIB, "swap": 96 * _MIB}},
    {"memory.memsw.limit_in_bytes": str(96 * _MIB)}, {"memory.swap.max": str(32 * _MIB)})  # fmt: skip
_limit(
    "memory-swappiness", "memory", "memory", {"memory": {"swappiness": 20}}, {"memory.swappiness": "20"}, {}
)
_limit("oom-killer", "memory", "memory", {"memory": {"disableOOMKiller": True}},
    {"memory.oom_control": "oom_kill_disable 1\nunder_oom 0\noom_kill 0"}, {})  # fmt: skip
_limit("cpu-shares", "cpu", "cpu", {"cpu": {"shares": 512}}, {"cpu.shares": "512"}, {})
_limit("cpu-quota", "cpu", "cpu", {"cpu": {"quota": 50000, "period": 200000}},
    {"cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "200000"}, {"cpu.max": "50000 200000"})  # fmt: skip
_limit("cpu-burst", "cpu", "cpu", {"cpu": {"quota": 50000, "period": 100000, "burst": 10000}},
    {"cpu.cfs_burst_us": "10000"}, {"cpu.max.burst": "10000"}, since="1.1.0")  # fmt: skip
_limit("cpu-idle", "cpu", "cpu", {"cpu": {"idle": 1}}, {"cpu.idle": "1"}, {"cpu.idle": "1"}, since="1.1.0")
_limit("cpu-set", "cpu", "cpuset", {"cpu": {"cpus": "0", "mems": "0"}},
    {"cpuset.cpus": "0", "cpuset.mems": "0"}, {"cpuset.cpus": "0", "cpuset.mems": "0"})  # fmt: skip
_limit("pids-limit", "pids", "pids", {"pids": {"limit": 77}}, {"pids.max": "77"}, {"pids.max": "77"})
_limit(
    "unified",
    "unified",
    "memory",
    {"unified": {"memory.high": str(48 * _MIB)}},
    {},
    {"memory.high": str(48 * _MIB)},
    since="1.1.0",
)
_limit(
    "net-class",
    "network",
    "net_cls",
    {"network": {"classID": 0x100001}},
    {"net_cls.classid": str(0x100001)},
    {},
)


@check("cgroups.pids-limit-holds", "config-linux.md#pids")
def pids_limit_holds(t: Subject) -> None:
    """The limit of processes holds: one more cannot be made."""
    _has(t, "pids")
    # The shell, and as many of the others as the limit leaves room for; a shell that can't fork ends, or goes on.
    script = "echo began; for n in 1 2 3 4 5 6 7 8; do sleep 5 2>/dev/null & done; echo survived"
    with t.bundle(script, patch={"linux": {"resources": {"pids": {"limit": 4}}}}) as box:
        done = box.engine("run")
        words = " ".join(done.stdout.split())
        refused = words == "began" or (words == "began survived" and "fork" in done.stderr.lower())
        t.same("fork(2)", "EAGAIN", "EAGAIN" if refused else f"{words} {done.stderr.strip()}")


@check("cgroups.memory-limit-holds", "config-linux.md#memory")
def memory_limit_holds(t: Subject) -> None:
    """The limit of memory holds: what exceeds it is killed."""
    _has(t, "memory")
    # Whether the kernel kills the shell, too, is not the runtime's doing.
    script = "echo began; head -c 100000000 /dev/zero | tail -c 100000000 >/dev/null 2>&1 && echo survived"
    limit = 24 * _MIB
    with t.bundle(script, patch={"linux": {"resources": {"memory": {"limit": limit, "swap": limit}}}}) as box:
        t.same("SIGKILL", "began", " ".join(box.engine("run").stdout.split()))


@check("cgroups.path", _PATH)
def path(t: Subject) -> None:
    """An absolute `cgroupsPath` is relative to where the hierarchy is mounted."""
    with t.running(patch={"linux": {"cgroupsPath": "/conformance-path/inner"}}) as box:
        lines = Path(f"/proc/{box.pid()}/cgroup").read_text().splitlines()
        found = any(line.endswith("/conformance-path/inner") for line in lines)
        t.same("/proc/PID/cgroup", "/conformance-path/inner", "/conformance-path/inner" if found else lines)


@check("cgroups.path-again", _PATH)
def path_again(t: Subject) -> None:
    """The same relative `cgroupsPath` leads to the same place again."""
    places = []
    for _ in range(2):
        with t.running(patch={"linux": {"cgroupsPath": "conformance-again"}}) as box:
            places.append(_places(box))
            box.engine("kill", "KILL")
            box.until("stopped")
            box.engine("delete")
    t.same("/proc/PID/cgroup", places[0], places[1])


def _places(box: Bundle) -> list[str]:
    return sorted(
        line.partition(":")[2] for line in Path(f"/proc/{box.pid()}/cgroup").read_text().splitlines()
    )


@check("cgroups.own", "config-linux.md#control-groups")
def own(t: Subject) -> None:
    """Two containers without `cgroupsPath` have a cgroup each."""
    with t.running() as first, t.running() as second:
        t.same("/proc/PID/cgroup", DIFFERS, DIFFERS if _places(first) != _places(second) else "=")


@check("cgroups.from-the-beginning", "config-linux.md#control-groups")
def from_the_beginning(t: Subject) -> None:
    """The container is in its cgroup after `create`, before its program runs."""
    with t.created(patch={"linux": {"cgroupsPath": "/conformance-created"}}) as box:
        found = "/conformance-created" in Path(f"/proc/{box.pid()}/cgroup").read_text()
        t.same("/proc/PID/cgroup", "/conformance-created", "/conformance-created" if found else _places(box))


def _device(name: str, rules: list[dict[str, Any]], script: str, expected: str) -> None:
    def run(t: Subject) -> None:
        if (
            _own(t.lab.keeper_pid, "devices") is None
            and not Path("/sys/fs/cgroup/cgroup.controllers").exists()
        ):
            raise InapplicableError("controller", "devices")
        device = {**_NODE, "path": "/dev/mine", "fileMode": 0o666}
        t.prints(script, expected, patch={"linux": {"devices": [device], "resources": {"devices": rules}}})

    add(f"cgroups.devices-{name}", "config-linux.md#allowed-device-list", run)


_ALL = {"allow": False, "access": "rwm"}
# A device that no driver has: whoever may open it gets another error. Runtimes allow the default devices of their own accord.
_NODE: dict[str, Any] = {"type": "c", "major": 240, "minor": 77}
_TRY = 'case "$( (: %s/dev/mine) 2>&1)" in *"not permitted"*) echo refused;; *) echo allowed;; esac'
_READ, _WRITE = _TRY % "<", _TRY % ">>"
_ONE = {"allow": True, **_NODE}
_device("allow", [_ALL, {**_ONE, "access": "rw"}], f"{_READ}; {_WRITE}", "allowed allowed")
_device("access", [_ALL, {**_ONE, "access": "r"}], f"{_READ}; {_WRITE}", "allowed refused")
_device(
    "order", [_ALL, {**_ONE, "access": "rw"}, {**_ONE, "allow": False, "access": "rw"}], _WRITE, "refused"
)
