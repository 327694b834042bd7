"""Rules of a seccomp profile that contradict each other: the same conditions, and another action (seccomp_rule_add(3), EEXIST)."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, NamedTuple

from tutor.configfile.relations.model import Relation, number, strings, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tutor.configfile.document import JsonValue

_CLAUSE = "config-linux.md#seccomp"
_EQUAL, _MASKED = "SCMP_CMP_EQ", "SCMP_CMP_MASKED_EQ"
_KILL = ("SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD")

SOCKET_CALLS = (
    "socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt "
    "getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg"
)
IPC_CALLS = {
    "semop": 1, "semget": 2, "semctl": 3, "semtimedop": 4, "msgsnd": 11, "msgrcv": 12, "msgget": 13, "msgctl": 14,
    "shmat": 21, "shmdt": 22, "shmget": 23, "shmctl": 24,
}  # fmt: skip
"""The calls that 32-bit x86 makes through socketcall(2), in the order of their numbers from 1, and through ipc(2)."""

_THROUGH = {
    **{name: ("socketcall", which) for which, name in enumerate(SOCKET_CALLS.split(), 1)},
    **{name: ("ipc", which) for name, which in IPC_CALLS.items()},
}

# The index of an argument, the operator, the value, and the mask, in the order of the indexes; all must hold.
Conditions = tuple[tuple[int, str, int, int], ...]


class _Way(NamedTuple):
    """A way in which a rule is asked: the system call, `bits` of its arguments, and the sets of conditions of which one must hold."""

    call: str
    bits: int
    alternatives: list[Conditions]


def contradictions(
    profile: Mapping[str, JsonValue], rules: list[tuple[str, dict[str, JsonValue]]]
) -> Iterator[Relation]:
    """Yield each rule that no filter can have together with one before it.

    A call without conditions counts more than one with them, and what comes behind it can't contradict anything.
    """
    default = _action(text(profile, "defaultAction"), profile.get("defaultErrnoRet"))
    x86 = "SCMP_ARCH_X86" in strings(profile, "architectures") and os.uname().machine == "x86_64"
    decided: dict[tuple[str, int], dict[Conditions, tuple[tuple[str, int], str]]] = {}
    for pointer, rule in rules:
        action = _action(text(rule, "action"), rule.get("errnoRet"))
        arguments = _arguments(rule)
        if action == default or arguments is None:
            continue
        for name in filter(None, strings(rule, "names")):
            contradicted = [
                (way.call, before)
                for way in _ways(name, arguments, x86=x86)
                if (before := _decide(decided.setdefault((way.call, way.bits), {}), way, action, pointer))
            ]
            if contradicted:
                call, before = contradicted[0]
                values: dict[str, str | int] = {
                    "name": name,
                    "other": before.rpartition("/")[2],
                    "call": call,
                }
                key = "rules_contradict" if call == name else "rules_contradict_x86"
                yield Relation(pointer, key, _CLAUSE, values)
                break


def _decide(
    decided: dict[Conditions, tuple[tuple[str, int], str]], way: _Way, action: tuple[str, int], pointer: str
) -> str:
    """Take the rule, unless there is one with its conditions; return the pointer of that, if its action is another."""
    for conditions in way.alternatives:
        if () in decided and conditions:
            continue
        before, where = decided.setdefault(conditions, (action, pointer))
        if before != action and conditions:
            return where
    return ""


def _ways(name: str, arguments: list[dict[str, JsonValue]], *, x86: bool) -> Iterator[_Way]:
    if name not in ("socketcall", "ipc"):  # those of 32-bit machines
        yield _Way(name, 64, _alternatives(arguments, 64))
    if not x86:
        return
    yield _Way(name, 32, _alternatives(arguments, 32))
    if name in _THROUGH:
        # The first argument is the number of the call; those of the call itself are in memory, where no filter looks.
        call, which = _THROUGH[name]
        rest = [tuple(each for each in conditions if each[0]) for conditions in _alternatives(arguments, 32)]
        yield _Way(call, 32, [((0, _EQUAL, which, 0), *conditions) for conditions in rest])


def _action(name: str, errno_ret: JsonValue) -> tuple[str, int]:
    """Return what two rules must have in common to have the same action."""
    if name in ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE"):
        return name, errno_ret if isinstance(errno_ret, int) else errno.EPERM
    return _KILL[0] if name in _KILL else name, 0


def _arguments(rule: Mapping[str, JsonValue]) -> list[dict[str, JsonValue]] | None:
    """Return the conditions of a rule; None if one is not even an object, which is told elsewhere."""
    found = rule.get("args") or []
    if not isinstance(found, list):
        return None
    objects = [each for each in found if isinstance(each, dict)]
    return objects if len(objects) == len(found) else None


def _alternatives(arguments: list[dict[str, JsonValue]], bits: int) -> list[Conditions]:
    """Return the conditions as runc reads them: each by itself, if two ask for the same argument; else all at once."""
    found = sorted((_condition(each) for each in arguments), key=lambda condition: condition[0])
    whole = [each for each in found if each[1] != _MASKED or each[3] & ((1 << bits) - 1)]
    if len({index for index, *_ in found}) < len(found):
        return [(each,) if each in whole else () for each in found]
    return [tuple(whole)]


def _condition(argument: Mapping[str, JsonValue]) -> tuple[int, str, int, int]:
    operator, value, mask = text(argument, "op"), number(argument, "value"), 0
    if operator == _MASKED:
        mask, value = value, number(argument, "valueTwo") & value
    return number(argument, "index"), operator, value, mask
