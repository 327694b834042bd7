"""Compiling `linux.seccomp` of the configuration to the program that the kernel runs before every system call.

Where config-linux.md does not define the meaning of a profile, it is that of runc, which uses libseccomp:

- The container's own architecture is always filtered, whether or not it is listed. A call by an architecture that is not
  listed ends the thread.
- A rule whose action is the default one, or whose name this machine doesn't know, is as if it weren't there.
- Of several rules for one call, one without conditions takes precedence over those with, and then the first one.
  Of those with conditions the more specific ones are tested first: equality, then "less than", then "greater than".
- One rule's conditions must all be true, except two for the same argument: they count as several rules.
- A call that is newer than all the calls the profile names fails with ENOSYS, as if the kernel were too old for it, unless
  the default allows calls. The C library then tries an older call; with EPERM it would fail.
"""

from __future__ import annotations

import errno
import os

from runtime.seccomp import bpf
from runtime.seccomp.numbers import X32_BIT, numbers_of, parse
from runtime.support import log
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.config.types import Seccomp, SeccompArgument, SeccompRule
    from runtime.seccomp.bpf import Code, Segment

    Condition = tuple[int, str, int, int]
    """An argument's index, an operator, a value and a mask."""
    Conditions = tuple[Condition, ...]

_ALLOW = 0x7FFF0000
_LOG = 0x7FFC0000
_TRACE = 0x7FF00000
_NOTIFY = 0x7FC00000
_ERRNO = 0x00050000
_TRAP = 0x00030000
_KILL_THREAD = 0x00000000
_KILL_PROCESS = 0x80000000

_ACTIONS = {
    "SCMP_ACT_ALLOW": _ALLOW,
    "SCMP_ACT_LOG": _LOG,
    "SCMP_ACT_TRACE": _TRACE,
    "SCMP_ACT_NOTIFY": _NOTIFY,
    "SCMP_ACT_ERRNO": _ERRNO,
    "SCMP_ACT_TRAP": _TRAP,
    "SCMP_ACT_KILL": _KILL_THREAD,
    "SCMP_ACT_KILL_THREAD": _KILL_THREAD,
    "SCMP_ACT_KILL_PROCESS": _KILL_PROCESS,
}
"""What the program returns (linux/seccomp.h, SECCOMP_RET_*); an errno is added in the lower half."""
_WITH_ERRNO = ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE")
_PERMISSIVE = ("SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE")

_ARCHITECTURES = {
    "SCMP_ARCH_X86_64": (0xC000003E, 64),
    "SCMP_ARCH_X86": (0x40000003, 32),
    "SCMP_ARCH_AARCH64": (0xC00000B7, 64),
    "SCMP_ARCH_ARM": (0x40000028, 32),
    "SCMP_ARCH_RISCV64": (0xC00000F3, 64),
}
"""AUDIT_ARCH_* of linux/audit.h, and the bits of an argument."""
_MACHINES = {
    "x86_64": ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86"),
    "aarch64": ("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"),
    "riscv64": ("SCMP_ARCH_RISCV64",),
}
"""The architectures whose programs a machine can run: its own, then others. Rules for any other have no effect there."""

_ELSEWHERE = (
    "cachectl multiplexer rtas s390_guarded_storage s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr s390_sthyi "
    "spu_create spu_run subpage_prot swapcontext switch_endian sync_file_range2 sys_debug_setcontext syscall sysmips timerfd"
)
"""The names that libseccomp 2.5.4 knows of other architectures alone: they are no mistakes."""

# The first arguments of the one system call for all of them (linux/net.h and linux/ipc.h; socketcall(2), ipc(2)).
_SOCKET_CALLS = (
    "1 socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt "
    "getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg"
)
_IPC_CALLS = "1 semop semget semctl semtimedop 11 msgsnd msgrcv msgget msgctl 21 shmat shmdt shmget shmctl"

# The order in which conditions are tested, as in libseccomp.
_RANKS = {"SCMP_CMP_GE": 1, "SCMP_CMP_GT": 1, "SCMP_CMP_LE": 2, "SCMP_CMP_LT": 2}


