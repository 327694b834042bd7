"""libseccomp, which runc uses for its filters, to compare runt's with; and an interpreter of the programs that both make."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from functools import cache
from typing import Any

from runtime.seccomp.compiler import compile_profile
from runtime.seccomp.numbers import numbers_of

ACTIONS = {
    "SCMP_ACT_KILL_PROCESS": 0x80000000,
    "SCMP_ACT_KILL_THREAD": 0x00000000,
    "SCMP_ACT_KILL": 0x00000000,
    "SCMP_ACT_TRAP": 0x00030000,
    "SCMP_ACT_ERRNO": 0x00050000,
    "SCMP_ACT_NOTIFY": 0x7FC00000,
    "SCMP_ACT_TRACE": 0x7FF00000,
    "SCMP_ACT_LOG": 0x7FFC0000,
    "SCMP_ACT_ALLOW": 0x7FFF0000,
}
"""seccomp.h, and the same in linux/seccomp.h."""
OPERATORS = {
    f"SCMP_CMP_{name}": n for n, name in enumerate(("NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"), 1)
}
AUDIT = {
    "SCMP_ARCH_X86_64": 0xC000003E,
    "SCMP_ARCH_X32": 0xC000003E,
    "SCMP_ARCH_X86": 0x40000003,
    "SCMP_ARCH_AARCH64": 0xC00000B7,
    "SCMP_ARCH_ARM": 0x40000028,
    "SCMP_ARCH_RISCV64": 0xC00000F3,
}
"""What the kernel calls an architecture (linux/audit.h)."""
X32_BIT = 0x40000000
ENOSYS = ACTIONS["SCMP_ACT_ERRNO"] | errno.ENOSYS
_OPTIMIZE = 8


class _Comparison(ctypes.Structure):
    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    library.seccomp_arch_resolve_name.restype = ctypes.c_uint32
    library.seccomp_arch_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    library.seccomp_arch_remove.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    library.seccomp_attr_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32]
    library.seccomp_rule_add_array.argtypes = [
        *(ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p)
    ]
    library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.seccomp_syscall_resolve_name_arch.argtypes = [ctypes.c_uint32, ctypes.c_char_p]
    library.seccomp_syscall_resolve_num_arch.argtypes = [ctypes.c_uint32, ctypes.c_int]
    library.seccomp_syscall_resolve_num_arch.restype = ctypes.c_void_p
    return library


@cache
def token(architecture: str) -> int:
    """Return libseccomp's number of an architecture."""
    name = architecture.removeprefix("SCMP_ARCH_").lower()
    return int(_library().seccomp_arch_resolve_name(name.encode()))


@cache
def number_of(architecture: str, name: str) -> int:
    """Return the number of a system call, negative if the architecture has none."""
    return int(_library().seccomp_syscall_resolve_name_arch(token(architecture), name.encode()))


@cache
def name_of(architecture: str, number: int) -> str:
    """Return the name of a system call, or an empty string."""
    found = _library().seccomp_syscall_resolve_num_arch(token(architecture), number)
    return ctypes.string_at(found).decode() if found else ""


def action_of(action: str, number: int | None) -> int:
    """Return what a program returns for an action, as libseccomp's macros define it."""
    if action in ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE"):
        return ACTIONS[action] | (errno.EPERM if number is None else number)
    return ACTIONS[action]


class ConflictError(Exception):
    """libseccomp refuses a rule."""


def has(architecture: str, name: str) -> bool:
    """Tell whether an architecture has a system call, by itself or through socketcall(2) or ipc(2)."""
    number = number_of(architecture, name)
    return number >= 0 or (architecture == "SCMP_ARCH_X86" and -300 < number <= -100)


def alone(profile: Any, architecture: str) -> list[tuple[int, int, int, int]]:
    """Return libseccomp's program for one architecture, from the rules for the system calls that it has.

    Empty if it is a program as libseccomp 2.5.4 makes them now and then: after the architecture it does not load the number
    of the system call, and takes the one for the other.
    """
    rules = [
        {**rule, "names": [name for name in rule["names"] if has(architecture, name)]}
        for rule in profile.get("syscalls", ())
    ]
    program = reference({**profile, "syscalls": rules}, [architecture])
    # Without rules there is nothing to load it for.
    loads = len(program) < 5 or (program[2][0] == 0x20 and program[2][3] == 0)
    return program if loads else []


