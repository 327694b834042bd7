"""`run`: create, start, wait for the end, delete; or, detached, the first two only."""

from __future__ import annotations

from runtime.lifecycle import interrupts
from runtime.operations.create import build, create, read_bundle
from runtime.operations.start import start
from runtime.process.foreground import copy_terminal_size, forward_signals, relay_terminal, wait
from runtime.state import liveness
from runtime.state.store import NoSuchContainerError
from runtime.steps.delete import destroy
from runtime.support import sockets
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.options import CreateOptions
    from runtime.state.store import Entry
    from runtime.steps.runner import Plan


def run(options: CreateOptions, plan: Plan | None = None) -> int:
    """Run a container; return the exit status of its program (128 + N if signal N ended it), or 0 with `detach`.

    In the foreground its terminal is connected to the caller's, and signals are passed on to it. Afterwards it is
    deleted, unless it is to be kept.
    Raises RuntError when it can't be created or started; then nothing is left of it.
    """
    if options.detach:
        _start(create(options, plan), plan)
        return 0
    bundle, config = read_bundle(options)
    if options.console_socket:
        raise RuntError("cannot use console socket if runt will not detach or allocate tty: add --detach")
    near = far = None
    if config["process"].get("terminal"):
        near, far = sockets.pair()
        copy_terminal_size(config["process"])
    entry = build(options, bundle, config, far, plan)
    init = entry.record["init"]
    pidfd = liveness.open_pidfd(init)
    if init is None or pidfd is None:
        status = wait(init["pid"] if init else 0)
        delete_if_there(entry)
        raise RuntError(f"the container's init process has died (status {status})")
    forward_signals(pidfd)
    _start(entry, plan, waits=False)
    interrupts.release()
    if near is not None:
        relay_terminal(near, pidfd)
    status = wait(init["pid"])
    if not options.keep:
        delete_if_there(entry, plan)
    return status


def _start(entry: Entry, plan: Plan | None, *, waits: bool = True) -> None:
    """Start the container; if that fails, delete it: a container that does not run was not asked for."""
    try:
        interrupts.release()
        start(entry, plan, waits=waits)
        interrupts.hold()
    except BaseException:
        interrupts.hold()
        delete_if_there(entry)
        raise


def delete_if_there(entry: Entry, plan: Plan | None = None) -> None:
    """Delete the container, unless another command has done so already. An observer that fails a step does not keep it."""
    with entry.lock():
        try:
            _delete_if_there(entry, plan)
        except RuntError:
            if plan is not None:
                _delete_if_there(entry, None)
            raise


def _delete_if_there(entry: Entry, plan: Plan | None) -> None:
    try:
        entry.reload()
    except NoSuchContainerError:
        return
    destroy(entry, plan)
