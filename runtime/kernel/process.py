"""Processes: clone3, namespaces, credentials and limits."""

from __future__ import annotations

import os
import struct

from runtime.kernel.syscall import after_fork_in_child, after_fork_in_parent, before_fork, call
from runtime.support.signals import SIGCHLD

LIMITS = {
    f"RLIMIT_{name}": number
    for number, name in enumerate(
        [
            "CPU",
            "FSIZE",
            "DATA",
            "STACK",
            "CORE",
            "RSS",
            "NPROC",
            "NOFILE",
            "MEMLOCK",
            "AS",
            "LOCKS",
            "SIGPENDING",
            "MSGQUEUE",
            "NICE",
            "RTPRIO",
            "RTTIME",
        ]
    )
}
"""The numbers of getrlimit(2), asm-generic/resource.h."""

# From clone(2), namespaces(7):
CLONE_NEWTIME = 0x00000080
CLONE_PARENT = 0x00008000
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_INTO_CGROUP = 0x200000000

NS_GET_NSTYPE = 0xB703
"""ioctl_ns(2): the CLONE_NEW* of a namespace's descriptor."""

# From prctl(2):
_PR_SET_PDEATHSIG = 1
_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4
_PR_SET_KEEPCAPS = 8
_PR_SET_NAME = 15
_PR_CAPBSET_READ = 23
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_PR_CAP_AMBIENT_CLEAR_ALL = 4

_CAPABILITY_VERSION_3 = 0x20080522
_KEYCTL_JOIN_SESSION_KEYRING = 1
_KEYCTL_SETPERM = 5
_CLOSE_RANGE_CLOEXEC = 4
_AF_UNIX = 1
_AF_INET = 2
_SOCK_DGRAM = 2
_SOCK_SEQPACKET = 5
_CLONE_ARGUMENTS = "=11Q"
"""`struct clone_args` of clone(2): flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
set_tid_size, cgroup."""
_CAPABILITY_HEADER = "=Ii"
"""`struct __user_cap_header_struct` of capset(2): version, pid."""
_CAPABILITY_DATA = "=6I"
"""Two of `struct __user_cap_data_struct`, the lower halves first: effective, permitted, inheritable."""
_LIMIT = "=QQ"
"""`struct rlimit64`: soft, hard."""


def clone3(flags: int, cgroup: int = -1) -> int:
    """By clone3 as fork(2) with `flags`: return the child's pid, and 0 in the child.

    With `cgroup`, the descriptor of a directory of cgroup v2, the child is made there (CLONE_INTO_CGROUP).

    Only for a process with a single thread: a lock that another thread holds would never be released in the child.
    """
    # With CLONE_PARENT the child's exit is signalled to the caller's parent as the caller's is; clone3 takes only 0 then.
    exit_signal = 0 if flags & CLONE_PARENT else SIGCHLD
    if cgroup >= 0:
        flags |= CLONE_INTO_CGROUP
    arguments = struct.pack(_CLONE_ARGUMENTS, flags, 0, 0, 0, exit_signal, 0, 0, 0, 0, 0, max(cgroup, 0))
    before_fork()
    pid = -1
    try:
        pid = call("clone3", arguments, len(arguments))
    finally:
        if pid == 0:
            after_fork_in_child()
        else:
            after_fork_in_parent()
    return pid


def setns(namespace: int, kind: int) -> None:
    """By setns: enter the namespace of a descriptor; `kind` is the CLONE_NEW* that it must be, 0 for any."""
    call("setns", namespace, kind)


def unshare(flags: int) -> None:
    """Call `unshare` of section 2."""
    call("unshare", flags)


def socket() -> int:
    """By socket: return a descriptor for requests about the network (AF_INET, SOCK_DGRAM), without importing `socket`."""
    return call("socket", _AF_INET, _SOCK_DGRAM | os.O_CLOEXEC, 0)


def socketpair() -> tuple[int, int]:
    """By socketpair: return two connected ends that keep messages apart (SOCK_SEQPACKET), without importing `socket`."""
    ends = bytearray(8)
    call("socketpair", _AF_UNIX, _SOCK_SEQPACKET | os.O_CLOEXEC, 0, ends)
    first, second = struct.unpack("=ii", ends)
    return first, second


