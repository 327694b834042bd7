"""What a lab makes, written to disk before it is made, so that the journal of a dead lab tells what to remove."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from tutor import files
from tutor.lab.processes import (
    Identity,
    boot_id,
    has_processes,
    is_alive,
    pid_namespace,
)

PREFIX = "oci-tutor-"
_CLIENT_GUARD_KEEPER = 3


class Journal(NamedTuple):
    """A lab's journal. `name` (`oci-tutor-RANDOM`) is also its cgroup's name and the source of its mounts.

    `pids` is the inode of the PID namespace that its pids are of; `owners` are client, guard and keeper; `strays` the processes that the keeper has adopted (containers' init processes).
    """

    path: str
    name: str
    boot: str
    pids: int
    owners: list[Identity]
    strays: list[Identity]
    cgroups: list[str]

    @classmethod
    def new(cls, path: str, name: str, client: Identity) -> Journal:
        """Return the journal of a lab that has made nothing yet."""
        return cls(path, name, boot_id(), pid_namespace(), [client], [], [])

    def is_of_this_boot(self) -> bool:
        """Return whether its pids are of this boot: after a reboot nothing of the lab exists any more."""
        return self.boot == boot_id()

    def has_owner(self) -> bool:
        """Return whether client, guard or keeper still runs: then the lab is in use, or being cleaned up.

        The pids of another PID namespace, an ordinary user's, say nothing here: it ends with all of them, and is seen from outside.
        """
        if not self.is_of_this_boot():
            return False
        if self.pids == pid_namespace():
            return any(is_alive(owner) for owner in self.owners)
        return has_processes(self.pids)

    def has_keeper(self) -> bool:
        """Return whether the keeper, the last of the owners, still runs."""
        return (
            self.is_of_this_boot() and len(self.owners) == _CLIENT_GUARD_KEEPER and is_alive(self.owners[-1])
        )

    def write(self) -> None:
        """Write it atomically.

        Raises:
            OSError: no space, or a read-only file system.
        """
        text = json.dumps(self._asdict() | {"path": None})
        # Not flushed to the disk: after a crash of the machine nothing of the lab is left to remove.
        files.replace(self.path, text.encode(), draft=f"{self.path}.new", mode=None, durable=False)

    def remove(self) -> None:
        """Remove it; do nothing when it does not exist."""
        for path in (self.path, f"{self.path}.new"):
            try:
                os.unlink(path)  # noqa: PTH108  (starts fast)
            except FileNotFoundError:
                continue


def load(path: str) -> Journal | None:
    """Read a journal; None when it is not one (truncated by a machine crash, or another program's file)."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123  (starts fast)
            return _journal(path, json.load(file))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _journal(path: str, raw: dict[str, Any]) -> Journal | None:
    journal = Journal(
        path,
        str(raw["name"]),
        str(raw["boot"]),
        int(raw["pids"]),
        [Identity(int(pid), int(start)) for pid, start in raw["owners"]],
        [Identity(int(pid), int(start)) for pid, start in raw["strays"]],
        [str(directory) for directory in raw["cgroups"]],
    )
    # A journal names directories to remove, so only those that bear its own lab's name are believed.
    own = journal.name.startswith(PREFIX) and all(
        os.path.basename(directory) == journal.name  # noqa: PTH119
        for directory in journal.cgroups
    )
    return journal if own else None
