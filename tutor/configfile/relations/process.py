"""Conditions on the version, the names and the process (config.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.configfile.relations.model import Relation, number, outside, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.configfile.document import Document

_LONGEST_NAME = 64  # bytes: uname(2)
_REAL_TIME = ("SCHED_FIFO", "SCHED_RR")
_LINUX_PROCESS = "config.md#linux-process"
_SHORTEST_RUNTIME = 1024  # nanoseconds: the kernel's own, of sched_setattr(2)
_LARGEST_SIDE = 0xFFFF  # of a terminal: ioctl_tty(2)


def _version(document: Document) -> Iterator[Relation]:
    version = text(document.object_at(""), "ociVersion")
    major, dot, _ = version.partition(".")
    if dot and major.isdigit() and major != "1":
        yield Relation("/ociVersion", "other_version", "config.md#specification-version", {"found": version})


def _names(document: Document) -> Iterator[Relation]:
    for name in ("hostname", "domainname"):
        length = len(text(document.object_at(""), name).encode(errors="replace"))
        if length > _LONGEST_NAME:
            values: dict[str, str | int] = {"found": length, "maximum": _LONGEST_NAME}
            yield Relation(f"/{name}", "too_long", f"config.md#{name}", values)


def _terminal(document: Document) -> Iterator[Relation]:
    if document.at("/process/terminal") is not True:
        return  # then the size is ignored
    size = document.object_at("/process/consoleSize")
    for side in size:
        wrong = outside(
            f"/process/consoleSize/{side}", number(size, side), 0, _LARGEST_SIDE, "config.md#process"
        )
        if wrong and side in ("height", "width"):
            yield wrong


def _scheduler(document: Document) -> Iterator[Relation]:
    scheduler = document.object_at("/process/scheduler")
    policy, priority = text(scheduler, "policy"), number(scheduler, "priority")
    if policy == "SCHED_ISO":
        yield Relation("/process/scheduler/policy", "no_such_policy", _LINUX_PROCESS, {"found": policy})
    elif policy in _REAL_TIME:
        wrong = outside("/process/scheduler/priority", priority, 1, 99, _LINUX_PROCESS)
        if wrong:
            yield wrong
    elif policy and priority:
        yield _of_another_policy("priority", policy, " / ".join(_REAL_TIME))
    runtime, deadline = number(scheduler, "runtime"), number(scheduler, "deadline")
    period = number(scheduler, "period") or deadline
    if policy == "SCHED_DEADLINE" and not _SHORTEST_RUNTIME <= runtime <= deadline <= period < 1 << 63:
        yield Relation(
            "/process/scheduler/runtime", "deadline_order", _LINUX_PROCESS, {"minimum": _SHORTEST_RUNTIME}
        )
    for name in ("runtime", "deadline", "period"):
        if policy not in ("", "SCHED_DEADLINE") and number(scheduler, name):
            yield _of_another_policy(name, policy, "SCHED_DEADLINE")


def _of_another_policy(name: str, policy: str, wanted: str) -> Relation:
    values: dict[str, str | int] = {"name": name, "policy": policy, "wanted": wanted}
    return Relation(f"/process/scheduler/{name}", "of_another_policy", _LINUX_PROCESS, values)


LOOKS = (_version, _names, _terminal, _scheduler)