def compile_profile(profile: Seccomp, machine: str = "", *, strict: bool = False) -> bytes:
    """Return the program for a profile that `config.load` has checked, for this machine or a named one.

    With `strict`, a name that is not that of a system call of any architecture is an error; otherwise it is ignored.
    Raises RuntError.
    """
    machine = machine or os.uname().machine
    if machine not in _MACHINES:
        raise RuntError(f"seccomp: runt does not know the system call numbers of {machine} machines")
    listed = profile.get("architectures", ())
    native, *others = _MACHINES[machine]
    architectures = [native, *(other for other in others if other in listed)]
    known: set[str] = set()
    code = [bpf.load(bpf.ARCHITECTURE)]
    for architecture in architectures:
        number, bits = _ARCHITECTURES[architecture]
        segments = _segments(_Table(profile, architecture, bits, known))
        if architecture == "SCMP_ARCH_X86_64":
            x32 = _Table(profile, "SCMP_ARCH_X32", 32, known) if "SCMP_ARCH_X32" in listed else None
            segments = _with_x32(segments, x32, profile)
        code += bpf.for_architecture(number, [bpf.load(bpf.NUMBER), *bpf.search(segments)])
    code.append(bpf.answer(_KILL_THREAD))
    if len(code) > bpf.LONGEST:
        raise RuntError(
            f"linux.seccomp: the filter has {len(code)} instructions, the kernel takes {bpf.LONGEST}"
        )
    if strict:
        _refuse_unknown(
            profile, known.union(_ELSEWHERE.split(), *map(numbers_of, (*_ARCHITECTURES, "SCMP_ARCH_X32")))
        )
    _tell_unknown(profile, known)
    return bpf.assemble(code)


def _action(name: str, number: int | None) -> int:
    """Return the program's return value for an action."""
    if name in _WITH_ERRNO:
        return _ACTIONS[name] | (errno.EPERM if number is None else number)
    return _ACTIONS[name]


def _default(profile: Seccomp) -> int:
    return _action(profile["defaultAction"], profile.get("defaultErrnoRet"))


def _beyond(profile: Seccomp) -> int:
    """Return the action for calls that are newer than the profile."""
    return _default(profile) if profile["defaultAction"] in _PERMISSIVE else _ERRNO | errno.ENOSYS


class _Table:
    """The rules of a profile for the system calls of one architecture."""

    def __init__(self, profile: Seccomp, architecture: str, bits: int, known: set[str]) -> None:
        self.default = _default(profile)
        self.beyond = _beyond(profile)
        self.bits = bits
        self.unconditional: dict[int, int] = {}
        """The actions by the numbers of the calls."""
        self.conditional: dict[int, dict[Conditions, int]] = {}
        """The actions by the conditions, by the numbers of the calls."""
        self.newest = 0
        """The highest number of a call that the profile names."""
        self._numbers = numbers_of(architecture)
        self._multiplexed = _multiplexed(self._numbers) if architecture == "SCMP_ARCH_X86" else {}
        for rule in profile.get("syscalls", ()):
            self._add(rule, known)

    def _add(self, rule: SeccompRule, known: set[str]) -> None:
        action = _action(rule["action"], rule.get("errnoRet"))
        alternatives = _alternatives(rule.get("args", ()), self.bits)
        for name in rule["names"]:
            ways = []
            if name in self._numbers:
                ways.append((self._numbers[name], alternatives))
            if name in self._multiplexed:
                ways.append(self._through(name, alternatives))
            for number, conditions in ways:
                known.add(name)
                self.newest = max(self.newest, number)
                if action != self.default:
                    self._decide(name, number, conditions, action)

    def _decide(self, name: str, number: int, alternatives: list[Conditions], action: int) -> None:
        for conditions in alternatives:
            if not conditions:
                self.unconditional.setdefault(number, action)
            elif number in self.unconditional:
                # It has no effect, so it can't contradict another.
                continue
            elif self.conditional.setdefault(number, {}).setdefault(conditions, action) != action:
                raise RuntError(
                    f"linux.seccomp: two rules for {name} have the same conditions, but not the same action"
                )

    def _through(self, name: str, alternatives: list[Conditions]) -> tuple[int, list[Conditions]]:
        """Return the rule for a call as it is made by socketcall(2) or ipc(2): the first argument is its number.

        The call's own arguments are then in memory, which a filter can't read. As in libseccomp, the conditions on all but
        the first argument are kept all the same.
        """
        number, which = self._multiplexed[name]
        first = (0, "SCMP_CMP_EQ", which, 0)
        return number, [
            (first, *(condition for condition in conditions if condition[0] != 0))
            for conditions in alternatives
        ]

    def code(self, number: int) -> Code:
        """Return the code for a call that has rules."""
        action = self.unconditional.get(number)
        if action is not None:
            return [bpf.answer(action)]
        code: Code = []
        rules = sorted(self.conditional[number].items(), key=_rank)
        while rules:
            equal = _leading_equalities(rules)
            if len(equal) > 1:
                code += bpf.among(rules[0][0][0][0], equal, self.bits)
            else:
                code += bpf.when(*rules[0], self.bits)
            rules = rules[max(len(equal), 1) :]
        return [*code, bpf.answer(self.default)]


