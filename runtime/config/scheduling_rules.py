"""The rules between the members for scheduling, which the kernel would otherwise refuse later.

sched_setattr(2), set_mempolicy(2); runc has the same rules (libcontainer/configs/validate).
"""

from __future__ import annotations

from runtime.config.shape import Mismatch, found
from runtime.support.number_lists import parse_numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.document import Place
    from runtime.config.types import Config, ProcessConfig, Scheduler

_REAL_TIME = ("SCHED_FIFO", "SCHED_RR")
_SHORTEST_RUNTIME = 1024
"""Nanoseconds, sched(7): the least that SCHED_DEADLINE takes for each of its times."""
_LONGEST = (1 << 63) - 1
"""Nanoseconds, sched(7)."""
_NO_NODES = ("MPOL_DEFAULT", "MPOL_LOCAL")
_SOME_NODES = ("MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE", "MPOL_PREFERRED_MANY")


def check_scheduler(process: ProcessConfig, place: Place) -> None:
    """`process.scheduler`: parameters that its policy has (config.md, Linux Process)."""
    scheduler = process.get("scheduler")
    if scheduler is None:
        return
    place, policy = (*place, "scheduler"), scheduler["policy"]
    if policy == "SCHED_ISO":
        raise Mismatch((*place, "policy"), ": Linux has reserved SCHED_ISO and has no such policy (sched(7))")
    if policy not in _REAL_TIME and scheduler.get("priority"):
        raise Mismatch(
            (*place, "priority"), f" can only be specified for SCHED_FIFO or SCHED_RR, not for {policy}"
        )
    if policy in _REAL_TIME and not 1 <= scheduler.get("priority", 0) <= 99:
        raise Mismatch(
            (*place, "priority"),
            f": expected a number from 1 to 99 for {policy}, found {scheduler.get('priority', 0)}",
        )
    times = (
        ("runtime", scheduler.get("runtime")),
        ("deadline", scheduler.get("deadline")),
        ("period", scheduler.get("period")),
    )
    for member, time in times:
        if time and policy != "SCHED_DEADLINE":
            raise Mismatch((*place, member), f" can only be specified for SCHED_DEADLINE, not for {policy}")
    # With this flag the kernel keeps the times of the calling process.
    if policy == "SCHED_DEADLINE" and "SCHED_FLAG_KEEP_PARAMS" not in scheduler.get("flags", ()):
        _check_deadline(scheduler, place)


def _check_deadline(scheduler: Scheduler, place: Place) -> None:
    """The times of SCHED_DEADLINE, for which the kernel has one number, EINVAL (sched(7)). A period of 0 is the deadline."""
    for member in ("runtime", "deadline"):
        if member not in scheduler:
            raise Mismatch((*place, member), " is required for SCHED_DEADLINE, but missing")
    runtime, deadline = scheduler["runtime"], scheduler["deadline"]
    period = scheduler.get("period") or deadline
    if runtime < _SHORTEST_RUNTIME:
        expected = f": expected at least {_SHORTEST_RUNTIME} nanoseconds for SCHED_DEADLINE, found {runtime}"
        raise Mismatch((*place, "runtime"), expected)
    if runtime > deadline:
        raise Mismatch((*place, "deadline"), f": expected at least the runtime, {runtime}, found {deadline}")
    if deadline > period:
        raise Mismatch((*place, "period"), f": expected at least the deadline, {deadline}, found {period}")
    if period > _LONGEST:
        member = "period" if scheduler.get("period") else "deadline"
        raise Mismatch((*place, member), f": expected at most {_LONGEST} nanoseconds, found {period}")


def check_affinity(process: ProcessConfig, place: Place) -> None:
    """`process.execCPUAffinity`: lists of processors (config.md, Linux Process)."""
    affinity = process.get("execCPUAffinity", {})
    for member, processors in (
        ("initial", affinity.get("initial", "")),
        ("final", affinity.get("final", "")),
    ):
        _check_numbers(processors, (*place, "execCPUAffinity", member))


def check_memory_policy(config: Config) -> None:
    """`linux.memoryPolicy`: nodes if and only if the mode needs some (config-linux.md, Memory policy)."""
    policy = config["linux"].get("memoryPolicy")
    if policy is None:
        return
    place: Place = ("linux", "memoryPolicy", "nodes")
    count = _check_numbers(policy.get("nodes", ""), place, "invalid memory policy node: ")
    if policy["mode"] in _NO_NODES and count:
        raise Mismatch(place, f": {policy['mode']}: memory policy mode requires 0 nodes but got {count}")
    if policy["mode"] in _SOME_NODES and not count:
        raise Mismatch(place, f": {policy['mode']}: memory policy mode requires at least one node but got 0")


def check_personality(config: Config) -> None:
    """`linux.personality`: "Currently no flag values are supported" (config-linux.md, Personality)."""
    flags = config["linux"].get("personality", {}).get("flags")
    if flags:
        raise Mismatch(
            ("linux", "personality", "flags", 0), f": no flags are defined for it, found {found(flags[0])}"
        )


def _check_numbers(text: str, place: Place, invalid: str = "") -> int:
    """Return how many numbers a list has. Raises Mismatch, whose reason begins with `invalid`."""
    try:
        return len(parse_numbers(text))
    except ValueError as error:
        raise Mismatch(place, f": {invalid}{error}") from None


SCHEDULING_RULES = (check_memory_policy, check_personality)
