"""Scheduling of the program: its processor time, I/O priority, memory nodes; and its execution domain.

config.md, Linux Process; config-linux.md, Memory policy and Personality. All of it is set on init itself, which the
program then inherits, while init still has the capabilities for it (CAP_SYS_NICE).
"""

from __future__ import annotations

import os

from runtime.kernel import scheduling as kernel
from runtime.support.errors import RuntError, describe
from runtime.support.number_lists import parse_numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.container import Container


def set_scheduler(c: Container) -> None:
    """Set the scheduling policy and its parameters (config.md, `scheduler`; sched_setattr(2))."""
    scheduler = c.process.get("scheduler")
    if scheduler is None:
        return
    flags = sum(kernel.POLICY_FLAGS[name] for name in set(scheduler.get("flags", ())))
    try:
        kernel.sched_setattr(
            kernel.POLICIES[scheduler["policy"]],
            flags,
            scheduler.get("nice", 0),
            scheduler.get("priority", 0),
            scheduler.get("runtime", 0),
            scheduler.get("deadline", 0),
            scheduler.get("period", 0),
        )
    except OSError as error:
        reason = describe(error)
        if isinstance(error, PermissionError):
            # The kernel has one number for all of these (sched_setattr(2), sched(7)).
            processors = c.linux.get("resources", {}).get("cpu", {}).get("cpus")
            if scheduler["policy"] == "SCHED_DEADLINE" and processors:
                # In runc's words, which names a property of systemd's.
                raise RuntError(
                    "process scheduler can't be used together with AllowedCPUs: SCHED_DEADLINE needs all processors, and "
                    "linux.resources.cpu.cpus leaves some out"
                ) from None
            reason += (
                ": it needs CAP_SYS_NICE, for a real-time policy also real-time in the cgroup's budget "
                "(cpu.rt_runtime_us), for SCHED_DEADLINE all processors"
            )
        raise RuntError(f"error setting scheduler {scheduler['policy']}: {reason}") from None


def set_io_priority(c: Container) -> None:
    """Set the I/O priority of the process group (config.md, `ioPriority`; ioprio_set(2))."""
    io = c.process.get("ioPriority")
    if io is None:
        return
    try:
        kernel.ioprio_set(kernel.IO_CLASSES[io["class"]], io.get("priority", 0))
    except OSError as error:
        raise RuntError(f"failed to set io priority {io['class']}: {describe(error)}") from None


def set_personality(c: Container) -> None:
    """Set the execution domain (config-linux.md, Personality; personality(2)): LINUX32 makes uname(2) say `i686`."""
    personality = c.linux.get("personality")
    if personality is not None:
        kernel.personality(kernel.PERSONALITIES[personality["domain"]])


def set_memory_policy(c: Container) -> None:
    """Set from which memory nodes the program gets its memory (config-linux.md, Memory policy; set_mempolicy(2))."""
    policy = c.linux.get("memoryPolicy")
    if policy is None:
        return
    flags = sum(kernel.MEMORY_FLAGS[name] for name in set(policy.get("flags", ())))
    try:
        kernel.set_mempolicy(
            kernel.MEMORY_MODES[policy["mode"]] | flags, parse_numbers(policy.get("nodes", ""))
        )
    except OSError as error:
        nodes = f" with the nodes {policy['nodes']}" if "nodes" in policy else ""
        raise RuntError(f"cannot set the memory policy {policy['mode']}{nodes}: {describe(error)}") from None


def reset_affinity(_c: Container) -> None:
    """Let the program run on every processor that its cpuset allows, whatever the caller is bound to (sched_setaffinity(2)).

    As with runc since 1.3: a service bound to one processor would bind all containers that it starts. The kernel leaves
    out what the cgroup does not allow and what the machine does not have.
    """
    try:
        kernel.sched_setaffinity_all()
    except OSError:
        # A sandbox that forbids it: then the program runs where the caller may.
        pass


def set_initial_affinity(c: Container) -> None:
    """For `exec`, before the process joins the container's cgroup (config.md, `execCPUAffinity`: `initial`)."""
    _set_affinity(c.process.get("execCPUAffinity", {}).get("initial", ""))


def set_final_affinity(c: Container) -> None:
    """For `exec`, after the process has joined the container's cgroup (config.md, `execCPUAffinity`: `final`)."""
    if not c.process.get("execCPUAffinity"):
        reset_affinity(c)
        return
    _set_affinity(c.process["execCPUAffinity"].get("final", ""))


def _set_affinity(processors: str) -> None:
    if not processors:
        return
    try:
        os.sched_setaffinity(0, parse_numbers(processors))
    except OSError as error:
        raise RuntError(f"cannot run on the processors {processors}: {describe(error)}") from None
