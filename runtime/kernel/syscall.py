"""syscall(2): the one door to the kernel that the other modules of this package go through."""

from __future__ import annotations

import ctypes
import os

_COLUMN = {"x86_64": 0, "aarch64": 1, "riscv64": 1}
_NUMBERS = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "setns": (308, 268),
    "unshare": (272, 97),
    "prctl": (157, 167),
    "capset": (126, 91),
    "statfs": (137, 43),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "keyctl": (250, 219),
    "prlimit64": (302, 261),
    "socketpair": (53, 199),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "clone3": (435, 435),
    "close_range": (436, 436),
    "openat2": (437, 437),
    "mount_setattr": (442, 442),
}
"""The numbers of x86_64 and of the generic table that newer architectures share (asm/unistd.h)."""

# PyDLL keeps the interpreter's lock during the call: after clone3 the child must not have to take it first.
_LIBC = ctypes.PyDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long


def call(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | ctypes.Structure | None) -> int:
    """Make the system call `name` and return its result. Raises OSError.

    Numbers are passed as machine words, bytes and structures as pointers to them, None as a null pointer.
    """
    machine = os.uname().machine
    column = _COLUMN.get(machine)
    if column is None:
        raise OSError(f"runt does not know the system call numbers of {machine} machines")
    result: int = _LIBC.syscall(ctypes.c_long(_NUMBERS[name][column]), *map(_word, arguments))
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _word(argument: int | bytes | ctypes.Array[ctypes.c_char] | ctypes.Structure | None) -> object:
    """Return an argument in the form in which ctypes passes it as one 64-bit word."""
    if argument is None:
        return ctypes.c_void_p(None)
    if isinstance(argument, int):
        return ctypes.c_long(argument)
    if isinstance(argument, bytes):
        return ctypes.c_char_p(argument)
    return ctypes.byref(argument)
