"""`start`: let a created container run its program (runtime.md, Start)."""

from __future__ import annotations

import os
import select

from runtime.state import liveness
from runtime.state.store import Store
from runtime.state.sync import StepError
from runtime.steps.delete import destroy
from runtime.steps.runner import run_steps
from runtime.support import jsontext, log
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.state.store import Entry
    from runtime.steps.runner import Observer

_HOOK_STEPS = ("run_start_container_hooks", "run_poststart_hooks")
"""The steps whose failure stops and destroys the container (runtime.md, Lifecycle); the first is one of init's."""

_REFUSALS = {
    "creating": "cannot start a container that is still being created",
    "running": "cannot start an already running container",
    "paused": "cannot start an already running container",
    "stopped": "cannot start a container that has stopped",
}


def start(root: str, container_id: str, observer: Observer | None = None) -> None:
    """Start the program of the container `container_id`, which must be `created`; `observer` is for who wants to watch.

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
            run_steps(START_STEPS, entry, observer)
        except StepError as error:
            if error.step in _HOOK_STEPS:
                destroy(entry)
            raise


def open_gate(entry: Entry) -> None:
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


def record_started(entry: Entry) -> None:
    """Write down that the program runs; without it the kernel would have to be asked each time (`Entry.status`)."""
    try:
        entry.save(started=True)
    except OSError as error:
        # The program runs already, and nobody could be helped by not knowing.
        log.warning(f"cannot record that the container runs: {describe(error)}")


def remove_fifo(entry: Entry) -> None:
    """Remove the named pipe: nobody will wait at it again."""
    try:
        os.unlink(entry.fifo)
    except FileNotFoundError:
        # A start that was killed here came back as a second one.
        pass


def run_poststart_hooks(entry: Entry) -> None:
    """Run the `poststart` hooks, in the namespaces of the runtime.

    config.md, Poststart: "after the user-specified process is executed but before the start operation returns".
    """
    hooks = entry.config().get("hooks", {}).get("poststart")
    if hooks:
        from runtime.lifecycle.hooks import run_hooks

        run_hooks("poststart", hooks, entry.state("running"), entry)


START_STEPS: tuple[Callable[[Entry], None], ...] = (
    open_gate,
    record_started,
    remove_fifo,
    run_poststart_hooks,
)
"""What `start` does, in this order."""
