"""Questions on cgroups: limits at the edge of their range, and hybrid machines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.engines.traits.probes.registry import probe
from tutor.engines.trial import UndecidedError

if TYPE_CHECKING:
    from tutor.engines.trial import Trial

# (controller, file of v1, file of v2)
_MEMORY = ("memory", "memory.limit_in_bytes", "memory.max")
_PIDS = ("pids", "pids.max", "pids.max")
# Where engines look for v2 beside v1.
_UNIFIED = Path("/sys/fs/cgroup/unified")
_UNLIMITED = 1 << 60  # v1 shows no limit as the largest number of whole pages


@probe("memory-limit-zero")
def memory_limit_zero(trial: Trial) -> str:
    """`memory.limit` 0."""
    return _limit(trial, {"memory": {"limit": 0}}, _MEMORY)


@probe("memory-limit-minus-one")
def memory_limit_minus_one(trial: Trial) -> str:
    """`memory.limit` -1, which the specification gives the meaning: no limit."""
    return _limit(trial, {"memory": {"limit": -1}}, _MEMORY)


@probe("pids-limit-zero")
def pids_limit_zero(trial: Trial) -> str:
    """`pids.limit` 0."""
    return _limit(trial, {"pids": {"limit": 0}}, _PIDS)


@probe("pids-limit-minus-one")
def pids_limit_minus_one(trial: Trial) -> str:
    """`pids.limit` -1."""
    return _limit(trial, {"pids": {"limit": -1}}, _PIDS)


def _limit(trial: Trial, resources: dict[str, object], files: tuple[str, str, str]) -> str:
    if not any(_has(directory, files) for directory in trial.lab.cgroups):
        raise UndecidedError
    with trial.bundle("exec sleep 60", patch={"linux": {"resources": resources}}) as box:
        if not (box.engine("create").ok and box.engine("start").ok):
            return "refused"
        value = _value(box.pid(), files)
    if value == "max" or int(value) >= _UNLIMITED:
        return "unlimited"
    return {0: "zero", 1: "one"}.get(int(value), "other")


def _has(directory: str, files: tuple[str, str, str]) -> bool:
    return any((Path(directory) / name).exists() for name in files[1:])


def _value(pid: int, files: tuple[str, str, str]) -> str:
    """Return the limit of a process's cgroup, in the hierarchy that has the controller."""
    controller, *names = files
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        for mount in _mounts():
            for name in names:
                file = mount / path.lstrip("/") / name
                if file.exists():
                    return file.read_text().strip()
    raise UndecidedError


def _mounts() -> list[Path]:
    lines = [line.split() for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()]
    return [Path(line[4]) for line in lines if line[line.index("-") + 1] in ("cgroup", "cgroup2")]


@probe("hybrid-cgroups")
def hybrid_cgroups(trial: Trial) -> str:
    """A machine that has cgroup v1, and v2 beside it with the controllers that no v1 hierarchy has."""
    if not _has_controllers():
        raise UndecidedError
    # The lab covers v2 on such a machine. One command is shown it again, with the lab's own cgroup as its root, and with the controllers
    # of the real one: a cgroup has those only that its parent hands down.
    with trial.bundle(files={"v2/.keep": ""}) as box:
        argv = " ".join(trial.engine.argv("run", box.id, (f"--bundle={box.path}",)))
        line = (
            f"mount -t cgroup2 cgroup2 {box.path}/v2 && own=$(sed -n s/^0:://p /proc/self/cgroup)"
            f' && mount --bind "{box.path}/v2${{own%/*}}" {_UNIFIED}'
            f" && mount --bind {box.path}/v2/cgroup.controllers {_UNIFIED}/cgroup.controllers && exec {argv}"
        )
        done = trial.command(["unshare", "--mount", "/bin/sh", "-c", line])
        # A v1 hierarchy may have taken the controllers away meanwhile.
        if re.search(r"^(unshare|mount|/bin/sh): ", done.stderr, re.MULTILINE) or not _has_controllers():
            raise UndecidedError(done.stderr)
        return "accepted" if done.ok else "refused"


def _has_controllers() -> bool:
    controllers = _UNIFIED / "cgroup.controllers"
    return controllers.exists() and bool(controllers.read_text().split())
