"""SCMP_ACT_NOTIFY: an agent outside the container is notified, in `create` and `exec` (config-linux.md, Seccomp)."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING, Any

import pytest

from runtime.seccomp.numbers import numbers_of
from tests.support.runt import wait_for
from tests.support.seccomp_agent import GO_ON, Agent

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

NUMBERS = numbers_of("SCMP_ARCH_X86_64")
MKDIR = {NUMBERS["mkdir"], NUMBERS["mkdirat"]}


def full_disk(number: int) -> int:
    """Refuse mkdir, and let everything else happen."""
    return errno.ENOSPC if number in MKDIR else GO_ON


def notify(path: Path, names: list[str], **more: Any) -> dict[str, Any]:
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "listenerPath": str(path),
        "syscalls": [{"names": names, "action": "SCMP_ACT_NOTIFY"}],
        **more,
    }


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_agent_answers_for_the_kernel(
    bundle: Bundle, runt: Runt, tmp_path: Path, no_new_privileges: bool
) -> None:
    bundle.process["noNewPrivileges"] = no_new_privileges
    bundle.config["annotations"] = {"key": "value"}
    bundle.namespaces("pid").sh("mkdir /tmp/x; touch /tmp/y; echo done; sleep 100")
    path = tmp_path / "agent"
    bundle.linux["seccomp"] = notify(path, ["mkdir", "mkdirat"], listenerMetadata="for the agent")
    with Agent(path, full_disk) as agent:
        output = runt.create(bundle)
        pid = runt.state()["pid"]
        runt.ok("start", "test")
        wait_for(lambda: "done" in output.read_text())
        assert "No space left on device" in output.read_text()
        done = runt("exec", "test", "mkdir", "/tmp/z")
        assert "No space left on device" in done.stderr
        assert set(agent.asked) <= MKDIR
        assert len(agent.asked) == 2
        assert agent.extra == b""
        created, executed = agent.states
        runt.ok("delete", "--force", "test")
    state = {
        "ociVersion": "1.3.0",
        "id": "test",
        "pid": pid,
        "bundle": str(bundle.path),
        "annotations": {"key": "value"},
    }
    assert created == {
        "ociVersion": "1.3.0",
        "fds": ["seccompFd"],
        "pid": pid,
        "metadata": "for the agent",
        "state": {**state, "status": "creating"},
    }
    assert executed["pid"] not in (0, pid)
    assert executed["state"] == {**state, "status": "running"}


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_all_calls_but_write_can_wait_for_the_agent(
    bundle: Bundle, runt: Runt, tmp_path: Path, no_new_privileges: bool
) -> None:
    """Also the calls of runt itself: the agent has the listener before the first of them."""
    bundle.process.update(noNewPrivileges=no_new_privileges, user={"uid": 1000, "gid": 1000})
    bundle.process["args"] = ["echo", "hello"]
    path = tmp_path / "agent"
    bundle.linux["seccomp"] = notify(path, sorted(NUMBERS.keys() - {"write"}))
    with Agent(path, full_disk) as agent:
        assert runt.run(bundle) == "hello\n"
        assert {NUMBERS["read"], NUMBERS["execve"], NUMBERS["exit_group"]} <= set(agent.asked)


def test_agent_that_is_not_there_is_an_error_before_anything_is_made(
    bundle: Bundle, runt: Runt, tmp_path: Path
) -> None:
    bundle.linux["seccomp"] = notify(tmp_path / "nobody", ["mkdir"])
    said = runt.fail(bundle)
    assert f"cannot connect to the seccomp agent specified in the seccomp profile: {tmp_path}/nobody" in said


def test_agent_is_not_needed_where_no_rule_asks_for_one(bundle: Bundle, runt: Runt, tmp_path: Path) -> None:
    bundle.linux["seccomp"] = notify(tmp_path / "nobody", ["mkdir"])
    bundle.linux["seccomp"]["syscalls"][0]["action"] = "SCMP_ACT_ERRNO"
    bundle.sh("mkdir /tmp/x || echo failed")
    assert runt.run(bundle) == "failed\n"


def test_flag_for_agents_is_taken(bundle: Bundle, runt: Runt, tmp_path: Path) -> None:
    flag = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
    if flag not in json.loads(runt.ok("features"))["linux"]["seccomp"]["supportedFlags"]:
        pytest.skip("this kernel is older than 5.19")
    path = tmp_path / "agent"
    bundle.linux["seccomp"] = notify(path, ["mkdir"], flags=[flag])
    bundle.sh("mkdir /tmp/x || echo failed")
    with Agent(path, full_disk):
        assert runt.run(bundle) == "failed\n"
