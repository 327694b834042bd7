"""Hooks: programs of the caller, run at six points of a container's lifecycle (config.md, POSIX-platform Hooks).

Each is a process group of its own, with the container's state as JSON on its standard input. A hook in the runtime's
namespaces is journalled before its program starts: if the runtime is killed while it waits for a hook, `delete --force`
still finds and ends it. Hooks inside the container end with the container.
"""

from __future__ import annotations

import errno
import os
import select
import time

from runtime.lifecycle import interrupts
from runtime.state import liveness
from runtime.support import jsontext, log, signals
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from io import FileIO
    from os import waitid_result
    from typing import NoReturn

    from runtime.config.types import Hook, HookKind, State
    from runtime.state.store import Entry

_OUTPUT_LIMIT = 1024
"""How much of a hook's output is kept for the error message, in bytes."""


def run_hooks(
    kind: HookKind,
    hooks: Sequence[Hook],
    state: State,
    entry: Entry | None = None,
    *,
    directory: str | int,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run `hooks`, which are of one `kind`, in their order, each with `state` on its standard input.

    `entry` is where a hook in the runtime's namespaces is journalled; `directory`, a path or a descriptor, is where hooks
    run. A hook without `env` gets `environment`: in the container that of the program, as with runc, so that nothing of the
    host's environment comes in. None stands for that of this process.
    Raises RuntError for the first hook that can't be run, fails, or takes longer than its `timeout`; the others are
    not run. The message has the kind, the hook's path, its exit status and its output.
    """
    text = jsontext.dumps(state).encode()
    for index, hook in enumerate(hooks):
        if entry is not None:
            # Inside the container there is no log any more.
            log.debug(f'running {kind} hook #{index} "{hook["path"]}"')
        problem = _run(hook, text, entry, directory, os.environ if environment is None else environment)
        if problem:
            raise RuntError(f'error running {kind} hook #{index}: "{hook["path"]}": {problem}')


def run_poststop(hooks: Sequence[Hook], state: State, entry: Entry | None = None, *, directory: str) -> None:
    """Run the `poststop` hooks: one that fails is a warning, and the next is run all the same (runtime.md, step 13).

    They run in the root where the bundle, `directory`, is gone already.
    """
    directory = directory if os.path.isdir(directory) else "/"
    for hook in hooks:
        try:
            run_hooks("poststop", [hook], state, entry, directory=directory)
        except RuntError as error:
            log.warning(error.message)


def _run(
    hook: Hook, state: bytes, entry: Entry | None, directory: str | int, environment: Mapping[str, str]
) -> str:
    """Run one hook to its end; return what went wrong, or an empty string."""
    state_read, state_write = os.pipe2(os.O_CLOEXEC)
    output_read, output_write = os.pipe2(os.O_CLOEXEC)
    gate_read, gate_write = os.pipe2(os.O_CLOEXEC)
    failure_read, failure_write = os.pipe2(os.O_CLOEXEC)
    interrupts.hold()
    pid = os.fork()
    if pid == 0:
        os.close(gate_write)
        if "env" in hook:
            environment = dict(variable.partition("=")[::2] for variable in hook["env"])
        _become(hook, directory, environment, state_read, output_write, gate_read, failure_write)
    for fd in (state_read, output_write, gate_read, failure_write):
        os.close(fd)
    pidfd = os.pidfd_open(pid)
    with open(state_write, "wb", buffering=0) as stdin:
        try:
            os.setpgid(pid, pid)
            interrupts.release()
            if entry is not None:
                entry.save(hook=liveness.identify(pid))
            os.write(gate_write, b"1")
            exec_error = os.read(failure_read, 16)
            if exec_error:
                return os.strerror(int(exec_error)).lower()
            return _converse(pid, pidfd, hook.get("timeout"), state, stdin, output_read)
        except BaseException:
            os.killpg(pid, signals.SIGKILL)
            raise
        finally:
            for fd in (gate_write, failure_read, output_read, pidfd):
                os.close(fd)
            os.waitpid(pid, 0)
            if entry is not None:
                entry.save(hook=None)


def _become(
    hook: Hook,
    directory: str | int,
    environment: Mapping[str, str],
    state_read: int,
    output_write: int,
    gate_read: int,
    failure_write: int,
) -> NoReturn:
    """In the child: become the hook's program, once the parent has recorded this process."""
    try:
        # The end of file means that the parent has ended: then this process is on no record, and must not begin.
        if os.read(gate_read, 1) != b"1":
            os._exit(1)
        interrupts.release()
        os.dup2(state_read, 0)
        os.dup2(output_write, 1)
        os.dup2(output_write, 2)
        # Python ignores these two, and what is ignored stays so across exec.
        signals.signal(signals.SIGPIPE, signals.SIG_DFL)
        signals.signal(signals.SIGXFSZ, signals.SIG_DFL)
        os.chdir(directory)
        os.execve(hook["path"], hook.get("args") or [hook["path"]], environment)
    except OSError as error:
        os.write(failure_write, b"%d" % (error.errno or errno.EINVAL))
    except ValueError:
        # Python refuses an empty args[0].
        os.write(failure_write, b"%d" % errno.EINVAL)
    finally:
        os._exit(127)


def _converse(
    pid: int, pidfd: int, timeout: int | None, state: bytes, stdin: FileIO, output_read: int
) -> str:
    """Write the state to the hook, read its output, wait for its end; return what went wrong.

    It returns when the hook's process ends, also if a background process of the hook still has its output open.
    A hook that takes longer than `timeout` seconds is killed with its process group. Nothing is reaped here.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    output = bytearray()
    poll = select.poll()
    for fd, event in ((pidfd, select.POLLIN), (output_read, select.POLLIN), (stdin.fileno(), select.POLLOUT)):
        os.set_blocking(fd, False)
        poll.register(fd, event)
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
        ready = {fd for fd, _ in poll.poll(left)}
        if not stdin.closed and stdin.fileno() in ready:
            state = _feed(stdin, state)
            if not state:
                poll.unregister(stdin)
                stdin.close()
        if output_read in ready and not _collect(output_read, output):
            poll.unregister(output_read)
        if pidfd in ready:
            _collect(output_read, output)
            ended = os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOWAIT)
            return _explain(ended, output) if ended else ""
        if not ready:
            os.killpg(pid, signals.SIGKILL)
            return f"not finished after {timeout} second{'' if timeout == 1 else 's'} (timeout), killed"


def _feed(stdin: FileIO, data: bytes) -> bytes:
    """Write as much as the pipe takes; return the rest, nothing if the other end is closed."""
    try:
        return data[stdin.write(data) or 0 :]
    except BrokenPipeError:
        return b""


def _collect(fd: int, output: bytearray) -> bool:
    """Read what the pipe has, keep the beginning; return whether more can come."""
    while True:
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return True
        if not data:
            return False
        output += data[: max(0, _OUTPUT_LIMIT - len(output))]


def _explain(ended: waitid_result, output: bytearray) -> str:
    """Return why a hook failed, with its output; an empty string for success."""
    if ended.si_code == os.CLD_EXITED:
        if ended.si_status == 0:
            return ""
        reason = f"exit status {ended.si_status}"
    else:
        reason = f"signal: {(signals.strsignal(ended.si_status) or 'unknown').lower()} ({ended.si_status})"
    words = " ".join(output.decode("utf-8", "replace").split())
    # The message may be printed to a terminal.
    said = "".join(character if character.isprintable() else "?" for character in words)
    return f"{reason}: {said}" if said else reason
