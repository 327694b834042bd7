"""The steps where the runtime and the init process wait for each other, and what is recorded in between.

The record (`store`) has every resource before it exists, so that what is left can be found and undone whichever process is
killed at whatever moment.
"""

from __future__ import annotations

import os

from runtime.kernel import mount, procfs
from runtime.kernel import process as kernel
from runtime.lifecycle.hooks import run_hooks
from runtime.state import liveness
from runtime.state.sync import PeerGoneError
from runtime.support import files, jsontext, log
from runtime.support.errors import RuntError, describe
from runtime.support.sockets import send_descriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import HookKind, State
    from runtime.state.container import Container


def make_exec_fifo(c: Container) -> None:
    """Make the named pipe at which init will wait for `start` (fifo(7)).

    runtime.md, Create: the program is not run "until triggered by the start operation". Opening one end of a named pipe
    blocks until the other is opened. Every user may write: init will be the container's user by then.
    """
    os.chmod(c.entry.dir, 0o711)  # noqa: S103 - to be passed through, not read
    os.mkfifo(c.entry.fifo, 0o622)
    os.chmod(c.entry.fifo, 0o622)  # noqa: S103 - see above
    # Only the pipe itself: from a directory of the host's that is open, a process inside could walk to the host's root.
    c.fifo_place = os.open(c.entry.fifo, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)


def keep_own_descriptors(c: Container) -> None:
    """Keep a way to `exec.fifo` for a container without a /proc: the directory of init's own descriptors (proc(5)).

    As a mount of its own it has nothing above it: from there only what init has open can be reached. Not made where the
    configuration mounts a procfs: taking a mount away costs the kernel milliseconds.
    """
    for filesystem in c.config.get("mounts", ()):
        if filesystem.get("type") == "proc" and filesystem["destination"].rstrip("/") == "/proc":
            return
    try:
        c.own_descriptors = mount.open_tree(mount.AT_FDCWD, "/proc/self/fd")
    except OSError:
        # A mount namespace that is joined may have no /proc.
        pass


def close_own_descriptors(c: Container) -> None:
    """Do without that directory where the container's own /proc leads to `exec.fifo`."""
    try:
        procfs.check()
        is_there = os.path.samestat(os.stat(f"/proc/self/fd/{c.fifo_place}"), os.fstat(c.fifo_place))
    except (OSError, RuntError):
        is_there = False
    if not hasattr(c, "own_descriptors"):
        if not is_there:
            raise RuntError("start could not reach the container: it has no procfs at /proc")
    elif is_there:
        os.close(c.own_descriptors)
        del c.own_descriptors


def journal_init(c: Container) -> None:
    """Record which process is init, before it does anything."""
    init = liveness.identify(c.init_pid)
    if init is None:
        raise RuntError("the container's init process has died at once")
    c.entry.save(init=init)


def release_init(c: Container) -> None:
    """Let init begin: it is on record, and has its user IDs."""
    c.sync.send("begin")


def wait_until_journalled(c: Container) -> None:
    """Wait for the runtime to record the pid of init, which ends if the runtime ends before."""
    c.sync.expect("begin")


def report_mounted(c: Container) -> None:
    """Tell the runtime that the container's environment is complete, and its root not entered yet."""
    c.sync.send("mounted")


def wait_until_mounted(c: Container) -> None:
    """Wait for init to have made the container's environment."""
    c.sync.expect("mounted")


def run_runtime_hooks(c: Container) -> None:
    """Run the `prestart` hooks, then the `createRuntime` hooks, in the namespaces of the runtime.

    config.md, Prestart and CreateRuntime Hooks: "after the runtime environment has been created (according to the
    configuration in config.json) but before the pivot_root or any equivalent operation has been executed".

    Their state says `created`, as crun's does: runtime.md, State, calls a container so "after step 2 in the lifecycle",
    and these are its steps 3 and 4. For every other caller it is `creating` until `create` has finished.
    """
    state = c.entry.state("created")
    hooks = c.config.get("hooks", {})
    run_hooks("prestart", hooks.get("prestart", []), state, c.entry, directory=c.bundle)
    run_hooks("createRuntime", hooks.get("createRuntime", []), state, c.entry, directory=c.bundle)


def let_init_continue(c: Container) -> None:
    """Let init enter its root."""
    c.sync.send("continue")


def wait_for_runtime_hooks(c: Container) -> None:
    """Wait until the runtime's hooks have run."""
    c.sync.expect("continue")


