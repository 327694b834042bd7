"""`start`: let a created container run its program (runtime.md, Start)."""

from __future__ import annotations

import os

from runtime.state.sync import StepError
from runtime.steps.delete import destroy
from runtime.steps.runner import Plan
from runtime.steps.start import START_STEPS
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

    from runtime.state.store import Entry

_HOOK_STEPS = ("run_start_container_hooks", "run_poststart_hooks")
"""The steps whose failure stops and destroys the container (runtime.md, Lifecycle); the first is one of init's."""

_REFUSALS = {
    "creating": "cannot start a container that is still being created",
    "running": "cannot start an already running container",
    "paused": "cannot start an already running container",
    "stopped": "cannot start a container that has stopped",
}


def start(entry: Entry, plan: Plan | None = None, *, waits: bool = True) -> None:
    """Start the program of a container, which must be `created`.

    For a caller with NOTIFY_SOCKET, wait until the program is ready, unless not `waits`: then that goes on beside.

    Raises RuntError if it is not, if the program can't be executed, or if a hook fails; after a failed hook the container
    has been destroyed (runtime.md, Lifecycle, steps 7 and 9).
    """
    with entry.lock():
        entry.reload()
        status = entry.status()
        if status != "created":
            raise RuntError(f"{_REFUSALS[status]}: start needs a container that is created")
        if not entry.record["runnable"]:
            raise RuntError("there is nothing to start: config.json has no process (runtime.md, Start)")
        listener = _listen(entry)
        try:
            (plan or Plan()).run(START_STEPS, entry)
        except StepError as error:
            if error.step in _HOOK_STEPS:
                destroy(entry)
            raise
    if listener is not None:
        from runtime.lifecycle.notify_socket import pass_ready_on

        if waits:
            pass_ready_on(listener, entry)
        else:
            import _thread

            _thread.start_new_thread(pass_ready_on, (listener, entry))


def _listen(entry: Entry) -> socket | None:
    """Return the socket on which the program says that it is ready, None if the caller has none to pass it on to."""
    if not os.environ.get("NOTIFY_SOCKET"):
        return None
    from runtime.lifecycle.notify_socket import listen

    return listen(entry)
