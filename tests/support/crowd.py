"""Many operations of `runt` at the same moment, each in a process of its own."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING

from runtime.support.errors import RuntError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

DONE, REFUSED, FAULT = 0, 1, 2


def at_once(log: Path, operations: Sequence[Callable[[], object]]) -> list[int]:
    """Begin all `operations` at the same moment; return the exit status of each. Their output is in the file `log`.

    Not the command line: ten interpreters that start on two processors would come one after the other.
    """
    gate, opener = os.pipe()
    pids = []
    for operation in operations:
        pid = os.fork()
        if pid == 0:
            os.close(opener)
            os.read(gate, 1)
            os._exit(_outcome(log, operation))
        pids.append(pid)
    os.close(gate)
    os.close(opener)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


def _outcome(log: Path, operation: Callable[[], object]) -> int:
    """Call an operation in this process, whose streams may become a container's; no exception may leave this function."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for stream in (0, 1, 2):
            os.dup2(output, stream)
        operation()
    except (RuntError, OSError) as error:
        # Both end as one sentence on the command line (`cli.main`).
        os.write(output, f"{operation}: {error}\n".encode())
        return REFUSED
    except BaseException:  # noqa: BLE001 - it is what the tests look for
        os.write(output, traceback.format_exc().encode())
        return FAULT
    return DONE
