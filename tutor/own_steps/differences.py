"""Where a learner's runtime and ours differ in what the kernel says, with the clause that it is about and a command that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tutor.messages import Messages
    from tutor.own_steps.facts import Moment

_NOTHING = "-"
_OF_COMMANDS = {
    "create": "runtime.md#create",
    "start": "runtime.md#start",
    "kill": "runtime.md#kill",
    "delete": "runtime.md#delete",
    "state": "runtime.md#query-state",
    "list": "runtime.md#query-state",
}
_CLAUSES = {
    "message": "runtime.md#errors",
    "hostname": "config.md#hostname",
    "domainname": "config.md#hostname",
    "namespaces": "config-linux.md#namespaces",
    "mounts": "config.md#mounts",
    "old_root": "config.md#root",
    "root": "config.md#root",
    "files": "config.md#root",
    "capabilities": "config.md#linux-process",
    "no_new_privs": "config.md#linux-process",
    "oom_score_adj": "config.md#linux-process",
    "rlimits": "config.md#posix-process",
    "user": "config.md#posix-platform-user",
    "umask": "config.md#posix-platform-user",
    "seccomp": "config-linux.md#seccomp",
    "cgroup": "config-linux.md#cgroups-path",
    "hooks": "config.md#posix-platform-hooks",
    "state": "runtime.md#state",
    "list": "runtime.md#query-state",
    "pid_file": "runtime.md#create",
    "left": "runtime.md#errors",
    "processes": "runtime.md#lifecycle",
    "process": "runtime.md#lifecycle",
    "ended": "runtime.md#kill",
    "printed": "runtime.md#kill",
    "host": "config-linux.md#rootfs-mount-propagation",
}
_DEFAULT_CLAUSE = "config.md#process"  # cwd, environment, program, descriptors, signals, terminal
_OF_LIMITS = {"memory": "config-linux.md#memory", "pids": "config-linux.md#pids", "cpu": "config-linux.md#cpu"}  # fmt: skip
_LINKS_IN_DEV = ("/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/ptmx")
_COMMANDS = {
    "hostname": "nsenter -t $PID -u hostname",
    "domainname": "nsenter -t $PID -u cat /proc/sys/kernel/domainname",
    "namespaces": "ls -l /proc/$PID/ns/",
    "mounts": "cat /proc/$PID/mountinfo",
    "old_root": "nsenter -t $PID -m cat /proc/self/mountinfo",
    "root": "readlink /proc/$PID/root",
    "cwd": "readlink /proc/$PID/cwd",
    "files": "ls -ld /proc/$PID/root{detail}",
    "capabilities": "grep Cap /proc/$PID/status",
    "no_new_privs": "grep NoNewPrivs /proc/$PID/status",
    "seccomp": "grep Seccomp /proc/$PID/status",
    "user": "grep -E 'Uid|Gid|Groups' /proc/$PID/status",
    "umask": "grep Umask /proc/$PID/status",
    "signals": "grep SigIgn /proc/$PID/status",
    "rlimits": "cat /proc/$PID/limits",
    "oom_score_adj": "cat /proc/$PID/oom_score_adj",
    "program": "tr '\\0' ' ' < /proc/$PID/cmdline",
    "environment": "tr '\\0' '\\n' < /proc/$PID/environ",
    "descriptors": "ls -l /proc/$PID/fd/",
    "cgroup": "cat /proc/$PID/cgroup",
    "host": "cat /proc/self/mountinfo",
    "hooks": "cat hooks.log",
    "state": "my_runtime state box",
    "list": "my_runtime list --format json",
    "left": "find /sys/fs/cgroup /run/my_runtime",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference that matters. The texts are ready to show.

    Attributes:
        aspect: what differs, in one word (`mounts`), and `detail`: which one (`/data`); for hints.
        clause: document and heading of the specification.
        looked_at: when, and what.
        expected: what ours does.
        found: what the learner's does.
        command: shows it by hand.
    """

    aspect: str
    detail: str
    clause: str
    looked_at: str
    expected: str
    found: str
    command: str

    def is_about(self, word: str) -> bool:
        """Tell whether a hint for `mounts`, or for `mounts:/data`, is meant for it."""
        return word in (self.aspect, f"{self.aspect}:{self.detail}")


