"""The table of `start`: let a created container run its program (runtime.md, Start)."""

from __future__ import annotations

import os
import select

from runtime.state import liveness
from runtime.state.sync import StepError
from runtime.steps.runner import Table
from runtime.support import jsontext, log
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.store import Entry


def open_gate(entry: Entry) -> None:
    """Open the end of `exec.fifo` that init waits for, and read to its end what init writes.

    That is a dot before the program is executed, and a report if something fails. Never waits for a process that has
    ended. Raises StepError for what init reports, RuntError if it ends without a report.
    """
    init = liveness.open_pidfd(entry.record["init"])
    if init is None:
        raise RuntError("the container's init process has died")
    # Not blocking: otherwise the open would wait for a writer that may have died since.
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
    """Record that the program runs; without that each `Entry.status` would read it from the kernel."""
    try:
        entry.save(started=True)
    except OSError as error:
        # The program runs already: that the record does not say so is no reason to fail.
        log.warning(f"cannot record that the container runs: {describe(error)}")


def remove_fifo(entry: Entry) -> None:
    """Remove the named pipe: nothing will wait at it again."""
    try:
        os.unlink(entry.fifo)
    except FileNotFoundError:
        # A `start` that was killed here is being repeated.
        pass


def run_poststart_hooks(entry: Entry) -> None:
    """Run the `poststart` hooks, in the namespaces of the runtime.

    config.md, Poststart: "after the user-specified process is executed but before the start operation returns".
    """
    hooks = entry.config().get("hooks", {}).get("poststart")
    if hooks:
        from runtime.lifecycle.hooks import run_hooks

        run_hooks("poststart", hooks, entry.state("running"), entry, directory=entry.record["bundle"])


START_STEPS = Table(
    "START_STEPS",
    "runtime",
    (
        open_gate,
        record_started,
        remove_fifo,
        run_poststart_hooks,
    ),
)
"""The steps of `start`, in this order."""
