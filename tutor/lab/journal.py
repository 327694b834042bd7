"""What a lab has taken, on disk before it is taken: so that whoever finds the journal of a dead lab can give it back."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from tutor import files
from tutor.lab.processes import Identity, boot_id, is_alive

PREFIX = "oci-tutor-"
_CLIENT_GUARD_KEEPER = 3


class Journal(NamedTuple):
    """A lab's journal. `name` (`oci-tutor-RANDOM`) is also its cgroup's name and the source of its mounts.

    `owners` are client, guard and keeper; `strays` what the keeper has adopted (containers' init processes).
    """

    path: str
    name: str
    boot: str
    owners: list[Identity]
    strays: list[Identity]
    cgroups: list[str]

    @classmethod
    def new(cls, path: str, name: str, client: Identity) -> Journal:
        """Return the journal of a lab that has taken nothing yet."""
        return cls(path, name, boot_id(), [client], [], [])

    def is_of_this_boot(self) -> bool:
        """Tell whether its pids mean anything: after a reboot the kernel has forgotten all of it."""
        return self.boot == boot_id()

    def has_owner(self) -> bool:
        """Tell whether client, guard or keeper still lives: then the lab is in use, or being cleaned up."""
        return self.is_of_this_boot() and any(is_alive(owner) for owner in self.owners)

    def has_keeper(self) -> bool:
        """Tell whether the keeper, the last owner to sign, lives."""
        return (
            self.is_of_this_boot() and len(self.owners) == _CLIENT_GUARD_KEEPER and is_alive(self.owners[-1])
        )

    def write(self) -> None:
        """Write it, whole or not at all.

        Raises:
            OSError: no space, or a file system that is read-only.
        """
        text = json.dumps(self._asdict() | {"path": None})
        # Not flushed to the disk: after a crash of the machine nothing of the lab is there to be given back.
        files.replace(self.path, text.encode(), draft=f"{self.path}.new", mode=None, durable=False)

    def remove(self) -> None:
        """Remove it; nothing happens when it is gone."""
        for path in (self.path, f"{self.path}.new"):
            try:
                os.unlink(path)  # noqa: PTH108  (starts fast)
            except FileNotFoundError:
                continue


def load(path: str) -> Journal | None:
    """Read a journal; None when it is not one (cut short by a machine crash, or not ours)."""
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
        [Identity(int(pid), int(start)) for pid, start in raw["owners"]],
        [Identity(int(pid), int(start)) for pid, start in raw["strays"]],
        [str(directory) for directory in raw["cgroups"]],
    )
    # A journal tells which directories to empty and remove, so it is believed only where it speaks of its own lab.
    own = journal.name.startswith(PREFIX) and all(
        os.path.basename(directory) == journal.name  # noqa: PTH119
        for directory in journal.cgroups
    )
    return journal if own else None
