"""`start`: let a created container run its program (runtime.md, Start)."""

from __future__ import annotations

import os
import select

from runtime import jsontext, liveness
from runtime.errors import RuntError
from runtime.operations.destroy import destroy, run_poststart
from runtime.store import Store
from runtime.sync import StepError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.store import Entry

_REFUSALS = {
    "creating": "cannot start a container that is still being created",
    "running": "cannot start an already running container",
    "paused": "cannot start an already running container",
    "stopped": "cannot start a container that has stopped",
}


def start(root: str, container_id: str) -> None:
    """Start the program of the container `container_id`, which must be `created`.

    Raises RuntError if it is not, if the program can't be executed, or if a hook fails; after a failed hook the container
    has been destroyed (runtime.md, Lifecycle, steps 7 and 9).
    """
    store = Store(root)
    with store.locked(container_id):
        entry = store.open(container_id)
        status = entry.status()
        if status != "created":
            raise RuntError(f"{_REFUSALS[status]}: start needs a container that is created")
        if not entry.record["runnable"]:
            raise RuntError("there is nothing to start: config.json has no process (runtime.md, Start)")
        try:
            _open_gate(entry)
        except StepError as error:
            if error.step == "run_start_container_hooks":
                destroy(entry)
            raise
        entry.save(started=True)
        os.unlink(entry.fifo)
        run_poststart(entry)


def _open_gate(entry: Entry) -> None:
    """Open the end of `exec.fifo` that init waits for, and read to its end what init writes.

    That is a dot before the program is executed, and a report if something fails. Never waits for a process that has
    died. Raises StepError for what init reports, RuntError if it dies without a word.
    """
    init = liveness.open_pidfd(entry.record["init"])
    if init is None:
        raise RuntError("the container's init process has died")
    # Not blocking: otherwise we would wait for a writer that may have died since.
    fifo = os.open(entry.fifo, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    said = bytearray()
    poll = select.poll()
    poll.register(fifo, select.POLLIN)
    poll.register(init, select.POLLIN)
    try:
        while True:
            ready = [fd for fd, _ in poll.poll()]
            if fifo in ready:
                data = os.read(fifo, 65536)
                if not data:
                    break
                said += data
            elif init in ready:
                break
    finally:
        os.close(fifo)
        os.close(init)
    if said == b".":
        return
    report = said.removeprefix(b".")
    if not report:
        raise RuntError("the container's init process has died before it could execute the program")
    failure = jsontext.loads(report)
    raise StepError(failure["step"], failure["message"])
