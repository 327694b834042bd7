"""The effect of `linux.seccomp` on a container's program, in `run` and in `exec`."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

MKDIR = ["mkdir", "mkdirat"]
KILLED_BY_SIGSYS = 128 + signal.SIGSYS


def forbid(action: str, names: list[str] = MKDIR, **more: Any) -> dict[str, Any]:
    return {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": names, "action": action, **more}]}


def outcome(bundle: Bundle, runt: Runt, *options: str) -> tuple[int, str]:
    """Run the bundle; return the exit status and all output."""
    bundle.save()
    done = runt(*options, "run", "-b", str(bundle.path), "seccomp")
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("no_new_privileges", [True, False])
@pytest.mark.parametrize("uid", [0, 1000])
def test_forbidden_call_fails_and_others_do_not(
    bundle: Bundle, runt: Runt, no_new_privileges: bool, uid: int
) -> None:
    bundle.process.update(noNewPrivileges=no_new_privileges, user={"uid": uid, "gid": uid})
    (bundle.rootfs / "tmp").chmod(0o777)
    bundle.linux["seccomp"] = forbid("SCMP_ACT_ERRNO", errnoRet=28)
    bundle.sh(
        "mkdir /tmp/x; grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status; touch /tmp/file && echo done"
    )
    status, said = outcome(bundle, runt)
    assert status == 0
    assert "No space left on device" in said
    assert f"NoNewPrivs:\t{int(no_new_privileges)}\nSeccomp:\t2\n" in said
    assert "done\n" in said


def test_an_unknown_call_is_an_error_where_the_annotation_of_crun_says_so(bundle: Bundle, runt: Runt) -> None:
    # What only other architectures have is not unknown.
    bundle.linux["seccomp"] = forbid("SCMP_ACT_ERRNO", ["openat2", "set_tls", "s390_sthyi", "mkdirr"])
    bundle.sh("echo done")
    assert outcome(bundle, runt) == (0, "done\n")
    bundle.config["annotations"] = {"run.oci.seccomp_fail_unknown_syscall": "1"}
    status, said = outcome(bundle, runt)
    assert status == 1
    assert 'linux.seccomp.syscalls[0].names[3]: unknown system call \\"mkdirr\\"' in said
    assert runt.ok("list", "-q") == ""
    bundle.config["annotations"] = {"run.oci.seccomp_fail_unknown_syscall": "0"}
    assert outcome(bundle, runt) == (0, "done\n")


@pytest.mark.parametrize(
    "action", ["SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"]
)
def test_calls_that_end_the_process(bundle: Bundle, runt: Runt, action: str) -> None:
    bundle.process["rlimits"] = [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]
    bundle.process["args"] = ["mkdir", "/tmp/x"]
    bundle.linux["seccomp"] = forbid(action)
    assert outcome(bundle, runt)[0] == KILLED_BY_SIGSYS


def test_logged_call_is_made(bundle: Bundle, runt: Runt) -> None:
    bundle.linux["seccomp"] = forbid("SCMP_ACT_LOG")
    bundle.sh("mkdir /tmp/x && ls /tmp")
    assert outcome(bundle, runt) == (0, "x\n")


def test_traced_call_without_a_tracer_does_not_exist(bundle: Bundle, runt: Runt) -> None:
    bundle.linux["seccomp"] = forbid("SCMP_ACT_TRACE")
    bundle.sh("mkdir /tmp/x")
    assert "Function not implemented" in outcome(bundle, runt)[1]


def test_condition_on_an_argument(bundle: Bundle, runt: Runt) -> None:
    # SIGUSR1 is 10 on all supported machines.
    condition = {"index": 1, "op": "SCMP_CMP_EQ", "value": int(signal.SIGUSR1)}
    bundle.linux["seccomp"] = forbid("SCMP_ACT_ERRNO", ["kill"], args=[condition])
    bundle.sh("trap 'echo got 12' USR2; kill -USR1 $$; kill -USR2 $$; echo done")
    status, said = outcome(bundle, runt)
    assert status == 0
    assert "Operation not permitted" in said
    assert "got 12\ndone\n" in said


def test_allowing_only_what_the_program_needs_is_enough(bundle: Bundle, runt: Runt) -> None:
    """What init does after the filter is set needs no permission that a program would not need."""
    names = "execve arch_prctl set_tid_address set_robust_list rseq prlimit64 readlink readlinkat getrandom mprotect brk mmap"
    names += " munmap rt_sigaction close_range write read close fcntl exit_group getuid prctl newfstatat fstat uname"
    bundle.process["noNewPrivileges"] = True
    bundle.process["args"] = ["echo", "hello"]
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_KILL_PROCESS",
        "syscalls": [{"names": names.split(), "action": "SCMP_ACT_ALLOW"}],
    }
    assert outcome(bundle, runt) == (0, "hello\n")


def test_hooks_in_the_container_are_filtered_too(bundle: Bundle, runt: Runt) -> None:
    bundle.process["noNewPrivileges"] = True
    bundle.linux["seccomp"] = forbid("SCMP_ACT_ERRNO")
    hook = {"path": "/bin/mkdir", "args": ["mkdir", "/tmp/x"]}
    bundle.config["hooks"] = {"startContainer": [hook]}
    status, said = outcome(bundle, runt)
    assert status != 0
    assert "error running startContainer hook" in said
    assert "Operation not permitted" in said


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_exec_is_filtered_like_the_container(bundle: Bundle, runt: Runt, no_new_privileges: bool) -> None:
    bundle.process["noNewPrivileges"] = no_new_privileges
    bundle.linux["seccomp"] = forbid("SCMP_ACT_ERRNO")
    runt.create(bundle.namespaces("pid").sh("sleep 100"))
    runt.ok("start", "test")
    done = runt("exec", "test", "mkdir", "/tmp/x")
    assert done.returncode == 1
    assert "Operation not permitted" in done.stderr
    assert "Seccomp:\t2\n" in runt.ok("exec", "test", "cat", "/proc/self/status")


def test_flags_are_for_the_kernel(bundle: Bundle, runt: Runt) -> None:
    bundle.linux["seccomp"] = forbid("SCMP_ACT_ERRNO")
    for flags, number in (
        (None, 4),
        ([], 0),
        (["SECCOMP_FILTER_FLAG_TSYNC"], 0),
        (["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"], 6),
    ):
        bundle.linux["seccomp"]["flags"] = flags
        # In runc's words, which its own tests look for.
        status, said = outcome(bundle, runt, "--debug")
        assert status == 0
        assert f'msg="seccomp filter flags: {number}"' in said


def test_unknown_call_is_ignored_and_a_wrong_name_shows_with_debug(bundle: Bundle, runt: Runt) -> None:
    bundle.linux["seccomp"] = forbid("SCMP_ACT_ERRNO", ["fly", "mkdir"])
    status, said = outcome(bundle, runt, "--debug")
    assert status == 0
    assert 'unknown seccomp syscall \\"fly\\" ignored' in said


def test_seccomp_without_a_word_about_calls_is_no_filter(bundle: Bundle, runt: Runt) -> None:
    bundle.linux["seccomp"] = {"architectures": ["SCMP_ARCH_X86_64"], "syscalls": []}
    bundle.sh("grep ^Seccomp: /proc/self/status")
    assert outcome(bundle, runt) == (0, "Seccomp:\t0\n")


def test_contradiction_is_refused_before_anything_is_made(bundle: Bundle, runt: Runt) -> None:
    condition = [{"index": 0, "op": "SCMP_CMP_EQ", "value": 1}]
    rules = [
        {"names": ["read"], "action": f"SCMP_ACT_{name}", "args": condition} for name in ("ERRNO", "LOG")
    ]
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}
    assert "two rules for read have the same conditions, but not the same action" in runt.fail(bundle)


def test_filter_too_long_for_the_kernel_is_refused(bundle: Bundle, runt: Runt) -> None:
    rules = [
        {
            "names": [name],
            "action": "SCMP_ACT_ERRNO",
            "args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 100000 + 2 * n + shift}],
        }
        for n in range(2100)
        for shift, name in enumerate(("read", "write"))
    ]
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}
    assert "instructions, the kernel takes 4096" in runt.fail(bundle)
    bundle.linux["seccomp"]["syscalls"] = rules[::2]
    assert runt.run(bundle.sh("echo fits")) == "fits\n"


def test_features_name_what_can_be_used(runt: Runt) -> None:
    seccomp = json.loads(runt.ok("features"))["linux"]["seccomp"]
    assert seccomp["enabled"] is True
    assert len(seccomp["actions"]) == 9
    assert len(seccomp["operators"]) == 7
    assert {"SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_RISCV64"} <= set(seccomp["archs"])
    assert set(seccomp["supportedFlags"]) <= set(seccomp["knownFlags"])
    assert {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"} <= set(seccomp["supportedFlags"])
