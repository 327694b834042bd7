"""The steps of seccomp: a BPF program filters the system calls of the container (config-linux.md, Seccomp).

`compiler` makes the program from the configuration, `bpf` has its instructions, `numbers` those of the system calls.
Setting a filter takes CAP_SYS_ADMIN or `noNewPrivileges` (seccomp(2)). Without the latter it is set while init still has the
capability, with it as late as possible: the filter applies to what init does afterwards.

With the action SCMP_ACT_NOTIFY a call waits for the answer of an agent of the caller. The filter is then set while the
runtime still runs, which passes the listener's descriptor to the agent.
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
    """Make the program before anything is acquired, so that an error needs no cleaning up."""
    profile = c.linux.get("seccomp")
    if profile is None:
        return
    # The imports of the compiler are needed only here.
    from runtime.seccomp.compiler import compile_profile

    flags = _flags(profile)
    if not kernel.takes_flags(flags):
        raise RuntError(
            f"linux.seccomp: this kernel has no seccomp filters with the flags {profile.get('flags', [])}"
        )
    log.debug(f"seccomp filter flags: {flags}")
    c.seccomp_filter = SeccompFilter(
        bytearray(compile_profile(profile, strict=c.refuses_unknown_calls)), flags
    )


def connect_to_agent(c: Container) -> None:
    """Connect to the agent at `listenerPath`, if a rule notifies it."""
    if c.seccomp_filter is not None and _has_listener(c):
        path = c.linux["seccomp"]["listenerPath"]
        c.seccomp_filter.agent = sockets.connect(path, "seccomp agent specified in the seccomp profile")


def pass_listener_on(c: Container) -> None:
    """Fetch the listener's descriptor from init, and send it to the agent with the container process state.

    Init can't send it: any system call may be one that waits for the agent. It only writes the descriptor's number.
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
    """Without `noNewPrivileges`: set the filter before the capability for it is dropped."""
    if not c.process.get("noNewPrivileges"):
        _set_filter(c)


def filter_with_listener(c: Container) -> None:
    """With `noNewPrivileges` and a listener: set the filter while the runtime still runs, which passes the listener on."""
    if c.process.get("noNewPrivileges") and _has_listener(c):
        _set_filter(c)


def filter_at_last(c: Container) -> None:
    """With `noNewPrivileges`: set the filter when few system calls are left that it could forbid."""
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
    """Return the flags for the kernel. Without `flags` it is SPEC_ALLOW where possible, as with runc."""
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
