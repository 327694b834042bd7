"""The system calls in which processes wait: their numbers on the two architectures, and how to read their arguments.

Only calls that can block for long have a name here; others are shown as `syscall_N`. The numbers are the kernel's:
`unistd_64.h` (x86_64) and `asm-generic/unistd.h` (aarch64).
"""

from __future__ import annotations

import os
import platform
from typing import Literal

from tutor.lazy_dataclass import dataclass

# How an argument is shown. "skip": not at all, as a pointer or a detail that tells a learner nothing.
Argument = Literal[
    "dirfd",
    "path",
    "oflags",
    "how",
    "fd",
    "int",
    "pid",
    "op",
    "pollfds",
    "nfds",
    "fdset",
    "clock",
    "timespec",
    "skip",
]
# What a process waits for: the second half of the catalogue's key. waits.py makes it more precise by the descriptor's type.
Topic = Literal[
    "open", "read", "write", "poll", "child", "sleep", "signal", "futex", "accept", "connect", "lock", "io", "ipc",
    "restart", "other",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """A system call: its name, what a process in it waits for, and the kinds of its arguments."""

    name: str
    topic: Topic
    arguments: tuple[Argument, ...]


# name, x86_64, aarch64 (- if it does not exist), topic, arguments
_TABLE = """
open             2   -   open    path oflags
openat           257 56  open    dirfd path oflags
openat2          437 437 open    dirfd path how
read             0   63  read    fd
readv            19  65  read    fd
pread64          17  67  read    fd
splice           275 76  read    fd
recvfrom         45  207 read    fd
recvmsg          47  212 read    fd
recvmmsg         299 243 read    fd
getrandom        318 278 io      skip
write            1   64  write   fd
writev           20  66  write   fd
pwrite64         18  68  write   fd
sendfile         40  71  write   fd
sendto           44  206 write   fd
sendmsg          46  211 write   fd
sendmmsg         307 269 write   fd
poll             7   -   poll    pollfds nfds
ppoll            271 73  poll    pollfds nfds
select           23  -   poll    nfds fdset fdset
pselect6         270 72  poll    nfds fdset fdset
epoll_wait       232 -   poll    fd
epoll_pwait      281 22  poll    fd
epoll_pwait2     441 441 poll    fd
futex            202 98  futex   skip op
futex_waitv      449 449 futex   skip
wait4            61  260 child   pid
waitid           247 95  child   int pid
vfork            58  -   child
clone            56  220 child   skip
clone3           435 435 child   skip
nanosleep        35  101 sleep   timespec
clock_nanosleep  230 115 sleep   clock skip timespec
pause            34  -   signal
rt_sigsuspend    130 133 signal  skip
rt_sigtimedwait  128 137 signal  skip
accept           43  202 accept  fd
accept4          288 242 accept  fd
connect          42  203 connect fd
flock            73  32  lock    fd
fcntl            72  25  lock    fd
io_uring_enter   426 426 io      fd
io_getevents     208 4   io      skip
fsync            74  82  io      fd
fdatasync        75  83  io      fd
sync             162 81  io
syncfs           306 267 io      fd
msgrcv           70  188 ipc     int
msgsnd           69  189 ipc     int
semop            65  193 ipc     int
semtimedop       220 192 ipc     int
mq_timedreceive  243 183 ipc     fd
mq_timedsend     242 182 ipc     fd
ioctl            16  29  other   fd
mount            165 40  other   skip
umount2          166 39  other   path
unlinkat         263 35  other   dirfd path
ptrace           101 117 other   skip
exit             60  93  other
exit_group       231 94  other
restart_syscall  219 128 restart
"""


def call_table(machine: str) -> dict[int, Call]:
    """Return the calls of an architecture (`platform.machine()`) by number; none for an unknown architecture."""
    column = {"x86_64": 1, "aarch64": 2}.get(machine)
    if column is None:
        return {}
    rows = [line.split() for line in _TABLE.strip().splitlines()]
    return {int(row[column]): Call(row[0], row[3], tuple(row[4:])) for row in rows if row[column] != "-"}  # type: ignore[arg-type]  # the table's words are the literals; a test checks them


CALLS = call_table(platform.machine())

_ACCESS = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")
_FLAGS = ("O_APPEND", "O_CREAT", "O_DIRECTORY", "O_EXCL", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "O_PATH",
    "O_SYNC", "O_TRUNC", "O_CLOEXEC")  # fmt: skip


def open_flags(value: int) -> tuple[str, ...]:
    """Return the names of the flags of open(2), the access mode first; the numbers are this architecture's."""
    names = [_ACCESS[value & os.O_ACCMODE]]
    names += [name for name in _FLAGS if value & (bits := getattr(os, name)) == bits]
    return tuple(names)


_FUTEX = ("FUTEX_WAIT", "FUTEX_WAKE", "FUTEX_FD", "FUTEX_REQUEUE", "FUTEX_CMP_REQUEUE", "FUTEX_WAKE_OP",
    "FUTEX_LOCK_PI", "FUTEX_UNLOCK_PI", "FUTEX_TRYLOCK_PI", "FUTEX_WAIT_BITSET", "FUTEX_WAKE_BITSET",
    "FUTEX_WAIT_REQUEUE_PI", "FUTEX_CMP_REQUEUE_PI", "FUTEX_LOCK_PI2")  # fmt: skip


def futex_operation(value: int) -> str:
    """Return the name of a futex operation (futex(2)), without its PRIVATE and CLOCK_REALTIME modifiers."""
    operation = value & 0x7F
    return _FUTEX[operation] if operation < len(_FUTEX) else str(operation)


_CLOCKS = {0: "CLOCK_REALTIME", 1: "CLOCK_MONOTONIC", 7: "CLOCK_BOOTTIME", 11: "CLOCK_TAI"}


def clock_name(value: int) -> str:
    """Return the name of a clock of clock_nanosleep(2)."""
    return _CLOCKS.get(value, str(value))
