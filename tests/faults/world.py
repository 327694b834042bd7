"""What an operation can leave behind on this machine, as a set of lines: an empty difference means that nothing is left."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.support.mounts import mount_table
from tutor import patience

MARK = "RUNT_FAULTS"
"""The environment variable that every process of an experiment has, container or not."""

_PATIENCE = 5.0


class World:
    """The places where a container of one state root, bundle and id can leave something."""

    def __init__(self, root: Path, bundle: Path, container_id: str, mark: str) -> None:
        self.root = root
        self.bundle = bundle
        self.id = container_id
        self.mark = f"{MARK}={mark}".encode()

    def look(self) -> set[str]:
        """Return a line for every file, mount, cgroup and process that is there now."""
        seen = {f"state {path.relative_to(self.root)}" for path in self.root.rglob("*")}
        # Empty directories may be made in the image (/proc, /dev ...): they do not count.
        seen |= {
            f"file {path.relative_to(self.bundle)}"
            for path in self.bundle.rglob("*")
            if not path.is_dir() or path.is_symlink()
        }
        for line in mount_table(self.root):
            seen.add(f"mount {line.split(' ')[3]} {line.partition(' - ')[2]}")
        # os.walk and not glob: the cgroups of others come and go meanwhile.
        seen |= {f"cgroup {path}" for path, _, _ in os.walk("/sys/fs/cgroup") if self.id in path}
        return seen | {f"process {line}" for line in self.processes()}

    def processes(self) -> list[str]:
        """Return the processes of the experiment, but for this one and those that have ended."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            if place.name == str(os.getpid()):
                continue
            try:
                if self.mark not in (place / "environ").read_bytes():
                    continue
                if ") Z " not in (place / "stat").read_text():
                    found.append(f"{place.name} {(place / 'comm').read_text().strip()}")
            except OSError:
                continue
        return found

    def left_since(self, before: set[str], seconds: float = _PATIENCE) -> list[str]:
        """Return what is there now and was not before; a process that has been killed gets a moment of `seconds` to end."""
        deadline = time.monotonic() + patience.scaled(seconds)
        while left := sorted(self.look() - before):
            if time.monotonic() > deadline or not any(line.startswith("process") for line in left):
                break
            time.sleep(0.01)
        return left
