"""Undoing all of `create`: what `delete`, a failed `create` and a failed `start` have in common (runtime.md, steps 12 and 13).

Every part can be done again after a `kill -9` in the middle of it, because what is to be undone is read from the record
and the record goes last.
"""

from __future__ import annotations

import os

from runtime.config.namespaces import has_own_pid_namespace
from runtime.state import freezer, liveness
from runtime.steps.runner import Plan, Table, run_steps
from runtime.support import log, signals
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.config.types import Config, Process
    from runtime.state.store import Entry

_PATIENCE = 10
"""How long a process may take to end after SIGKILL, in seconds."""


def destroy(entry: Entry, plan: Plan | None = None) -> None:
    """End every process of the container, undo what was made for it, run its `poststop` hooks, remove its record.

    The caller holds the container's lock. Raises RuntError if something can't be undone: the record stays, and `delete` can
    be called again.
    """
    (plan or Plan()).run(DELETE_STEPS, entry)
    log.debug(f"container {entry.record['id']} has been deleted")


def end_creator(entry: Entry) -> None:
    """End a `create` of this container that still runs, unless it is this process; then read the record again."""
    creator = entry.record["creator"]
    if entry.record["ready"] or creator["pid"] == os.getpid():
        return
    _end(creator, "the runtime that creates the container")
    entry.reload()


def end_hook(entry: Entry) -> None:
    """End the hook that a killed runtime was waiting for, and whatever that started in its process group."""
    hook = entry.record["hook"]
    pidfd = liveness.open_pidfd(hook)
    if pidfd is None or hook is None:
        return
    os.close(pidfd)
    # Its pid is the group's number: it is not reused as long as the group has a member.
    try:
        os.killpg(hook["pid"], signals.SIGKILL)
    except ProcessLookupError:
        # It has ended in the meantime.
        pass


def end_container_init(entry: Entry) -> None:
    """End the container's init process, and with it all of a PID namespace of its own (pid_namespaces(7))."""
    _end(entry.record["init"], "container init", frozen_in=entry.record["cgroups"])


def end_other_processes(entry: Entry) -> None:
    """End the processes that don't live in a PID namespace of the container's: those in its cgroups."""
    config = _config(entry)
    # A `restore` that was killed may not have recorded init yet.
    init_is_unknown = entry.record["init"] is None
    if entry.record["cgroups"] and (config is None or init_is_unknown or not has_own_pid_namespace(config)):
        from runtime.cgroups.membership import kill_all

        log.debug("killing all processes of the container's cgroups")
        kill_all(entry.record["cgroups"], signals.SIGKILL)


def remove_cgroups(entry: Entry) -> None:
    """Remove the cgroups that were made for the container."""
    if entry.record["cgroups_made"]:
        from runtime.cgroups import lifecycle as cgroups

        cgroups.remove(entry.record["cgroups_made"])


def stop_unit(entry: Entry) -> None:
    """Remove the scope that systemd made for the container (`--systemd-cgroup`)."""
    if entry.record.get("unit"):
        from runtime.cgroups.systemd import stop_scope

        stop_scope(entry)


def unmount(entry: Entry) -> None:
    """Undo the mounts that were made outside a mount namespace of the container, the last one first."""
    if not entry.record["mounts"]:
        return
    from runtime.filesystem.rootfs import unmount_root

    for mount in reversed(entry.record["mounts"]):
        try:
            unmount_root(mount)
        except OSError as error:
            raise RuntError(f"cannot unmount {mount.partition(' ')[2]}: {describe(error)}") from None


def run_poststop_hooks(entry: Entry) -> None:
    """Run the `poststop` hooks.

    config.md, Poststop: "after the container is deleted but before the delete operation returns".
    """
    config = _config(entry)
    hooks = config.get("hooks", {}).get("poststop") if config is not None else None
    if hooks:
        from runtime.lifecycle.hooks import run_poststop

        run_poststop(hooks, entry.state("stopped"), entry, directory=entry.record["bundle"])


def remove_record(entry: Entry) -> None:
    """Remove the record of the container."""
    entry.remove()


DELETE_STEPS = Table(
    "DELETE_STEPS",
    "runtime",
    (
        end_creator,
        end_hook,
        end_container_init,
        end_other_processes,
        remove_cgroups,
        stop_unit,
        unmount,
        run_poststop_hooks,
        remove_record,
    ),
)
"""The steps of `delete`, in this order."""


def end_processes(entry: Entry) -> None:
    """End every process of the container, and undo what was made outside its state directory. Raises RuntError."""
    run_steps(DELETE_STEPS[: DELETE_STEPS.index(run_poststop_hooks)], entry)


def _end(process: Process | None, what: str, frozen_in: Sequence[str] = ()) -> None:
    """Send SIGKILL and wait for the end; thaw `frozen_in`, the cgroups of the process: frozen with v1 it would not end.

    Raises RuntError if it does not end.
    """
    pidfd = liveness.open_pidfd(process)
    if process is None or pidfd is None:
        return
    log.debug(f"killing {what} and waiting for its end")
    try:
        signals.pidfd_send_signal(pidfd, signals.SIGKILL)
        freezer.thaw_killed(frozen_in, process)
        if not liveness.wait_for_exit(pidfd, _PATIENCE):
            raise RuntError(f"{what} still running {_PATIENCE} seconds after SIGKILL")
    except ProcessLookupError:
        pass
    except PermissionError as error:
        raise RuntError(f"unable to signal {what}: {describe(error)}") from None
    finally:
        os.close(pidfd)


def _config(entry: Entry) -> Config | None:
    """Return the container's configuration, None if `create` did not come as far as writing it."""
    try:
        return entry.config()
    except RuntError:
        return None