def close_range(first: int, last: int = 2**32 - 1) -> None:
    """By close_range: close those descriptors from `first` to `last` that are open."""
    if first <= last:
        call("close_range", first, last, 0)


def close_range_on_exec(first: int, last: int = 2**32 - 1) -> None:
    """By close_range with CLOSE_RANGE_CLOEXEC: close the descriptors at the next execve."""
    if first <= last:
        call("close_range", first, last, _CLOSE_RANGE_CLOEXEC)


def set_parent_death_signal(signum: int) -> None:
    """By prctl, PR_SET_PDEATHSIG: get `signum` when the parent ends; 0 for none."""
    call("prctl", _PR_SET_PDEATHSIG, signum, 0, 0, 0)


def set_dumpable(dumpable: bool) -> None:
    """By prctl, PR_SET_DUMPABLE: set whether other processes of the user may trace this one (ptrace(2))."""
    call("prctl", _PR_SET_DUMPABLE, int(dumpable), 0, 0, 0)


def is_dumpable() -> bool:
    """By prctl, PR_GET_DUMPABLE: tell whether other processes of the user may trace this one (ptrace(2))."""
    return call("prctl", _PR_GET_DUMPABLE, 0, 0, 0, 0) == 1


def set_name(name: str) -> None:
    """By prctl, PR_SET_NAME: set the name in /proc/PID/comm, up to 15 characters, until the next execve."""
    call("prctl", _PR_SET_NAME, name.encode(), 0, 0, 0)


def set_no_new_privileges() -> None:
    """By prctl, PR_SET_NO_NEW_PRIVS."""
    call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def set_keep_capabilities(keep: bool) -> None:
    """By prctl, PR_SET_KEEPCAPS: set whether the permitted set survives the change from user 0 to another."""
    call("prctl", _PR_SET_KEEPCAPS, int(keep), 0, 0, 0)


def in_bounding_set(capability: int) -> bool:
    """By prctl, PR_CAPBSET_READ."""
    return call("prctl", _PR_CAPBSET_READ, capability, 0, 0, 0) == 1


def drop_from_bounding_set(capability: int) -> None:
    """By prctl, PR_CAPBSET_DROP."""
    call("prctl", _PR_CAPBSET_DROP, capability, 0, 0, 0)


def clear_ambient_set() -> None:
    """By prctl, PR_CAP_AMBIENT_CLEAR_ALL."""
    call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)


def raise_ambient(capability: int) -> None:
    """By prctl, PR_CAP_AMBIENT_RAISE."""
    call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def capset(effective: int, permitted: int, inheritable: int) -> None:
    """By capset: set three sets of capabilities, each as a bit mask, for this process."""
    low = 0xFFFFFFFF
    header = struct.pack(_CAPABILITY_HEADER, _CAPABILITY_VERSION_3, 0)
    data = struct.pack(
        _CAPABILITY_DATA,
        effective & low,
        permitted & low,
        inheritable & low,
        effective >> 32,
        permitted >> 32,
        inheritable >> 32,
    )
    call("capset", header, data)


def set_limit(resource: int, soft: int, hard: int) -> None:
    """By prlimit: set a limit of this process; `resource` is the number of a RLIMIT_*, 2**64 - 1 is no limit."""
    call("prlimit64", 0, resource, struct.pack(_LIMIT, soft, hard), None)


def sethostname(name: str) -> None:
    """Call `sethostname` of section 2."""
    call("sethostname", name.encode(), len(name.encode()))


def setdomainname(name: str) -> None:
    """Call `setdomainname` of section 2."""
    call("setdomainname", name.encode(), len(name.encode()))


def join_session_keyring(name: str) -> int:
    """By keyctl, KEYCTL_JOIN_SESSION_KEYRING: join the session keyring `name`; return its number.

    If there is none that may be searched, it is a new one.
    """
    return call("keyctl", _KEYCTL_JOIN_SESSION_KEYRING, name.encode(), 0, 0, 0)


def set_key_permissions(key: int, permissions: int) -> None:
    """By keyctl, KEYCTL_SETPERM."""
    call("keyctl", _KEYCTL_SETPERM, key, permissions, 0, 0)
