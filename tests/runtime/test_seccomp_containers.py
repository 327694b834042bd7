"""What a container's program gets from the kernel when `linux.seccomp` is set, in `run` and in `exec`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

MKDIR = ["mkdir", "mkdirat"]


def forbid(action: str, *names: str, **more: Any) -> dict[str, Any]:
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": list(names or MKDIR), "action": action, **more}],
    }


def outcome(bundle: Bundle, runt: Runt) -> tuple[int, str]:
    """Run the bundle; return the exit status and all that was said."""
    bundle.save()
    done = runt("run", "-b", str(bundle.path), "seccomp")
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
