"""Checks on the privileges of a process: its capabilities and its seccomp mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tutor.course.checks.processes import OF, details_of
from tutor.course.checks.registry import Argument, kind
from tutor.course.checks.tally import CONTAINER, Tally, living, no_process
from tutor.observe import SECCOMP_MODES, CapabilitySet, ProcessDetails
from tutor.observe.parts import CAPABILITY_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.course.checks.context import CheckContext, Finding
    from tutor.messages import Messages

_SETS = {
    "effective": "CapEff",
    "permitted": "CapPrm",
    "inheritable": "CapInh",
    "bounding": "CapBnd",
    "ambient": "CapAmb",
}
_MOST = 6  # names to show; of more than these only the number


@kind(
    "capabilities",
    Argument("set", "word", known=tuple(_SETS)),
    Argument("has", "words", known=CAPABILITY_NAMES),
    Argument("lacks", "words", known=CAPABILITY_NAMES),
    Argument("equals", "words", known=CAPABILITY_NAMES),
    OF,
    CONTAINER,
    one_of=("has", "lacks", "equals"),
)
def capabilities(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """A capability set of the container's first process (`of: any`: of any of its processes) has, lacks, or is exactly these.

    The default is the effective set.
    """
    context = context.about(arguments.get("container"))
    words, name = context.messages, arguments.get("set", "effective")
    expected = _expected(words, arguments)
    view = living(context)
    seen = details_of(view, anyone=arguments.get("of") == "any") if view else []
    if not seen:
        return no_process(context, f"/proc/PID/status {_SETS[name]}", expected)
    chosen = next((each for each in seen if _holds(_set(each, name), arguments)), seen[0])
    found, tally = _set(chosen, name), Tally()
    path = f"/proc/{chosen.pid}/status"
    tally.add(
        _holds(found, arguments),
        f"{path} {_SETS[name]}",
        expected,
        _show(words, found),
        f"grep {_SETS[name]} {path}",
    )
    return tally.finding


def _set(details: ProcessDetails, name: str) -> CapabilitySet:
    found: CapabilitySet = getattr(details.capabilities, name)
    return found


def _holds(found: CapabilitySet, arguments: Mapping[str, Any]) -> bool:
    names = set(found.names)
    return (
        set(arguments.get("has", ())) <= names
        and not set(arguments.get("lacks", ())) & names
        and ("equals" not in arguments or names == set(arguments["equals"]))
    )


def _expected(words: Messages, arguments: Mapping[str, Any]) -> str:
    parts = []
    if "has" in arguments:
        parts.append(words("course.check.has", value=" ".join(arguments["has"])))
    if "lacks" in arguments:
        parts.append(words("course.check.lacks", value=" ".join(arguments["lacks"])))
    if "equals" in arguments:
        parts.append(" ".join(arguments["equals"]) or words("course.check.capabilities.empty"))
    return words("course.check.and").join(parts)


def _show(words: Messages, found: CapabilitySet) -> str:
    if not found.names:
        return f"{found.raw:016x} ({words('course.check.capabilities.empty')})"
    if len(found.names) > _MOST:
        return f"{found.raw:016x} ({words('course.check.capabilities.many', count=len(found.names))})"
    return f"{found.raw:016x} ({' '.join(found.names)})"


@kind("seccomp", Argument("mode", "word", required=True, known=SECCOMP_MODES), OF, CONTAINER)
def seccomp(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """The container's first process (`of: any`: any of its processes) is in this mode of seccomp, see its manual page in section 2."""
    context = context.about(arguments.get("container"))
    wanted, view = arguments["mode"], living(context)
    seen = details_of(view, anyone=arguments.get("of") == "any") if view else []
    if not seen:
        return no_process(context, "/proc/PID/status Seccomp", _mode(wanted))
    chosen = next((each for each in seen if each.seccomp == wanted), seen[0])
    path, tally = f"/proc/{chosen.pid}/status", Tally()
    command = f"grep Seccomp {path}"
    tally.add(chosen.seccomp == wanted, f"{path} Seccomp", _mode(wanted), _mode(chosen.seccomp), command)
    return tally.finding


def _mode(name: str) -> str:
    return f"{SECCOMP_MODES.index(name)} ({name})" if name in SECCOMP_MODES else name
