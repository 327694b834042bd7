"""Checks on what the kernel says about the container: its namespaces, mounts and processes.

They read `CheckContext.snapshot`, so that a verdict and the panel beside it never disagree.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.course.checks.context import CheckContext, Finding
from tutor.course.checks.registry import Argument, kind
from tutor.observe import NAMESPACE_KINDS
from tutor.session.events import Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.observe import ContainerView, Process


def _container(context: CheckContext) -> ContainerView | None:
    view = context.snapshot.container if context.snapshot else None
    return view if view and view.alive else None


def _no_process(context: CheckContext, looked_at: str, expected: str) -> Finding:
    found = context.messages("course.check.kernel.no_process")
    return Finding(False, (Evidence(looked_at, expected, found, context.state_command),))


@kind(
    "namespaces",
    Argument("own", "words", known=NAMESPACE_KINDS),
    Argument("shared", "words", known=NAMESPACE_KINDS),
    one_of=("own", "shared"),
)
def namespaces(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """The container's process has these namespaces of its own, and shares those with the place where the runtime runs."""
    words, view = context.messages, _container(context)
    wanted = [(name, False) for name in arguments.get("own", ())]
    wanted += [(name, True) for name in arguments.get("shared", ())]
    evidence, passed = [], True
    for name, shared in wanted:
        expected = words("course.check.namespaces.shared" if shared else "course.check.namespaces.own")
        if view is None:
            return _no_process(context, f"/proc/PID/ns/{name}", expected)
        seen = view.namespace(name)
        path = f"/proc/{view.pid}/ns/{name}"
        if seen is None or not seen.known:
            found = words("course.check.namespaces.unknown", reason=seen.reason if seen else "")
        else:
            key = "course.check.namespaces.shared" if seen.shared else "course.check.namespaces.own"
            found = f"{words(key)} ({name}:[{seen.inode}])"
        passed = passed and seen is not None and seen.known and seen.shared == shared
        # One command for all of them, which is shown once: seven pairs of lines would be read by nobody.
        names = "*" if len(wanted) > 1 else name
        command = f"readlink /proc/{view.pid}/ns/{names} /proc/self/ns/{names}"
        evidence.append(Evidence(path, expected, found, command))
    return Finding(passed, tuple(evidence))


@kind(
    "mount",
    Argument("target", "text", required=True),
    Argument("type", "text"),
    Argument("absent", "boolean"),
)
def mount(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """In the container something (of this filesystem type) is mounted at a target, or nothing is (`absent`)."""
    words, view, target = context.messages, _container(context), arguments["target"]
    absent, fstype = arguments.get("absent", False), arguments.get("type")
    expected = words("course.check.mount.absent" if absent else "course.check.mount.present")
    if fstype and not absent:
        expected = words("course.check.mount.of_type", type=fstype)
    if view is None:
        return _no_process(context, f"/proc/PID/mountinfo {target}", expected)
    here = [each for each in view.mounts if each.target == target]
    top = here[-1] if here else None
    found = words("course.check.mount.absent")
    if top:
        found = f"{top.fstype} ({','.join(top.options)})"
    matches = top is not None and fstype in (None, top.fstype)
    path = f"/proc/{view.pid}/mountinfo"
    evidence = Evidence(f"{path} {target}", expected, found, f"grep ' {target} ' {path}")
    return Finding(matches != absent, (evidence,))


@kind(
    "process",
    Argument("runs", "texts"),
    Argument("runs_not", "texts"),
    Argument("waits_for", "text"),
    one_of=("runs", "runs_not", "waits_for"),
)
def process(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """The container's first process runs this program with these arguments, does not, or waits for this file.

    `runs` compares as many words of its command line as are given; the first by its last path component.
    """
    words, view = context.messages, _container(context)
    init = view.process(view.pid) if view else None
    if view is None or init is None:
        return _no_process(context, "/proc/PID/cmdline", _expected(context, arguments))
    evidence, passed = [], True
    path = f"/proc/{view.pid}/cmdline"
    command = f"tr '\\0' ' ' < {path}"
    found = " ".join(init.cmdline) or init.comm
    if "runs" in arguments:
        passed = passed and _runs(init, arguments["runs"])
        evidence.append(Evidence(path, " ".join(arguments["runs"]), found, command))
    if "runs_not" in arguments:
        passed = passed and not _runs(init, arguments["runs_not"])
        program = " ".join(arguments["runs_not"])
        evidence.append(
            Evidence(path, words("course.check.process.not_yet", program=program), found, command)
        )
    if "waits_for" in arguments:
        waits, seen = _waits(init, arguments["waits_for"])
        passed = passed and waits
        expected = words("course.check.process.waits_for", file=arguments["waits_for"])
        seen = seen or words("course.check.process.waits_not")
        evidence.append(
            Evidence(
                f"/proc/{init.pid}/syscall",
                expected,
                seen,
                f"ls -l /proc/{init.pid}/fd; cat /proc/{init.pid}/syscall",
            )
        )
    return Finding(passed, tuple(evidence))


def _expected(context: CheckContext, arguments: Mapping[str, Any]) -> str:
    words, parts = context.messages, []
    if "runs" in arguments:
        parts.append(" ".join(arguments["runs"]))
    if "runs_not" in arguments:
        parts.append(words("course.check.process.not_yet", program=" ".join(arguments["runs_not"])))
    if "waits_for" in arguments:
        parts.append(words("course.check.process.waits_for", file=arguments["waits_for"]))
    return words("course.check.and").join(parts)


def _runs(init: Process, words: tuple[str, ...]) -> bool:
    program = [Path(each).name if number == 0 else each for number, each in enumerate(init.cmdline)]
    return tuple(program[: len(words)]) == words


def _waits(init: Process, name: str) -> tuple[bool, str]:
    """Tell whether a process is blocked on a file of this name, and on what it is blocked.

    runc and runt block in the open of the exec fifo itself; crun holds it open already and waits in select(2), so that
    the wait names no path and the open descriptors tell.
    """
    wait = init.waits_for
    if wait is None:
        return False, ""
    if wait.path and Path(wait.path).name == name:
        return True, wait.summary
    held = _open_file(init.pid, name)
    return bool(held), f"{wait.summary}, {held}" if held else wait.summary


def _open_file(pid: int, name: str) -> str:
    try:
        for each in Path(f"/proc/{pid}/fd").iterdir():
            target = each.readlink()
            if target.name == name:
                return f"fd {each.name} → {target}"
    except OSError:
        return ""
    return ""
