"""Rules of a seccomp profile that contradict each other: found in config.json wherever runt, as libseccomp, refuses them."""

from __future__ import annotations

import json
import random
from typing import Any

from runtime.seccomp.compiler import compile_profile
from runtime.support.errors import RuntError
from tutor.configfile import Problem, problems

X86 = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]


def contradictions(profile: dict[str, Any]) -> list[Problem]:
    config = {
        "ociVersion": "1.0.2",
        "root": {"path": "rootfs"},
        "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "args": ["true"]},
        "linux": {"seccomp": profile},
    }
    return [each for each in problems(json.dumps(config)) if "contradict" in each.key]


def refused(profile: dict[str, Any]) -> bool:
    try:
        compile_profile(profile)  # type: ignore[arg-type]
    except RuntError as error:
        return "two rules for" in str(error)
    return False


def rule(name: str, action: str, *args: tuple[int, str, int], **more: int) -> dict[str, Any]:
    arguments = [{"index": index, "op": f"SCMP_CMP_{op}", "value": value} for index, op, value in args]
    return {"names": [name], "action": f"SCMP_ACT_{action}", "args": arguments, **more}


def test_rules_for_sockets_need_that_of_socketcall_before_them() -> None:
    """As podman 5.8's profile has them, with libseccomp 2.5.4 and 2.6.1: EEXIST, unless socketcall is allowed first."""
    two = [
        rule("socket", "ERRNO", (0, "EQ", 40), errnoRet=1),
        rule("socket", "ALLOW", (0, "NE", 40)),
    ]
    every = rule("socketcall", "ALLOW")
    profile = {"defaultAction": "SCMP_ACT_LOG", "architectures": X86}
    for syscalls, pointers in ((two, [1]), ([*two, every], [1]), ([every, *two], [])):
        found = contradictions({**profile, "syscalls": syscalls})
        assert [each.pointer for each in found] == [f"/linux/seccomp/syscalls/{n}" for n in pointers]
        assert all(each.key.endswith("_x86") and each.values["call"] == "socketcall" for each in found)
    assert contradictions({**profile, "architectures": X86[:1], "syscalls": two}) == []


def test_what_runt_refuses_is_found_and_nothing_else() -> None:
    dice = random.Random(10)  # noqa: S311  (the same profiles every time)
    names = ("socket", "socket", "bind", "socketcall", "semop", "ipc", "read")

    def some_rule() -> dict[str, Any]:
        args = [
            (dice.choice((0, 0, 1)), dice.choice(("EQ", "MASKED_EQ")), dice.choice((1, 1 << 40)))
            for _ in range(dice.choice((0, 1, 1, 1, 1, 2)))
        ]
        return rule(dice.choice(names), dice.choice(("ALLOW", "ERRNO", "LOG", "KILL", "KILL_THREAD")), *args)

    wrong, number = [], 0
    for _ in range(600):
        profile = {
            "defaultAction": dice.choice(("SCMP_ACT_LOG", "SCMP_ACT_ERRNO")),
            "architectures": dice.choice((X86, X86[:1])),
            "syscalls": [some_rule() for _ in range(dice.randint(2, 7))],
        }
        expected = refused(profile)
        number += expected
        if bool(contradictions(profile)) != expected:
            wrong.append(profile)
    assert wrong == []
    assert number >= 50
