"""`exec`: run a further program in a container."""

from __future__ import annotations

from runtime.kernel import process as kernel
from runtime.lifecycle import interrupts
from runtime.namespaces.setns import STOPPED
from runtime.process import descriptors
from runtime.process.exec_program import program_of
from runtime.process.foreground import copy_terminal_size, relay_terminal, wait
from runtime.state.container import Container, Entering
from runtime.state.sync import PeerGoneError
from runtime.steps.exec import EXEC_INIT_STEPS, EXEC_STEPS
from runtime.steps.init import be_init, end_init
from runtime.steps.runner import Plan
from runtime.support import sockets
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.config.types import Config, Status
    from runtime.state.options import ExecOptions, RestoreOptions
    from runtime.state.store import Entry

_REFUSALS = {
    "creating": "cannot exec in a container that is still being created",
    "stopped": STOPPED,
    "paused": "cannot exec in a paused container (use --ignore-paused to override)",
}


def execute(entry: Entry, options: ExecOptions, plan: Plan | None = None) -> int:
    """Run a program in a running or created container; return its exit status (128 + N if signal N ended it).

    With `detach` return 0 as soon as it runs. Otherwise its terminal is connected to the caller's, and signals are passed on
    to it.
    Raises RuntError when it can't be executed; then nothing is left of it.
    """
    _check_status(entry.status(), ignore_paused=options.ignore_paused)
    config = entry.config()
    config["process"] = program_of(options, config)
    sub_cgroups = _sub_cgroups(options.cgroups)
    plan = plan or Plan()
    inherited_fds, listen_fds = descriptors.inherited(options.preserve_fds)
    near, far = console_sockets(options, config)
    pidfd_connection = sockets.connect(options.pidfd_socket, "pidfd socket") if options.pidfd_socket else None
    kernel.close_range_on_exec(3)
    c = Container(
        config,
        entry,
        options,
        lambda c: be_init(c, EXEC_INIT_STEPS, plan),
        inherited_fds=inherited_fds,
        listen_fds=listen_fds,
        console_connection=far,
        pidfd_connection=pidfd_connection,
        entering=Entering(sub_cgroups),
    )
    try:
        plan.run(EXEC_STEPS, c)
        interrupts.hold()
    except BaseException as error:
        interrupts.hold()
        how = end_init(c)
        c.close()
        if isinstance(error, PeerGoneError):
            raise RuntError(f"the process {how} before it was ready") from None
        raise
    c.close()
    return 0 if options.detach else _attend(c, near)


def _check_status(status: Status, *, ignore_paused: bool) -> None:
    """Raise RuntError, in runc's words, unless a process can enter a container of this status."""
    if status in _REFUSALS and not (status == "paused" and ignore_paused):
        raise RuntError(_REFUSALS[status])


def _sub_cgroups(arguments: Sequence[str]) -> dict[str, str]:
    """Return the paths of `--cgroup [CONTROLLER[,CONTROLLER]:]PATH` by their controllers, empty for all. Raises RuntError."""
    paths: dict[str, str] = {}
    for argument in arguments:
        controllers, colon, path = argument.rpartition(":")
        if not colon and len(arguments) > 1:
            raise RuntError(f"invalid --cgroup argument: {argument} (missing <controller>: prefix)")
        for controller in controllers.split(","):
            if colon and not controller:
                raise RuntError(f"invalid --cgroup argument: {argument} (empty <controller> prefix)")
            if controller in paths:
                raise RuntError(
                    f"invalid --cgroup argument(s): controller {controller} specified multiple times"
                )
            paths[controller] = path
    return paths


def console_sockets(options: ExecOptions | RestoreOptions, config: Config) -> tuple[int | None, int | None]:
    """Return the sockets through which the master of a terminal comes: the runtime's end and the other, None for none.

    Raises RuntError, in runc's words, when there is a terminal but nothing to connect it to, or the other way round.
    """
    terminal = config["process"].get("terminal", False)
    if options.console_socket and not (options.detach and terminal):
        raise RuntError("cannot use console socket if runt will not detach or allocate tty")
    if not terminal:
        return None, None
    if not options.detach:
        copy_terminal_size(config["process"])
        return sockets.pair()
    if not options.console_socket:
        raise RuntError("cannot allocate tty if runt will detach without setting console socket")
    return None, sockets.connect(options.console_socket, "console socket")


def _attend(c: Container, console_connection: int | None) -> int:
    """Stay with the process in the foreground until it ends; return its exit status."""
    interrupts.release()
    if console_connection is not None:
        relay_terminal(console_connection, c.entering.pidfd)
    return wait(c.init_pid)
