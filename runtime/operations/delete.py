"""`delete`: undo everything that `create` did (runtime.md, Delete)."""

from __future__ import annotations

from runtime.state.store import NoSuchContainerError, Store
from runtime.steps.delete import destroy
from runtime.support import log
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.steps.runner import Plan


def delete(root: str, container_id: str, *, force: bool = False, plan: Plan | None = None) -> None:
    """Delete the stopped container `container_id`; with `force` any container, which is killed first.

    With `force`, a container that doesn't exist is no error.
    Raises RuntError if there is no such container, or it is not stopped, or something of it can't be undone.
    """
    store = Store(root)
    if not store.has_traces(container_id):
        if force:
            return
        raise NoSuchContainerError("container does not exist")
    with store.locked(container_id):
        try:
            entry = store.open(container_id)
        except NoSuchContainerError:
            store.sweep(container_id)
            if force:
                return
            raise
        except RuntError as error:
            if not force:
                raise
            log.warning(f"{error.message}: only its state directory is removed")
            store.discard(container_id)
            return
        status = entry.status()
        if status != "stopped" and not force:
            raise RuntError(
                f"cannot delete container {container_id} that is not stopped: {status}: "
                "delete needs a container that is stopped (or --force, which kills it)"
            )
        destroy(entry, plan)
