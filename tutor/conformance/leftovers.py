"""What a check, or a runtime, has left in the lab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.lab.lab import Lab


def mounts(lab: Lab) -> str:
    """Return the mountinfo of the lab, outside of any container; empty when it has ended."""
    try:
        return Path(f"/proc/{lab.keeper_pid}/mountinfo").read_text(errors="replace")
    except OSError:
        return ""


def processes(lab: Lab) -> set[int]:
    """Return the pids of the processes in a lab's cgroups and in those below them, without the keeper."""
    found: set[int] = set()
    for cgroup in lab.cgroups:
        for file in Path(cgroup).rglob("cgroup.procs"):
            try:
                found.update(map(int, file.read_text().split()))
            except OSError:
                continue  # it has been removed, or has threads only
    return found - {lab.keeper_pid}
