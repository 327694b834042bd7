"""`delete`: undo everything that `create` did (runtime.md, Delete)."""

from __future__ import annotations

import errno

from runtime.state.record import DamagedRecordError
from runtime.state.store import NoSuchContainerError, Store
from runtime.steps.delete import destroy, end_processes
from runtime.support import log
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.steps.runner import Plan


_NO_LOCK = (errno.EROFS, errno.ENOSPC, errno.EDQUOT)
"""A state directory on a read-only filesystem, or on a full one: no space, or no inode."""


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
    try:
        with store.locked(container_id):
            _delete(store, container_id, force=force, plan=plan)
    except OSError as error:
        if not force or error.errno not in _NO_LOCK:
            raise
        # No lock can be made there, for other commands neither: what runs is ended, and what can be removed is.
        entry = store.open(container_id)
        end_processes(entry)
        if error.errno == errno.EROFS:
            raise RuntError(
                f"the container's processes have been ended, but its record cannot be removed: {describe(error)}"
            ) from None
        destroy(entry, plan)


def delete_matching(root: str, pattern: str, *, force: bool = False, plan: Plan | None = None) -> None:
    """Delete every container whose id has a match for the regular expression `pattern`, as `delete` does.

    crun's `delete --regex`, but for the exit status: there a container that can't be deleted is only a warning.
    Raises RuntError, before anything is deleted, if `pattern` is invalid; after all others have been, if one could not be.
    """
    matches = _matcher(pattern)
    failed = []
    for container_id in filter(matches, Store(root).ids()):
        try:
            delete(root, container_id, force=force, plan=plan)
        except NoSuchContainerError:
            # Another command has deleted it meanwhile.
            continue
        except (RuntError, OSError) as error:
            log.warning(error.message if isinstance(error, RuntError) else describe(error))
            failed.append(container_id)
    if failed:
        raise RuntError(f"cannot delete all containers that match {pattern}: {', '.join(failed)}")


def _matcher(pattern: str) -> Callable[[str], object]:
    """Return what finds a match for `pattern`, anywhere in a text. Raises RuntError."""
    # Both are for this option only.
    import re
    import warnings

    try:
        with warnings.catch_warnings():
            # What means another thing elsewhere, such as [[:digit:]], which Python doesn't have.
            warnings.simplefilter("error", FutureWarning)
            return re.compile(pattern).search
    except (re.error, FutureWarning, OverflowError, RecursionError) as error:
        raise RuntError(f'invalid regular expression "{pattern}": {error}') from None


def _delete(store: Store, container_id: str, *, force: bool, plan: Plan | None) -> None:
    """Delete a container whose lock is held. Raises RuntError."""
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
        from runtime.operations.salvage import salvage

        said = error.damage if isinstance(error, DamagedRecordError) else error.message
        log.warning(f"{said}: what can be found of the container is ended and removed")
        entry = salvage(store, container_id)
        destroy(entry, plan)
        return
    status = entry.status()
    if status != "stopped" and not force:
        raise RuntError(
            f"cannot delete container {container_id} that is not stopped: {status}: "
            "delete needs a container that is stopped (or --force, which kills it)"
        )
    destroy(entry, plan)
