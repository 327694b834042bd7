"""A profile that is older than some of the system calls that runt itself makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runtime.seccomp.numbers import numbers_of

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

LAST_OLD_CALL = 334
"""rseq: what came to Linux after 4.18 has numbers from 424 on, the same on every architecture."""


@pytest.mark.parametrize("no_new_privileges", [True, False])
@pytest.mark.parametrize("uid", [0, 1000])
def test_calls_that_the_profile_does_not_know_are_not_needed_any_more(
    bundle: Bundle, runt: Runt, no_new_privileges: bool, uid: int
) -> None:
    numbers = numbers_of("SCMP_ARCH_X86_64")
    new = [name for name, number in numbers.items() if number > LAST_OLD_CALL]
    assert {"close_range", "faccessat2", "clone3", "pidfd_open"} <= set(new)
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": new, "action": "SCMP_ACT_ERRNO"}],
    }
    bundle.process.update(noNewPrivileges=no_new_privileges, user={"uid": uid, "gid": uid})
    bundle.namespaces("pid")
    assert runt.run(bundle.sh("echo ran")) == "ran\n"
    runt.create(bundle.sh("sleep 100"))
    runt.ok("start", "test")
    assert runt.ok("exec", "test", "echo", "entered") == "entered\n"
