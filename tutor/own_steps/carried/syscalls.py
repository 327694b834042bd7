"""The system calls that a container runtime needs and that Python's `os` does not have.

Each function is one call of section 2 of the manual, with its arguments in the same order. What the kernel refuses is a
SyscallError: an OSError that also names the call and its arguments.
"""

from __future__ import annotations

import ctypes
import os

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_SYNCHRONOUS, MS_REMOUNT = 1, 2, 4, 8, 16, 32
MS_DIRSYNC, MS_NOATIME, MS_NODIRATIME, MS_BIND, MS_MOVE, MS_REC = 128, 1024, 2048, 4096, 8192, 16384
MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED = 1 << 17, 1 << 18, 1 << 19, 1 << 20
MS_RELATIME, MS_STRICTATIME = 1 << 21, 1 << 24
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAPBSET_READ, PR_CAPBSET_DROP = 1, 8, 23, 24
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 38, 47
PR_CAP_AMBIENT_RAISE, PR_CAP_AMBIENT_CLEAR_ALL = 2, 4

CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT "
    "SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL "
    "SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()
"""The names of the capabilities without CAP_, in the order of their numbers (linux/capability.h)."""

# PyDLL keeps the interpreter's lock during a call: after clone, the child could not take it again.
_libc = ctypes.PyDLL(None, use_errno=True)
_NUMBERS = {"x86_64": {"clone": 56, "pivot_root": 155, "capget": 125, "capset": 126}}
_GENERIC = {"clone": 220, "pivot_root": 41, "capget": 90, "capset": 91}  # aarch64, riscv64


class SyscallError(OSError):
    """A system call that the kernel refused: `call` is its name, `arguments` are those that were passed."""

    def __init__(self, call: str, arguments: tuple[object, ...], number: int) -> None:
        super().__init__(number, os.strerror(number))
        self.call, self.arguments = call, arguments

    def __str__(self) -> str:
        shown = ", ".join(repr(each) for each in self.arguments)
        return f"{self.call}({shown}): {self.strerror}"


def _word(argument: str | int | ctypes.Array[ctypes.c_uint32] | None) -> object:
    if isinstance(argument, int):
        return ctypes.c_long(argument)
    return os.fsencode(argument) if isinstance(argument, str) else argument


def _call(name: str, *arguments: str | int | ctypes.Array[ctypes.c_uint32] | None) -> int:
    """Call a function of the C library, or by its number what that does not have."""
    numbers = _NUMBERS.get(os.uname().machine, _GENERIC)
    function = _libc.syscall if name in numbers else getattr(_libc, name)
    prefix = [ctypes.c_long(numbers[name])] if name in numbers else []
    result: int = function(*prefix, *(_word(each) for each in arguments))
    if result == -1:
        raise SyscallError(name, arguments, ctypes.get_errno())
    return result


def clone(flags: int) -> int:
    """Make a child process in new namespaces (CLONE_NEW*); return 0 in it, its pid in the parent. See clone(2)."""
    return _call("clone", flags | 17, 0, 0, 0, 0)  # 17 is SIGCHLD: what the parent gets when the child ends


def unshare(flags: int) -> None:
    """Move this process into new namespaces; with CLONE_NEWPID only its later children. See unshare(2)."""
    _call("unshare", flags)


def setns(path: str, flags: int = 0) -> None:
    """Enter the namespace that a file like /proc/PID/ns/net stands for. See setns(2)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("setns", descriptor, flags)
    finally:
        os.close(descriptor)


def mount(source: str | None, target: str, kind: str | None, flags: int = 0, data: str | None = None) -> None:
    """Mount, or change a mount (MS_REMOUNT, MS_SLAVE ...). See mount(2)."""
    _call("mount", source, target, kind, flags, data)


def umount(target: str, flags: int = 0) -> None:
    """Unmount; MNT_DETACH also what is in use. See umount2(2)."""
    _call("umount2", target, flags)


def pivot_root(new_root: str, put_old: str) -> None:
    """Make `new_root` the root of this mount namespace, and mount the old one on `put_old`. See pivot_root(2)."""
    _call("pivot_root", new_root, put_old)


def sethostname(name: str) -> None:
    """Set the host name of the UTS namespace. See sethostname(2)."""
    _call("sethostname", name, len(os.fsencode(name)))


def setdomainname(name: str) -> None:
    """Set the NIS domain name of the UTS namespace. See setdomainname(2)."""
    _call("setdomainname", name, len(os.fsencode(name)))


def prctl(option: int, second: int = 0, third: int = 0) -> int:
    """Change or read an attribute of this process (PR_*). See prctl(2)."""
    return _call("prctl", option, second, third, 0, 0)


def capget() -> tuple[int, int, int]:
    """Return this process's effective, permitted and inheritable capabilities as bit masks. See capget(2)."""
    data = (ctypes.c_uint32 * 6)()
    _call("capget", (ctypes.c_uint32 * 2)(0x20080522, 0), data)
    return data[0] | data[3] << 32, data[1] | data[4] << 32, data[2] | data[5] << 32


def capset(effective: int, permitted: int, inheritable: int) -> None:
    """Set this process's capabilities from bit masks. See capset(2)."""
    sets = (effective, permitted, inheritable)
    halves = [each & 0xFFFFFFFF for each in sets] + [each >> 32 for each in sets]
    _call("capset", (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*halves))