def reference(profile: Any, architectures: list[str]) -> list[tuple[int, int, int, int]]:
    """Return the program that libseccomp makes when it is called as runc calls it; the first architecture is the native one."""
    library = _library()
    default = action_of(profile["defaultAction"], profile.get("defaultErrnoRet"))
    context = library.seccomp_init(default)
    try:
        # 0 is the architecture of this machine.
        if architectures[0] != "SCMP_ARCH_X86_64":
            assert library.seccomp_arch_add(context, token(architectures[0])) == 0
            assert library.seccomp_arch_remove(context, 0) == 0
        for architecture in architectures[1:]:
            assert library.seccomp_arch_add(context, token(architecture)) == 0
        if len(profile.get("syscalls", ())) > 32:
            assert library.seccomp_attr_set(context, _OPTIMIZE, 2) == 0
        for rule in profile.get("syscalls", ()):
            _add_rule(context, rule, default)
        return _export(context)
    finally:
        library.seccomp_release(context)


def _add_rule(context: int, rule: Any, default: int) -> None:
    action = action_of(rule["action"], rule.get("errnoRet"))
    if action == default:
        return
    arguments = rule.get("args", [])
    comparisons = [
        _Comparison(
            argument["index"], OPERATORS[argument["op"]], argument["value"], argument.get("valueTwo", 0)
        )
        for argument in arguments
    ]
    several = len({argument["index"] for argument in arguments}) < len(arguments)
    for name in rule["names"]:
        number = number_of("SCMP_ARCH_X86_64", name)
        if number == -1:
            continue
        for group in [[comparison] for comparison in comparisons] if several else [comparisons]:
            array = (_Comparison * len(group))(*group)
            code = _library().seccomp_rule_add_array(context, action, number, len(group), ctypes.byref(array))
            if code:
                raise ConflictError(os.strerror(-code))


def _export(context: int) -> list[tuple[int, int, int, int]]:
    fd = os.memfd_create("filter")
    try:
        assert _library().seccomp_export_bpf(context, fd) == 0
        size = os.lseek(fd, 0, os.SEEK_CUR)
        return instructions(os.pread(fd, size, 0))
    finally:
        os.close(fd)


def instructions(program: bytes) -> list[tuple[int, int, int, int]]:
    """Return the instructions of a program: operation, jump if true, jump if false, k."""
    return list(struct.iter_unpack("=HBBI", program))


def decide(
    program: list[tuple[int, int, int, int]], audit: int, number: int, arguments: tuple[int, ...]
) -> int:
    """Run a program for one system call, as the kernel does, and return the action."""
    data = struct.unpack("=16I", struct.pack("=IIQ6Q", number & 0xFFFFFFFF, audit, 0, *arguments))
    register = place = 0
    while True:
        operation, if_true, if_false, k = program[place]
        place += 1
        match operation:
            case 0x20:
                register = data[k // 4]
            case 0x54:
                register &= k
            case 0x05:
                place += k
            case 0x06:
                return k
            case 0x15:
                place += if_true if register == k else if_false
            case 0x25:
                place += if_true if register > k else if_false
            case 0x35:
                place += if_true if register >= k else if_false
            case 0x45:
                place += if_true if register & k else if_false
            case _:
                raise AssertionError(f"unknown operation {operation:#x}")


def disagreements(profile: Any) -> list[Any]:
    """Return for which calls of this machine's architectures runt's filter and libseccomp's differ, for a real profile.

    Calls that are newer than the profile are left to runc's stub, which comes before libseccomp's program.
    """
    compiled, theirs = instructions(compile_profile(profile)), reference(profile, profile["architectures"])
    found = []
    for architecture in profile["architectures"]:
        bit = X32_BIT if architecture == "SCMP_ARCH_X32" else 0
        names = {name for rule in profile["syscalls"] for name in rule["names"]}
        newest = max(number for name, number in numbers_of(architecture).items() if name in names)
        for number in range(newest + 30):
            for arguments in _INTERESTING:
                call = (AUDIT[architecture], number | bit, arguments)
                expected = decide(theirs, *call) if number <= newest else ENOSYS
                if (got := decide(compiled, *call)) != expected:
                    found.append((architecture, number, arguments, hex(expected), hex(got)))
    return found


# Default profiles have conditions on flags of clone(2), on socket(2)'s family, and on personality(2).
_INTERESTING = [
    *(
        (value,) * 6
        for value in (0, 1, 8, 16, 38, 40, 0x20000, 0x20008, 0x7E020000, 2**32 - 1, 2**32, 2**64 - 1)
    ),
    *((first, second, 0, 0, 0, 0) for first in (2, 16, 40) for second in (0x7E020000, 2**31)),
    # AF_NETLINK with NETLINK_AUDIT, and each without the other; AF_VSOCK.
    *((family, 3, protocol, 0, 0, 0) for family in (1, 16, 40) for protocol in (0, 9)),
]