def _segments(table: _Table) -> list[Segment]:
    """Return the code by the numbers: adjacent numbers with the same code are one segment."""
    default = [bpf.answer(table.default)]
    segments = [(0, default)]
    following = 0
    for number in sorted({*table.unconditional, *table.conditional}):
        if number > following:
            _append(segments, following, default)
        _append(segments, number, table.code(number))
        following = number + 1
    if table.newest >= following:
        _append(segments, following, default)
    # A profile that names no call, or only call 0, is taken to be no older than the kernel.
    last = table.beyond if table.newest else table.default
    _append(segments, table.newest + 1, [bpf.answer(last)])
    return segments


def _append(segments: list[Segment], first: int, code: Code) -> None:
    """Add a segment that runs `code` from the number `first` on."""
    if segments[-1][0] == first:
        segments.pop()
    if not segments or segments[-1][1] != code:
        segments.append((first, code))


def _with_x32(segments: list[Segment], x32: _Table | None, profile: Seccomp) -> list[Segment]:
    """Return the segments of x86_64 with those of x32, which shares its architecture and has numbers of its own.

    Without x32 such a call ends the thread. Number -1 isn't one: a tracer sets it to skip a call (seccomp(2)).
    """
    if x32 is not None:
        return segments + [(X32_BIT | first, code) for first, code in _segments(x32)]
    return [
        *segments,
        (X32_BIT, [bpf.answer(_KILL_THREAD)]),
        (0xFFFFFFFF, [bpf.answer(_default(profile))]),
    ]


def _alternatives(arguments: Sequence[SeccompArgument], bits: int) -> list[Conditions]:
    """Return a rule's conditions as alternatives: all of the first, or all of the second; without any it always applies."""
    conditions = [_condition(argument) for argument in sorted(arguments, key=lambda each: each["index"])]
    if len({index for index, *_ in conditions}) < len(conditions):
        return [_meaningful((condition,), bits) for condition in conditions]
    return [_meaningful(tuple(conditions), bits)]


def _condition(argument: SeccompArgument) -> Condition:
    operator, value, mask = argument["op"], argument["value"], 0
    if operator == "SCMP_CMP_MASKED_EQ":
        mask, value = value, argument.get("valueTwo", 0)
        value &= mask
    return argument["index"], operator, value, mask


def _meaningful(conditions: Conditions, bits: int) -> Conditions:
    """Return the conditions without those that are always true, because no bit of their mask is in an argument."""
    every = (1 << bits) - 1
    return tuple(
        condition for condition in conditions if condition[1] != "SCMP_CMP_MASKED_EQ" or condition[3] & every
    )


def _rank(item: tuple[Conditions, int]) -> list[tuple[int, int, int]]:
    """Return a key that sorts the conditions of a call's rules in libseccomp's order."""
    return [
        (-index, -_RANKS.get(operator, 3), value if _RANKS.get(operator) == 2 else -value)
        for index, operator, value, _ in item[0]
    ]


def _leading_equalities(rules: list[tuple[Conditions, int]]) -> list[tuple[int, int]]:
    """Return the values and actions of those first rules that only compare one argument, the same in all, by equality."""
    found = []
    for conditions, action in rules:
        index, operator, value, _ = conditions[0]
        if len(conditions) > 1 or operator != "SCMP_CMP_EQ" or index != rules[0][0][0][0]:
            break
        found.append((value, action))
    return found


def _multiplexed(numbers: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Return the calls that 32-bit x86 makes through another one: that one's number, and its first argument."""
    return {
        **{name: (numbers["socketcall"], which) for name, which in parse(_SOCKET_CALLS).items()},
        **{name: (numbers["ipc"], which) for name, which in parse(_IPC_CALLS).items()},
    }


def _refuse_unknown(profile: Seccomp, known: set[str]) -> None:
    """Raise RuntError for the first name that is not in `known`."""
    for index, rule in enumerate(profile.get("syscalls", ())):
        for place, name in enumerate(rule["names"]):
            if name not in known:
                raise RuntError(
                    f'linux.seccomp.syscalls[{index}].names[{place}]: unknown system call "{name}": '
                    "the annotation run.oci.seccomp_fail_unknown_syscall makes it an error"
                )


def _tell_unknown(profile: Seccomp, known: set[str]) -> None:
    for rule in profile.get("syscalls", ()):
        for name in rule["names"]:
            if name not in known:
                log.debug(f'unknown seccomp syscall "{name}" ignored')
