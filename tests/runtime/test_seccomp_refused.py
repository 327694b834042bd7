"""An invalid profile is refused by `config.load`, with its place in the file and the clause."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runtime.config.load import load
from runtime.support.errors import RuntError

if TYPE_CHECKING:
    from pathlib import Path

RULE = {"names": ["read"], "action": "SCMP_ACT_LOG"}
NOTIFY = {"names": ["read"], "action": "SCMP_ACT_NOTIFY"}
ARGUMENT = {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}


def loaded(tmp_path: Path, seccomp: object) -> Any:
    document = {
        "ociVersion": "1.2.0",
        "root": {"path": "rootfs"},
        "process": {"args": ["sh"], "cwd": "/"},
        "linux": {"seccomp": seccomp},
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(document))
    return load(str(path))["linux"].get("seccomp")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"defaultAction": None, "syscalls": [RULE]}, ".defaultAction is required, but missing"),
        ({"defaultAction": "SCMP_ACT_MAYBE"}, ".defaultAction: expected one of SCMP_ACT_ALLOW"),
        ({"defaultAction": "SCMP_ACT_NOTIFY"}, ".defaultAction: SCMP_ACT_NOTIFY cannot be used as default action"),
        ({"defaultErrnoRet": 1}, ".defaultErrnoRet: SCMP_ACT_ALLOW has no error number to return"),
        ({"defaultErrnoRet": -1}, ".defaultErrnoRet: expected a whole number"),
        ({"architectures": ["x86_64"]}, ".architectures[0]: expected one of SCMP_ARCH_AARCH64"),
        ({"flags": ["SECCOMP_FILTER_FLAG_FAST"]}, ".flags[0]: expected one of SECCOMP_FILTER_FLAG_LOG"),
        ({"flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}, ".flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs"),
        ({"listenerMetadata": "x"}, ".listenerMetadata must not be set without listenerPath"),
        ({"syscalls": [NOTIFY]}, ".listenerPath: seccomp listenerPath is not set"),
        (
            {"listenerPath": "/x", "syscalls": [{**NOTIFY, "names": ["read", "write"]}]},
            ".syscalls[0].action: SCMP_ACT_NOTIFY cannot be used for the write syscall",
        ),
        ({"syscalls": [{**RULE, "names": []}]}, ".syscalls[0].names must not be empty"),
        ({"syscalls": [{**RULE, "names": ["a", ""]}]}, ".syscalls[0].names: empty string is not a valid syscall"),
        ({"syscalls": [{"names": ["a"]}]}, ".syscalls[0].action is required, but missing"),
        ({"syscalls": [{**RULE, "action": "SCMP_ACT_X"}]}, ".syscalls[0].action: expected one of"),
        ({"syscalls": [RULE, {**RULE, "errnoRet": 1}]}, ".syscalls[1].errnoRet: SCMP_ACT_LOG has no error number"),
        (
            {"syscalls": [{**RULE, "action": "SCMP_ACT_ERRNO", "errnoRet": 4096}]},
            ".syscalls[0].errnoRet: expected an error number up to 4095, found 4096",
        ),
        ({"syscalls": [{**RULE, "args": [{**ARGUMENT, "index": 6}]}]}, ".syscalls[0].args[0].index: expected"),
        ({"syscalls": [{**RULE, "args": [{**ARGUMENT, "value": 2**64}]}]}, ".syscalls[0].args[0].value: expected"),
        ({"syscalls": [{**RULE, "args": [{**ARGUMENT, "op": "=="}]}]}, ".syscalls[0].args[0].op: expected one of"),
    ],
)  # fmt: skip
def test_wrong_profile_is_refused_by_name(tmp_path: Path, members: dict[str, Any], message: str) -> None:
    with pytest.raises(RuntError) as caught:
        loaded(tmp_path, {"defaultAction": "SCMP_ACT_ALLOW", **members})
    where, _, said = caught.value.message.partition(": ")
    assert where.startswith(f"{tmp_path}/config.json:1:")
    assert said.startswith(f"linux.seccomp{message}")
    assert said.endswith("(config-linux.md, Seccomp)")


@pytest.mark.parametrize("nothing", [{}, {"syscalls": []}, {"defaultAction": "", "flags": []}, None])
def test_profile_that_says_nothing_is_absent(tmp_path: Path, nothing: object) -> None:
    assert loaded(tmp_path, nothing) is None


def test_numbers_of_64_bits_and_for_tracers_of_16_are_taken(tmp_path: Path) -> None:
    trace = {
        "names": ["x"],
        "action": "SCMP_ACT_TRACE",
        "errnoRet": 65535,
        "args": [{**ARGUMENT, "value": 2**64 - 1}],
    }
    profile = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [trace]}
    assert loaded(tmp_path, {**profile, "unknown": 1}) == profile
