"""The container's first process, from clone(2) until it executes the user's program."""

from __future__ import annotations

import os
import sys

from runtime.kernel import process as kernel
from runtime.lifecycle import interrupts
from runtime.lifecycle.handshake import report_failure
from runtime.state.store import INIT_NAME
from runtime.state.sync import PeerGoneError, StepError
from runtime.support import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

    from runtime.state.container import Container
    from runtime.steps.runner import Plan, Table

_ENDED_BY = (signals.SIGHUP, signals.SIGINT, signals.SIGQUIT, signals.SIGTERM)


def be_init(c: Container, table: Table, plan: Plan) -> NoReturn:
    """Run `table`, the steps of the init process. It executes the user's program, or ends here."""
    try:
        c.sync.be_init()
        kernel.set_parent_death_signal(signals.SIGKILL)
        kernel.set_name(INIT_NAME)
        _let_signals_end_init()
        interrupts.release()
        _import_no_more()
        # The modes of what is made for the container are exact; the program gets its umask later.
        c.caller_umask = os.umask(0)
        plan.run(table, c)
    except PeerGoneError:
        pass
    except StepError as error:
        _tell(c, error.step, error.reason)
    except BaseException as error:  # noqa: BLE001 - whatever it is, this process must not return into the runtime's code
        _tell(c, "", f"this is a fault in runt, please report it: {type(error).__name__}: {error}")
    finally:
        os._exit(1)


def end_init(c: Container) -> str:
    """End the process that be_init runs in, if it has been made; return how it ended. To be called by its parent."""
    if not hasattr(c, "init_pid"):
        return "was not made"
    # It is a child that has not been waited for: its pid can't be reused.
    os.kill(c.init_pid, signals.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(c.init_pid, 0)[1])
    return f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"


def _tell(c: Container, step: str, message: str) -> None:
    try:
        report_failure(c, step, message)
    except (OSError, PeerGoneError):
        # The other end is closed.
        pass


def _let_signals_end_init() -> None:
    """Let signals end init while it waits for `start`: number 1 of a PID namespace ignores those that it does not handle."""
    for signum in _ENDED_BY:
        if signals.getsignal(signum) is not signals.SIG_IGN:
            signals.signal(signum, _end)


def _end(signum: int, _frame: FrameType | None) -> NoReturn:
    os._exit(128 + signum)


def _import_no_more() -> None:
    """Make sure that no module is loaded from now on: it would be the container's file, with the runtime's privileges."""
    sys.path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
