"""`ps`: the processes of a container, as their pids or as the lines of ps(1) for them."""

from __future__ import annotations

import os

from runtime.cgroups.membership import processes as members
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.state.store import Entry


def processes(entry: Entry) -> list[int]:
    """Return the pids of the container's processes, in the caller's PID namespace. Raises RuntError.

    They are those of its cgroups; a container that has none of its own (rootless) shows its init process only.
    """
    if entry.record["cgroups"]:
        return members(entry.record["cgroups"])
    init = entry.record["init"]
    return [init["pid"]] if init is not None and entry.status() != "stopped" else []


def table(entry: Entry, options: Sequence[str]) -> str:
    """Return what `ps OPTIONS` (default: `-ef`) prints, with the lines of the container's processes only. Raises RuntError."""
    import subprocess

    pids = processes(entry)
    environment = {**os.environ, "LC_ALL": os.environ.get("LC_ALL") or "C.UTF-8"}
    try:
        done = subprocess.run(
            ["ps", *(options or ("-ef",))],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise RuntError(f'exec: "ps": {describe(error)}') from None
    heading, *lines = done.stdout.decode("utf-8", "surrogateescape").splitlines() or [""]
    if done.returncode != 0:
        raise RuntError(f"exit status {done.returncode}: {done.stdout.decode('utf-8', 'replace').strip()}")
    titles = heading.split()
    if "PID" not in titles:
        raise RuntError("couldn't find PID field in ps output")
    column = titles.index("PID")
    shown = [line for line in lines if _number(line, column) in pids]
    return "".join(f"{line}\n" for line in (heading, *shown))


def _number(line: str, column: int) -> int:
    """Return the number in a column of a line, -1 for another line than of a process."""
    fields = line.split()
    return int(fields[column]) if len(fields) > column and fields[column].isdigit() else -1
