"""Mounts of a bundle, and what mountinfo shows of them inside the container."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt


class Mounted:
    """One line of mountinfo (proc(5))."""

    def __init__(self, line: str) -> None:
        left, right = line.split(" - ")
        fields = left.split(" ")
        self.root, self.options = fields[3], set(fields[5].split(","))
        self.propagation = {field.split(":")[0] for field in fields[6:] if field}
        self.kind, _, superblock = right.split(" ", 2)
        self.superblock = set(superblock.split(","))


_RUN = re.compile(r"/pytest-of-[^/ ]+/pytest-\d+(?=[/ ])")


def mount_table(folder: Path) -> list[str]:
    """Return the lines of this process's mountinfo (proc(5)), in their order and each without its own id.

    Other runs of the tests mount below their own folders at the same time: only the mounts of the run that
    `folder`, one of its temporary folders, belongs to are listed of those.
    """
    ours = _RUN.findall(f"{folder}/")
    lines = [
        line.split(" ", 1)[1]
        for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    ]
    return [line for line in lines if all(run in ours for run in _RUN.findall(line))]


def mounts_of(bundle: Bundle, runt: Runt) -> dict[str, Mounted]:
    """Run the bundle with a program that prints its mounts; return them by their mount point, the topmost of each."""
    bundle.process["args"] = ["cat", "/proc/self/mountinfo"]
    lines = runt.run(bundle).splitlines()
    return {line.split(" ")[4]: Mounted(line) for line in lines}


def mount(bundle: Bundle, destination: str, kind: str, *options: str, source: str = "") -> dict[str, Any]:
    """Add a mount to the bundle's configuration."""
    entry = {"destination": destination, "type": kind, "source": source or kind, "options": list(options)}
    bundle.config["mounts"].append(entry)
    return entry
