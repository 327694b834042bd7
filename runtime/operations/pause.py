"""`pause` and `resume`: suspend all processes of a container, and continue them (not in runtime.md; as in runc)."""

from __future__ import annotations

from runtime.state import freezer
from runtime.support import log
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.store import Entry


def pause(entry: Entry) -> None:
    """Suspend all processes of the container. Raises RuntError if it is not created or running, or they can't be frozen."""
    container_id = entry.record["id"]
    with entry.lock():
        entry.reload()
        status = entry.status()
        if status not in ("created", "running"):
            raise RuntError(
                f"container not running: pause needs a container that is created or running, {container_id} is {status}"
            )
        freezer.freeze(entry.record["cgroups"])
    log.debug(f"container {container_id} has been paused")


def resume(entry: Entry) -> None:
    """Continue the processes of the container. Raises RuntError if it is not paused."""
    container_id = entry.record["id"]
    with entry.lock():
        entry.reload()
        status = entry.status()
        if status != "paused":
            raise RuntError(f"container not paused: {container_id} is {status}")
        freezer.thaw(entry.record["cgroups"])
    log.debug(f"container {container_id} has been resumed")
