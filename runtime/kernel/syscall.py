"""syscall(2): the call that all other modules of this package use.

Through `_ctypes`, the part of `ctypes` that is written in C: `ctypes` itself takes ten times as long to import, because
of its structure types. A structure is packed with `struct` here.
"""

from __future__ import annotations

import _ctypes
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
    "fstatfs": (138, 44),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "keyctl": (250, 219),
    "prlimit64": (302, 261),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "personality": (135, 92),
    "ioprio_set": (251, 30),
    "set_mempolicy": (238, 237),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "seccomp": (317, 277),
    "bpf": (321, 280),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "clone3": (435, 435),
    "close_range": (436, 436),
    "openat2": (437, 437),
    "pidfd_getfd": (438, 438),
    "mount_setattr": (442, 442),
}
"""The numbers of x86_64 and of the generic table that newer architectures share (asm/unistd.h)."""

_MACHINE = os.uname().machine
"""Read once: personality(2) can change it, but not the system call numbers of this process."""


class _Long(_ctypes._SimpleCData):  # type: ignore[type-arg]
    """A machine word. A plain number would be passed as C's `int`, of which the upper half is not defined."""

    _type_ = "l"


class _Byte(_ctypes._SimpleCData):  # type: ignore[type-arg]
    """The first byte of some memory."""

    _type_ = "c"


class _Function(_ctypes.CFuncPtr):
    """A function of the C library or of the interpreter.

    PYTHONAPI keeps the interpreter's lock during the call: after clone3 the child could not take it.
    """

    _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_PYTHONAPI | _ctypes.FUNCFLAG_USE_ERRNO
    _restype_ = _Long


_PROGRAM = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]
_syscall = _Function(_ctypes.dlsym(_PROGRAM, "syscall"))

# As os.fork around fork(2): hold the interpreter's import lock, and release it in both processes.
before_fork = _Function(_ctypes.dlsym(_PROGRAM, "PyOS_BeforeFork"))
after_fork_in_child = _Function(_ctypes.dlsym(_PROGRAM, "PyOS_AfterFork_Child"))
after_fork_in_parent = _Function(_ctypes.dlsym(_PROGRAM, "PyOS_AfterFork_Parent"))


def call(name: str, *arguments: int | bytes | bytearray | None) -> int:
    """Make the system call `name` and return its result. Raises OSError.

    Numbers are passed as machine words, `bytes` as a pointer to memory that the kernel reads, a `bytearray` as a pointer to
    memory that it may write to, None as a null pointer.
    """
    column = _COLUMN.get(_MACHINE)
    if column is None:
        raise OSError(f"runt does not know the system call numbers of {_MACHINE} machines")
    result: int = _syscall(_Long(_NUMBERS[name][column]), *map(_word, arguments))
    if result == -1:
        number = _ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def address(memory: bytearray) -> int:
    """Return the address of `memory`, for a pointer in a structure. It is valid while the object exists and keeps its length."""
    return _ctypes.addressof(_Byte.from_buffer(memory))


def _word(argument: int | bytes | bytearray | None) -> object:
    """Return an argument in the form in which `_ctypes` passes it as one 64-bit word."""
    if isinstance(argument, int):
        return _Long(argument)
    if isinstance(argument, bytearray):
        return _ctypes.byref(_Byte.from_buffer(argument))
    return argument
