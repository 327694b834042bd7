"""`start`: let a created container run its program (runtime.md, Start)."""

from __future__ import annotations

from runtime.state.sync import StepError
from runtime.steps.delete import destroy
from runtime.steps.runner import Plan
from runtime.steps.start import START_STEPS
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.store import Entry

_HOOK_STEPS = ("run_start_container_hooks", "run_poststart_hooks")
"""The steps whose failure stops and destroys the container (runtime.md, Lifecycle); the first is one of init's."""

_REFUSALS = {
    "creating": "cannot start a container that is still being created",
    "running": "cannot start an already running container",
    "paused": "cannot start an already running container",
    "stopped": "cannot start a container that has stopped",
}


def start(entry: Entry, plan: Plan | None = None) -> None:
    """Start the program of a container, which must be `created`.

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
        try:
            (plan or Plan()).run(START_STEPS, entry)
        except StepError as error:
            if error.step in _HOOK_STEPS:
                destroy(entry)
            raise
