"""`kill`: send a signal to the container's init process, or to all of its processes (runtime.md, Kill)."""

from __future__ import annotations

from runtime.state import freezer, liveness
from runtime.support import signals
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.store import Entry

_HIGHEST = 64
"""The last real-time signal, signal(7)."""
_REAL_TIME = {"RTMIN": (34, "+"), "RTMAX": (_HIGHEST, "-")}
"""The ends of the real-time signals that the C library leaves to programs (nptl(7)), and where the others are from there."""


def kill(entry: Entry, signal_name: str, *, everything: bool = False) -> None:
    """Send the signal `signal_name` (`TERM`, `SIGTERM`, `15`) to the container's init process.

    With `everything`, to all processes of the container's cgroups, also when init itself has ended already: processes
    that share a PID namespace with others can outlive it. Without a cgroup of its own (rootless) only init is known.
    A stopped container has no more of them, which is what was asked for. SIGKILL is for all of them, too, where the
    container has no PID namespace of its own: with one, the kernel ends all with init (pid_namespaces(7)).
    Raises RuntError if there is no such process or signal.
    """
    container_id = entry.record["id"]
    signum = parse_signal(signal_name)
    status = entry.status()
    if everything and entry.record["cgroups"]:
        from runtime.cgroups.membership import kill_all

        kill_all(entry.record["cgroups"], signum)
        return
    if everything and status == "stopped":
        return
    if signum == signals.SIGKILL and _kill_without_pid_namespace(entry):
        return
    if status not in ("created", "running", "paused"):
        raise RuntError(
            f"container not running: kill needs a container that is created or running, {container_id} is {status}"
        )
    init = entry.record["init"]
    try:
        delivered = liveness.send_signal(init, signum)
    except OSError as error:
        raise RuntError(f"unable to signal init: {describe(error)}") from None
    if signum == signals.SIGKILL and init is not None:
        freezer.thaw_killed(entry.record["cgroups"], init)
    if not delivered:
        raise RuntError(f"container not running: process already finished: {container_id} has just stopped")


def _kill_without_pid_namespace(entry: Entry) -> bool:
    """Kill all processes of a container that has no PID namespace of its own; return whether there were any.

    As with runc since 1.2.
    """
    if not entry.record["cgroups"]:
        return False
    from runtime.config.namespaces import has_own_pid_namespace

    try:
        config = entry.config()
    except RuntError:
        # Its `create` did not come as far.
        return False
    if has_own_pid_namespace(config):
        return False
    from runtime.cgroups.membership import kill_all, processes

    if not processes(entry.record["cgroups"]):
        return False
    kill_all(entry.record["cgroups"], signals.SIGKILL)
    return True


def parse_signal(name: str) -> int:
    """Return the number of a signal given as `TERM`, `SIGTERM`, `sigterm` or `15`. Raises RuntError."""
    digits = name[1:] if name[:1] in ("+", "-") else name
    if digits.isascii() and digits.isdigit() and len(digits) < 10:
        number = int(name)
        if not 0 <= number <= _HIGHEST:
            raise RuntError(
                f"unable to signal init: invalid argument: signals have the numbers 0 to {_HIGHEST}, not {name}"
            )
        return number
    word = name.upper().removeprefix("SIG")
    base, sign, offset = word[:5], word[5:6], word[6:]
    if base in _REAL_TIME and sign == _REAL_TIME[base][1] and offset.isascii() and offset.isdigit():
        # As kill(1) and Docker write them: RTMIN+3 is what stops systemd.
        number = _REAL_TIME[base][0] + int(sign + offset)
        if len(offset) < 3 and _REAL_TIME["RTMIN"][0] <= number <= _HIGHEST:
            return number
    found = getattr(signals, f"SIG{word}", None)
    if not isinstance(found, int) or "_" in name:
        raise RuntError(f'unknown signal "{name}"')
    return found
