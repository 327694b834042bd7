"""The cgroups of a process, v1, v2 or both: where they are, and the contents of their files."""

from __future__ import annotations

from pathlib import Path

import pytest


def hierarchies() -> dict[str, Path]:
    """Return the mount point of each hierarchy by its controllers, written as in /proc/PID/cgroup; `""` is v2."""
    mounts = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        kind, _, options = right.split(" ")
        if kind in ("cgroup", "cgroup2"):
            mounts.append((kind, left.split(" ")[4], set(options.split(","))))
    found = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        names = line.split(":")[1]
        for kind, place, known in mounts:
            if (kind == "cgroup" and names and set(names.split(",")) <= known) or (
                kind == "cgroup2" and not names
            ):
                found[names] = Path(place)
    if len(found) > 1:
        # Hybrid: the controllers are v1's.
        found.pop("", None)
    return found


def is_version2() -> bool:
    """Tell whether the controllers belong to v2 on this machine."""
    return list(hierarchies()) == [""]


def needs(version: int, *controllers: str) -> None:
    """Skip the test on a machine with another version of cgroups, or without these controllers."""
    if is_version2() != (version == 2):
        pytest.skip(f"this machine's cgroups are not of version {version}")
    names = {name for names in hierarchies() for name in names.split(",")}
    if version == 2:
        names = set((hierarchies()[""] / "cgroup.controllers").read_text().split())
    if missing := set(controllers) - names:
        pytest.skip(f"this machine has no cgroup controller {', '.join(sorted(missing))}")


class CgroupsOf:
    """The directories that a process is in, and their files."""

    def __init__(self, pid: int) -> None:
        self.directories = []
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            _, names, path = line.split(":", 2)
            if names in hierarchies():
                self.directories.append(hierarchies()[names] / path.lstrip("/"))

    def __getitem__(self, name: str) -> str:
        """Return the content of the file `name`, on one line with single spaces."""
        for directory in self.directories:
            if (directory / name).exists():
                return " ".join((directory / name).read_text().split())
        raise KeyError(name)

    def write(self, name: str, value: str) -> None:
        """Write into the file `name`."""
        next(d / name for d in self.directories if (d / name).exists()).write_text(value)

    def gone(self) -> bool:
        """Tell whether none of the directories exists, except those that are not only the container's."""
        return not any(directory.exists() for directory in self.directories if directory.name)
