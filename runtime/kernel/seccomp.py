"""seccomp(2): filtering the system calls of this process and its descendants."""

from __future__ import annotations

import errno
import struct

from runtime.kernel.syscall import address, call

_SET_MODE_FILTER = 1

FLAG_LOG = 1 << 1
FLAG_SPEC_ALLOW = 1 << 2
FLAG_NEW_LISTENER = 1 << 3
FLAG_WAIT_KILLABLE_RECV = 1 << 5


def set_filter(program: bytearray, flags: int) -> int:
    """By seccomp with SECCOMP_SET_MODE_FILTER: install a program that filters all system calls from now on.

    With FLAG_NEW_LISTENER return the descriptor of the listener (SECCOMP_RET_USER_NOTIF).
    """
    filter_program = struct.pack("=H6xQ", len(program) // 8, address(program))
    return call("seccomp", _SET_MODE_FILTER, flags, filter_program)


def takes_flags(flags: int) -> bool:
    """By seccomp without a program: tell whether this kernel takes these flags together."""
    try:
        call("seccomp", _SET_MODE_FILTER, flags, None)
    except OSError as error:
        return error.errno == errno.EFAULT
    return True


def get_descriptor(pidfd: int, number: int) -> int:
    """By pidfd_getfd: return a duplicate of descriptor `number` of another process."""
    return call("pidfd_getfd", pidfd, number, 0)