def run_create_container_hooks(c: Container) -> None:
    """Run the `createContainer` hooks: in the container's namespaces, by their paths on the host.

    config.md, CreateContainer Hooks: "before the pivot_root or any equivalent operation has been executed" and "after the
    createRuntime hooks".
    """
    _run_hooks_in_container(c, "createContainer", c.root_fd)


def report_ready(c: Container) -> None:
    """Tell the runtime that init is ready to execute the program, and send it the warnings to log."""
    # From here on the runtime may end before init without having failed.
    kernel.set_parent_death_signal(0)
    c.sync.send("ready", warnings=c.warnings)


def wait_until_ready(c: Container) -> None:
    """Wait for init to become ready to execute the program."""
    for warning in c.sync.expect("ready")["warnings"]:
        log.warning(warning)


def write_pid_file(c: Container) -> None:
    """Write init's pid to the file of `--pid-file`, so that it is never seen half written."""
    path = c.options.pid_file
    if not path:
        return
    directory, name = os.path.split(path)
    temporary = os.path.join(directory, f".{name}.{os.getpid()}")
    try:
        files.replace(path, str(c.init_pid).encode(), temporary)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise RuntError(f"cannot write the pid file {path}: {reason}") from None


def send_pidfd(c: Container) -> None:
    """Send a pidfd of the process to the caller (--pidfd-socket), in runc's words; pidfd_open(2), unix(7)."""
    if c.pidfd_connection is None:
        return
    pidfd = os.pidfd_open(c.init_pid)
    try:
        send_descriptor(c.pidfd_connection, pidfd, "setns" if c.is_entered else "standard")
    except OSError as error:
        raise RuntError(f"cannot send the pidfd to the pidfd socket: {describe(error)}") from None
    finally:
        os.close(pidfd)


def journal_created(c: Container) -> None:
    """Record that the container is complete: its status is `created` from now on (runtime.md, State)."""
    c.entry.save(ready=True)


def hand_over(c: Container) -> None:
    """Let init go on without the runtime."""
    c.sync.send("hand over")


def wait_until_let_go(c: Container) -> None:
    """Wait until init has closed the connection: once `create` has returned, init has nothing of the runtime's open, as with runc."""
    try:
        c.sync.expect("nothing")
    except PeerGoneError:
        pass


def wait_for_hand_over(c: Container) -> None:
    """Wait until the runtime has no more to do for init, which ends if the runtime ends before."""
    c.sync.expect("hand over")
    c.sync.close()


def wait_for_start(c: Container) -> None:
    """Wait for `start`, in an open(2) that does not return before the other end of the pipe is opened.

    runtime.md, Lifecycle, steps 5 to 7.
    """
    if hasattr(c, "own_descriptors"):
        c.fifo = os.open(str(c.fifo_place), os.O_WRONLY | os.O_CLOEXEC, dir_fd=c.own_descriptors)
        os.close(c.own_descriptors)
    else:
        c.fifo = os.open(f"/proc/self/fd/{c.fifo_place}", os.O_WRONLY | os.O_CLOEXEC)
    os.close(c.fifo_place)


def run_start_container_hooks(c: Container) -> None:
    """Run the `startContainer` hooks, which are programs of the container (config.md, StartContainer Hooks)."""
    _run_hooks_in_container(c, "startContainer", "/")


def report_failure(c: Container, step: str, message: str) -> None:
    """Tell the command that waits for this process, `create`, `exec` or `start`, why it ends, and what it would have warned of.

    What was left out may be the reason. `start` has nothing to hear of: `create` has told it.
    """
    if c.fifo is not None:
        os.write(c.fifo, jsontext.dumps({"step": step, "message": message}).encode())
    elif c.sync.fd >= 0:
        c.sync.send("error", step=step, message=message, warnings=c.warnings)


def _run_hooks_in_container(c: Container, kind: HookKind, directory: str | int) -> None:
    hooks = c.config.get("hooks", {}).get(kind, [])
    if not hooks:
        return
    # "For hooks executed in the container namespace, it is the pid as seen by the container" (runtime.md, State).
    state: State = c.entry.state("created")
    state["pid"] = os.getpid()
    umask = os.umask(c.caller_umask)
    # Until the program's environment is made: what is configured.
    environment = c.environment or dict(variable.partition("=")[::2] for variable in c.process.get("env", ()))
    run_hooks(kind, hooks, state, directory=directory, environment=environment)
    os.umask(umask)
