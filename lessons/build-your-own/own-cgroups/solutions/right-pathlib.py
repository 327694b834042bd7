import os
import signal
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
HIERARCHIES = ["memory", "pids", "cpu", "cpuset", "freezer"]


def limits_1(resources):
    cpu = resources.get("cpu", {})
    yield "memory", "memory.limit_in_bytes", resources.get("memory", {}).get("limit")
    yield "pids", "pids.max", number_or_max(resources.get("pids", {}).get("limit"), 1)
    yield "cpu", "cpu.shares", cpu.get("shares")
    yield "cpu", "cpu.cfs_period_us", cpu.get("period")
    yield "cpu", "cpu.cfs_quota_us", cpu.get("quota")
    yield "cpuset", "cpuset.cpus", cpu.get("cpus")
    yield "cpuset", "cpuset.mems", cpu.get("mems")


def limits_2(resources):
    cpu = resources.get("cpu", {})
    yield "memory.max", number_or_max(resources.get("memory", {}).get("limit"), 0)
    yield "pids.max", number_or_max(resources.get("pids", {}).get("limit"), 1)
    if cpu.get("shares"):
        yield "cpu.weight", 1 + ((cpu["shares"] - 2) * 9999) // 262142
    if cpu.get("quota"):
        yield "cpu.max", f"{number_or_max(cpu['quota'], 1)} {cpu.get('period', 100000)}"


def number_or_max(number, least):
    return "max" if number is not None and number < least else number


def below(top, c):
    """Return the directory of the container below `top`."""
    path = c.linux.get("cgroupsPath", c.id)
    if path.count(":") == 2:
        path = "%s/%s-%s.scope" % tuple(path.split(":"))
    return top / path.lstrip("/")


def between(top, directory):
    """Return the directories from below `top` down to `directory`."""
    return [*reversed([each for each in directory.parents if top in each.parents]), directory]


def make_cgroup(c):
    resources = c.linux.get("resources", {})
    if (ROOT / "cgroup.controllers").exists():
        directory = below(ROOT, c)
        for each in between(ROOT, directory):
            for controller in "cpu", "memory", "pids":
                try:
                    (each.parent / "cgroup.subtree_control").write_text(f"+{controller}")
                except OSError:
                    continue
            each.mkdir(exist_ok=True)
        for file, value in limits_2(resources):
            if value is not None:
                (directory / file).write_text(str(value))
        c.cgroups.append(str(directory))
        (directory / "cgroup.procs").write_text(str(c.pid))
        return
    for top in (ROOT / name for name in HIERARCHIES):
        if not top.is_dir():
            continue
        directory = below(top, c)
        for each in between(top, directory):
            each.mkdir(exist_ok=True)
            if top.name == "cpuset":
                for file in "cpuset.cpus", "cpuset.mems":
                    (each / file).write_text((each.parent / file).read_text())
        c.cgroups.append(str(directory))
        for controller, file, value in limits_1(resources):
            if controller == top.name and value not in (None, ""):
                (directory / file).write_text(str(value))
        (directory / "cgroup.procs").write_text(str(c.pid))


def remove_cgroup(c):
    for name in c.cgroups:
        directory = Path(name)
        for _ in range(500):
            if not directory.exists():
                break
            for pid in (directory / "cgroup.procs").read_text().split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            try:
                directory.rmdir()
            except OSError:
                time.sleep(0.01)
