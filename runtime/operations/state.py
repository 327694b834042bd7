"""`state`: the state of a container (runtime.md, Query State)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.state.store import Entry


def describe(entry: Entry, owner: str = "") -> dict[str, Any]:
    """Return the state as `state` and `list --format json` print it: runc's members in runc's order.

    `pid` is 0 for a container without a process. `owner` is filled in by `list` only, as runc does.
    """
    record = entry.record
    status = entry.status()
    init = record["init"]
    state: dict[str, Any] = {
        "ociVersion": record["ociVersion"],
        "id": record["id"],
        "pid": init["pid"] if init is not None and status != "stopped" else 0,
        "status": status,
        "bundle": record["bundle"],
        "rootfs": record["rootfs"],
        "created": record["created"],
    }
    if record["annotations"]:
        state["annotations"] = record["annotations"]
    state["owner"] = owner
    return state