def differences(theirs: Sequence[Moment], ours: Sequence[Moment], messages: Messages) -> list[Difference]:
    """Return the differences, in the order of the moments; what follows from one that was named before is left out."""
    found: list[Difference] = []
    known: set[tuple[str, str, str, str]] = set()
    for their, our in zip(theirs, ours, strict=False):
        for aspect, detail, expected, value in _differing(their, our):
            if (aspect, detail, expected, value) not in known:
                known.add((aspect, detail, expected, value))
                found.append(_named(aspect, detail, expected, value, our, messages))
        if their.alive != our.alive or their.facts.get(("exit", "")) != our.facts.get(("exit", "")):
            return found
    return found


def _differing(their: Moment, our: Moment) -> Iterator[tuple[str, str, str, str]]:
    if their.alive != our.alive:
        ended = their.facts.get(("ended", ""))
        expected, found = ("@lives" if each.alive else "@has_ended" for each in (our, their))
        yield "process", "", expected, found
        if ended is not None and not their.alive:
            yield "ended", "", our.facts.get(("ended", ""), _NOTHING), ended
        return
    old_root = their.facts.get(("old_root", "")) != our.facts.get(("old_root", ""))
    for aspect, detail in (*our.facts, *(key for key in their.facts if key not in our.facts)):
        expected, found = (each.facts.get((aspect, detail), _NOTHING) for each in (our, their))
        if expected == found or (aspect == "message" and _NOTHING in (expected, found)):
            continue  # of a message: the exit status says it
        if aspect == "mounts" and old_root:
            continue  # all those of the host
        yield aspect, detail, expected, found


def _named(
    aspect: str, detail: str, expected: str, found: str, our: Moment, messages: Messages
) -> Difference:
    words = " ".join(our.words)
    key = f"own.moment.{our.name}"
    moment = messages("own.moment.command", words=words) if words else messages(key)
    subject = messages(f"own.aspect.{aspect}", detail=detail)
    command = _COMMANDS.get(aspect, "").replace("{detail}", detail.removesuffix("/*"))
    return Difference(
        aspect=aspect,
        detail=detail,
        clause=_clause(aspect, detail, our),
        looked_at=messages("own.looked_at", moment=moment, subject=subject),
        expected=_shown(aspect, expected, messages),
        found=_shown(aspect, found, messages),
        command=command or f"my_runtime {words}".strip(),
    )


def _clause(aspect: str, detail: str, our: Moment) -> str:
    if aspect == "exit":
        return _OF_COMMANDS[our.words[0]]
    if aspect in ("left", "processes") and our.name in ("deleted", "end_of_all"):
        return "runtime.md#delete"
    if aspect == "host" and detail == "hostname":
        return _CLAUSES["hostname"]
    if aspect == "cgroup":
        return next((clause for name, clause in _OF_LIMITS.items() if f"{name}." in detail), _CLAUSES[aspect])
    if aspect == "files" and detail.startswith("/dev"):
        return "runtime-linux.md#dev-symbolic-links" if detail in _LINKS_IN_DEV else "config-linux.md#default-devices"  # fmt: skip
    if aspect == "files" and detail.startswith("/proc/"):
        return "config-linux.md#readonly-paths" if detail.startswith(("/proc/sys", "/proc/bus")) else "config-linux.md#masked-paths"  # fmt: skip
    return _CLAUSES.get(aspect, _DEFAULT_CLAUSE)


def _shown(aspect: str, value: str, messages: Messages) -> str:
    if aspect == "message" and value != _NOTHING:
        return messages("own.value.lines", count=value)
    if aspect == "exit":
        return messages("own.value.succeeds" if value == "0" else "own.value.fails")
    return " ".join(
        messages(f"own.value.{word[1:]}") if word.startswith("@") and messages.has(f"own.value.{word[1:]}") else word
        for word in value.split(" ")
    )  # fmt: skip
