"""seccomp: a program in the kernel that decides about every system call of the container (config-linux.md, Seccomp).

`compiler` makes the program of what the configuration says, `bpf` knows its language, `numbers` what system calls are called.
Here are the steps. To set a filter one needs CAP_SYS_ADMIN or `noNewPrivileges` (seccomp(2)): without the latter it is done
while the capability is still there, with it as late as possible. What init does after it, the filter decides about too.

With the action SCMP_ACT_NOTIFY a call waits for an agent of the caller's to answer. The runtime must then be there still when
the filter is set, to pass the agent the descriptor that this brings.
"""

from __future__ import annotations

import os

from runtime.kernel import seccomp as kernel
from runtime.state.container import SeccompFilter
from runtime.support import log, sockets
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import Seccomp
    from runtime.state.container import Container

FLAGS = {
    "SECCOMP_FILTER_FLAG_LOG": kernel.FLAG_LOG,
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW": kernel.FLAG_SPEC_ALLOW,
    # For all threads: there is only this one.
    "SECCOMP_FILTER_FLAG_TSYNC": 0,
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": kernel.FLAG_WAIT_KILLABLE_RECV,
}


def compile_filter(c: Container) -> None:
    """Make the program now: if it can't be made, nothing else has been made either."""
    profile = c.linux.get("seccomp")
    if profile is None:
        return
    # Most of what it needs is only needed here.
    from runtime.seccomp.compiler import compile_profile

    flags = _flags(profile)
    if not kernel.takes_flags(flags):
        raise RuntError(
            f"linux.seccomp: this kernel has no seccomp filters with the flags {profile.get('flags', [])}"
        )
    log.debug(f"seccomp filter flags: {flags}")
    c.seccomp_filter = SeccompFilter(bytearray(compile_profile(profile)), flags)


def connect_to_agent(c: Container) -> None:
    """Connect to the agent at `listenerPath`, if there is something to notify it of."""
    if c.seccomp_filter is not None and _has_listener(c):
        path = c.linux["seccomp"]["listenerPath"]
        c.seccomp_filter.agent = sockets.connect(path, "seccomp agent specified in the seccomp profile")


def pass_listener_on(c: Container) -> None:
    """Fetch the listener's descriptor from init, and send it to the agent with the container process state.

    Init can't send it: any call that it makes may be one that waits for the agent. It only writes the descriptor's number.
    """
    agent = c.seccomp_filter.agent if c.seccomp_filter is not None else None
    if c.seccomp_filter is None or agent is None:
        return
    number = c.sync.expect("listener")["number"]
    pidfd = os.pidfd_open(c.init_pid)
    try:
        listener = kernel.get_descriptor(pidfd, number)
    except OSError as error:
        raise RuntError(f"cannot get the seccomp listener from the process: {describe(error)}") from None
    finally:
        os.close(pidfd)
    c.sync.send("listener taken")
    try:
        sockets.send_descriptor(agent, listener, _process_state(c))
    except OSError as error:
        path = c.linux["seccomp"]["listenerPath"]
        raise RuntError(f"cannot send seccomp fd to {path}: {describe(error)}") from None
    finally:
        os.close(listener)
    # "The connection MUST NOT be reused and it MUST be closed after sending a seccomp state."
    os.close(agent)
    c.seccomp_filter.agent = None


def filter_while_privileged(c: Container) -> None:
    """Without `noNewPrivileges`: set the filter before the right to do so is given up."""
    if not c.process.get("noNewPrivileges"):
        _set_filter(c)


def filter_with_listener(c: Container) -> None:
    """With `noNewPrivileges` and a listener: set the filter while the runtime is there to pass the listener on."""
    if c.process.get("noNewPrivileges") and _has_listener(c):
        _set_filter(c)


def filter_at_last(c: Container) -> None:
    """With `noNewPrivileges`: set the filter when there is hardly anything left to do that it could forbid."""
    if c.process.get("noNewPrivileges") and not _has_listener(c):
        _set_filter(c)


def _set_filter(c: Container) -> None:
    if c.seccomp_filter is None:
        return
    try:
        listener = kernel.set_filter(c.seccomp_filter.program, c.seccomp_filter.flags)
    except OSError as error:
        raise RuntError(f"error loading seccomp filter into kernel: {describe(error)}") from None
    if _has_listener(c):
        c.sync.send("listener", number=listener)
        c.sync.expect("listener taken")
        os.close(listener)


def _has_listener(c: Container) -> bool:
    return c.seccomp_filter is not None and bool(c.seccomp_filter.flags & kernel.FLAG_NEW_LISTENER)


def _flags(profile: Seccomp) -> int:
    """Return the flags for the kernel. Unless there are any, not even none, it is SPEC_ALLOW where possible, as with runc."""
    flags = 0
    if "flags" in profile:
        for name in profile["flags"]:
            flags |= FLAGS.get(name, 0)
    elif kernel.takes_flags(kernel.FLAG_SPEC_ALLOW):
        flags = kernel.FLAG_SPEC_ALLOW
    if any(rule["action"] == "SCMP_ACT_NOTIFY" for rule in profile.get("syscalls", ())):
        flags |= kernel.FLAG_NEW_LISTENER
    return flags


def _process_state(c: Container) -> str:
    """Return the container process state as JSON (config-linux.md, The Container Process State)."""
    import json

    profile = c.linux["seccomp"]
    state = c.entry.state()
    process_state = {
        "ociVersion": state["ociVersion"],
        "fds": ["seccompFd"],
        "pid": c.init_pid,
        "state": state,
    }
    if "listenerMetadata" in profile:
        process_state["metadata"] = profile["listenerMetadata"]
    return json.dumps(process_state)
