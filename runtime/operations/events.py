"""`events`: statistics of a container, and when its memory runs out, as a stream of JSON objects (as in runc)."""

from __future__ import annotations

import os
import re
import select
import time

from runtime.cgroups import statistics
from runtime.cgroups.group import Group
from runtime.cgroups.oom import OutOfMemory
from runtime.state import liveness
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from runtime.config.types import Process
    from runtime.state.store import Entry

    Show = Callable[[dict[str, Any]], None]

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|us|µs|ns|m|s)", re.ASCII)


def events(entry: Entry, show: Show, *, interval: float, once: bool) -> None:
    """Call `show` with each event until the container stops; with `once` only with its current statistics.

    `interval` is the time between statistics, in seconds.

    Raises RuntError if the container does not run.
    """
    container_id = entry.record["id"]
    if entry.status() not in ("created", "running", "paused"):
        raise RuntError(f"container with id {container_id} is not running")
    group = Group(entry.record["cgroups"])
    if once:
        show({"type": "stats", "id": container_id, "data": statistics.read(group)})
    else:
        _follow(entry.record["init"], container_id, group, show, interval)


def parse_duration(text: str) -> float:
    """Return the seconds of a duration as Go writes it: `5s`, `1m30s`, `500ms`. Raises RuntError."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise RuntError(f'invalid value "{text}" for flag -interval: expected a duration such as 5s')
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds <= 0:
        raise RuntError("duration interval must be greater than 0")
    return seconds


def _follow(init: Process | None, container_id: str, group: Group, show: Show, seconds: float) -> None:
    """Show statistics every so many seconds, and each time that memory runs out, until `init` ends."""
    pidfd = liveness.open_pidfd(init)
    if pidfd is None:
        return
    memory = OutOfMemory(group)
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    if memory.fd >= 0:
        poll.register(memory.fd, memory.mask)
    due = time.monotonic() + seconds
    while True:
        ready = {fd for fd, _ in poll.poll(max(due - time.monotonic(), 0) * 1000)}
        if memory.fd in ready and memory.happened():
            show({"type": "oom", "id": container_id})
        if pidfd in ready:
            break
        if time.monotonic() >= due:
            due += seconds
            show({"type": "stats", "id": container_id, "data": statistics.read(group)})
    memory.close()
    os.close(pidfd)
