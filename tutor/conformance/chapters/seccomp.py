"""seccomp: system calls allowed and refused: config-linux.md#seccomp."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.conformance.model import InapplicableError
from tutor.conformance.registry import add, check

if TYPE_CHECKING:
    from tutor.conformance.subject import Subject

_CLAUSE = "config-linux.md#seccomp"
_ERRNO, _ALLOW = "SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW"
_MKDIR = ["mkdir", "mkdirat"]
_TRY = "mkdir /made 2>/dev/null && echo made || echo refused"


def _require() -> None:
    if "Seccomp:" not in Path("/proc/self/status").read_text():
        raise InapplicableError("kernel", "seccomp")


def _patch(*rules: dict[str, Any], default: str = _ALLOW, **members: Any) -> dict[str, Any]:
    return {"linux": {"seccomp": {"defaultAction": default, "syscalls": list(rules), **members}}}


def _prints(name: str, script: str, expected: str, *rules: dict[str, Any], **members: Any) -> None:
    def run(t: Subject) -> None:
        _require()
        t.prints(script, expected, patch=_patch(*rules, **members))

    add(f"seccomp.{name}", _CLAUSE, run)


_prints("errno", _TRY, "refused", {"names": _MKDIR, "action": _ERRNO})
_prints("mode", "grep Seccomp: /proc/self/status", "Seccomp: 2", {"names": _MKDIR, "action": _ERRNO})
_prints("allow", _TRY, "made", {"names": _MKDIR, "action": _ALLOW})
_prints("unknown-name", "echo ran", "ran", {"names": ["no_such_system_call"], "action": _ERRNO})
_prints("log", _TRY, "made", {"names": _MKDIR, "action": "SCMP_ACT_LOG"})


@check("seccomp.absent", _CLAUSE)
def absent(t: Subject) -> None:
    """Without `seccomp` the program has no filter."""
    _require()
    own = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("Seccomp:")
    )
    t.prints("grep Seccomp: /proc/self/status", " ".join(own.split()))


def _told(name: str, number: int, text: str, since: str = "1.0.0", **rule: Any) -> None:
    def run(t: Subject) -> None:
        _require()
        with t.bundle(
            "mkdir /made 2>&1; :", patch=_patch({"names": _MKDIR, "action": _ERRNO, **rule})
        ) as box:
            done = box.engine("run")
            t.ok(done, "run")
            t.same(f"errno {number}", text, text if text in done.stdout else done.stdout.strip())

    add(f"seccomp.{name}", _CLAUSE, run, text="seccomp.errno-ret", since=since, number=str(number))


_told("errno-default", 1, "not permitted")
_told("errno-ret", 95, "not supported", "1.1.0", errnoRet=95)


@check("seccomp.default-errno-ret", _CLAUSE, since="1.1.0")
def default_errno_ret(t: Subject) -> None:
    """`defaultErrnoRet` is the errno of the default action."""
    _require()
    # Everything is allowed that a shell and mkdir need, by the numbers that the machine has: all but mkdir.
    names = [name for name in _KNOWN if name not in _MKDIR]
    patch = _patch({"names": names, "action": _ALLOW}, default=_ERRNO, defaultErrnoRet=95)
    with t.bundle("mkdir /made 2>&1; :", patch=patch) as box:
        done = box.engine("run")
        t.ok(done, "run")
        t.same(
            "errno 95",
            "not supported",
            "not supported" if "not supported" in done.stdout else done.stdout.strip(),
        )


# What a shell, the C library and coreutils call, on x86_64 and arm64.
_KNOWN = [
    "access",
    "arch_prctl",
    "brk",
    "capget",
    "capset",
    "chdir",
    "clock_gettime",
    "clock_nanosleep",
    "clone",
    "clone3",
    "close",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "eventfd2",
    "execve",
    "execveat",
    "exit",
    "exit_group",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fchdir",
    "fcntl",
    "fork",
    "fstat",
    "fstatfs",
    "fsync",
    "futex",
    "getcwd",
    "getdents64",
    "getegid",
    "geteuid",
    "getgid",
    "getgroups",
    "getpgid",
    "getpgrp",
    "getpid",
    "getppid",
    "getrandom",
    "getresgid",
    "getresuid",
    "getrlimit",
    "gettid",
    "getuid",
    "ioctl",
    "lseek",
    "lstat",
    "madvise",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "nanosleep",
    "newfstatat",
    "open",
    "openat",
    "openat2",
    "pipe",
    "pipe2",
    "poll",
    "ppoll",
    "prctl",
    "pread64",
    "prlimit64",
    "pselect6",
    "read",
    "readlink",
    "readlinkat",
    "readv",
    "recvfrom",
    "recvmsg",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigsuspend",
    "sched_getaffinity",
    "sched_yield",
    "select",
    "sendmsg",
    "sendto",
    "set_robust_list",
    "set_tid_address",
    "setgid",
    "setgroups",
    "setpgid",
    "setresgid",
    "setresuid",
    "setsid",
    "setuid",
    "sigaltstack",
    "socket",
    "socketpair",
    "connect",
    "stat",
    "statfs",
    "statx",
    "sysinfo",
    "tgkill",
    "umask",
    "uname",
    "unlink",
    "unlinkat",
    "vfork",
    "wait4",
    "waitid",
    "write",
    "writev",
    "mount",
    "umount2",
    "getsid",
    "kill",
    "setitimer",
    "timer_create",
    "timer_settime",
    "timer_delete",
    "getpeername",
    "getsockopt",
    "setsockopt",
    "signalfd4",
    "epoll_create",
    "sched_setaffinity",
    "sched_getparam",
    "sched_getscheduler",
]


def _killed(action: str) -> None:
    def run(t: Subject) -> None:
        _require()
        # 128 + SIGSYS.
        t.prints("mkdir /made 2>/dev/null; echo $?", "159", patch=_patch({"names": _MKDIR, "action": action}))

    add(f"seccomp.{action.lower()[9:].replace('_', '-')}", _CLAUSE, run, text="seccomp.killed", action=action)


for _action in ("SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"):
    _killed(_action)


def _comparison(name: str, op: str, value: int, value_two: int, hits: str, misses: str) -> None:
    """Add a check of a comparison of arguments: mkdir(2) and mkdirat(2) have the mode as their last one."""

    def run(t: Subject) -> None:
        _require()
        rules = [
            {
                "names": [call],
                "action": _ERRNO,
                "args": [{"index": at, "value": value, "valueTwo": value_two, "op": op}],
            }
            for call, at in (("mkdir", 1), ("mkdirat", 2))
        ]
        script = (
            f"mkdir -m {hits} /hit 2>/dev/null && echo made || echo refused;"
            f" mkdir -m {misses} /miss 2>/dev/null && echo made || echo refused"
        )
        t.prints(script, "refused made", patch=_patch(*rules))

    add(f"seccomp.{name}", _CLAUSE, run, text="seccomp.comparison", op=op)


# GNU mkdir -m MODE gives mkdir(2) the mode without what the umask would take away.
_comparison("equal", "SCMP_CMP_EQ", 0o700, 0, "700", "711")
_comparison("not-equal", "SCMP_CMP_NE", 0o700, 0, "711", "700")
_comparison("less", "SCMP_CMP_LT", 0o710, 0, "700", "711")
_comparison("less-or-equal", "SCMP_CMP_LE", 0o700, 0, "700", "711")
_comparison("greater", "SCMP_CMP_GT", 0o700, 0, "711", "700")
_comparison("greater-or-equal", "SCMP_CMP_GE", 0o711, 0, "711", "700")
_comparison("masked", "SCMP_CMP_MASKED_EQ", 0o011, 0o011, "711", "700")


@check("seccomp.arguments-together", _CLAUSE)
def arguments_together(t: Subject) -> None:
    """Several comparisons of one rule must all hold."""
    _require()
    here = {"index": 0, "value": 0xFFFFFFFF, "valueTwo": 0xFFFFFF9C, "op": "SCMP_CMP_MASKED_EQ"}  # AT_FDCWD
    mode = {"index": 2, "value": 0o700, "op": "SCMP_CMP_EQ"}
    rule = {"names": ["fchmodat", "fchmodat2"], "action": _ERRNO, "args": [here, mode]}
    script = (
        "touch /x; chmod 700 /x 2>/dev/null && echo changed || echo refused;"
        " chmod 711 /x && echo changed || echo refused"
    )
    t.prints(script, "refused changed", patch=_patch(rule))


@check("seccomp.no-new-privileges", _CLAUSE)
def with_no_new_privileges(t: Subject) -> None:
    """The filter is there with `noNewPrivileges`, too, and for a user other than root."""
    _require()
    patch = _patch({"names": _MKDIR, "action": _ERRNO})
    patch["process"] = {"noNewPrivileges": True, "user": {"uid": 1000, "gid": 1000}}
    t.prints(
        "grep Seccomp: /proc/self/status; mkdir /tmp/x 2>/dev/null || echo refused",
        "Seccomp: 2 refused",
        patch=patch,
    )
