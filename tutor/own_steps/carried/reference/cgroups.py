"""Control groups, version 1 and 2: exercise `cgroups`."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from tutor.own_steps.carried.container import Container

_CGROUPS = "/sys/fs/cgroup"
_CONTROLLERS = ("memory", "pids", "cpu", "cpuset", "freezer")


def make_cgroup(c: Container) -> None:
    """Make the container's cgroup, set its limits, and move `c.pid` into it (config-linux.md, Control groups).

    Append each directory to `c.cgroups`: one with v2, one for each controller with v1.
    """
    path = c.linux.get("cgroupsPath", c.id)
    if path.count(":") == 2:  # systemd's form, slice:prefix:name
        path = "{}/{}-{}.scope".format(*path.split(":"))
    is_v2 = os.path.exists(f"{_CGROUPS}/cgroup.controllers")
    for top in [_CGROUPS] if is_v2 else [f"{_CGROUPS}/{each}" for each in _CONTROLLERS]:
        directory = top
        for name in os.path.normpath("/" + path).strip("/").split("/") if os.path.isdir(top) else []:
            parent, directory = directory, os.path.join(directory, name)
            if is_v2:  # a controller is there only if the parent passes it on
                for controller in ("cpu", "memory", "pids"):
                    with contextlib.suppress(OSError):
                        write_file(f"{parent}/cgroup.subtree_control", f"+{controller}")
            os.makedirs(directory, exist_ok=True)
            for file in ("cpuset.cpus", "cpuset.mems") if top.endswith("/cpuset") else []:
                with open(
                    f"{parent}/{file}", encoding="utf-8"
                ) as values:  # empty at first: nothing can be in it
                    write_file(f"{directory}/{file}", values.read())
        if directory != top:
            c.cgroups.append(directory)
            for file, value in _limits(c, is_v2=is_v2).items():
                if is_v2 or file.partition(".")[0] == os.path.basename(top):
                    write_file(f"{directory}/{file}", value)
            write_file(f"{directory}/cgroup.procs", c.pid)


def _limits(c: Container, *, is_v2: bool) -> dict[str, object]:
    """Return what is to be written, by the file's name: v1 and v2 have other names and scales for the same limits."""
    resources = c.linux.get("resources", {})
    cpu, memory = resources.get("cpu", {}), resources.get("memory", {}).get("limit")
    pids, quota, shares = resources.get("pids", {}).get("limit"), cpu.get("quota"), cpu.get("shares")
    limits: dict[str, object] = {"pids.max": "max" if pids is not None and pids <= 0 else pids}
    if is_v2:
        limits["memory.max"] = "max" if memory == -1 else memory
        limits["cpu.weight"] = 1 + (shares - 2) * 9999 // 262142 if shares else None
        limits["cpu.max"] = f"{quota if quota > 0 else 'max'} {cpu.get('period', 100000)}" if quota else None
    else:
        limits |= {
            "memory.limit_in_bytes": memory,
            "cpu.shares": shares,
            "cpu.cfs_period_us": cpu.get("period"),
        }
        limits |= {"cpu.cfs_quota_us": quota, "cpuset.cpus": cpu.get("cpus"), "cpuset.mems": cpu.get("mems")}
    return {file: value for file, value in limits.items() if value not in (None, "")}


def write_file(path: str, value: object) -> None:
    """Write a value into a file of the kernel's."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(str(value))


def remove_cgroup(c: Container) -> None:
    """End what still runs in the directories of `c.cgroups`, and remove them (rmdir)."""
    for directory in filter(os.path.isdir, c.cgroups):
        with open(f"{directory}/cgroup.procs", encoding="utf-8") as file:
            for pid in file.read().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        for _ in range(500):  # EBUSY: a process leaves its cgroup a moment after its end
            with contextlib.suppress(OSError):
                os.rmdir(directory)
                break
            time.sleep(0.01)
