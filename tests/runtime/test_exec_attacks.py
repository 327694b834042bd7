"""What a container must not gain by an `exec`, each tried as the attack does it (shared/RUNTIME.md)."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.runt import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


@pytest.fixture
def running(runt: Runt, bundle: Bundle) -> Runt:
    """Start the container "test", which sleeps."""
    bundle.namespaces("pid").process["args"] = ["sleep", "1000"]
    runt.create(bundle)
    runt.ok("start", "test")
    return runt


def refused(runt: Runt, *words: str, **options: Any) -> str:
    done = runt("exec", *words, **options)
    assert done.returncode == 255
    assert "Traceback" not in done.stderr
    return str(done.stderr)


USERS = [
    *("abc", "0x0", "-1", "+0", " 0", "0 ", "1000:", ":0", ":", "1:2:3", "4294967295", "4294967296"),
    *("1:-1", "1:4294967295", "1.0", "٣", "1_0", "9" * 30, "root", "1:root"),
]


def test_a_malformed_user_is_an_error_and_never_user_0(running: Runt) -> None:
    """CVE-2026-30892."""
    for user in USERS:
        assert "exec failed: bad " in refused(running, f"--user={user}", "test", "id")


def test_the_inheritable_and_ambient_sets_are_empty(running: Runt) -> None:
    """CVE-2022-27650, CVE-2022-29162: whatever capabilities are asked for."""
    seen = running.ok(
        "exec", "-c", "CAP_NET_RAW", "-c", "CAP_KILL", "test", "grep", "Cap", "/proc/self/status"
    )
    sets = dict(line.split(":\t") for line in seen.splitlines())
    assert int(sets["CapInh"], 16) == int(sets["CapAmb"], 16) == 0
    assert int(sets["CapEff"], 16) == int(sets["CapPrm"], 16) == 1 << 13 | 1 << 5


@pytest.mark.parametrize("command", ["exec", "exec --process", "run"])
def test_a_descriptor_of_the_host_is_no_working_directory(
    running: Runt, bundle: Bundle, tmp_path: Path, command: str
) -> None:
    """CVE-2024-21626: the caller has a directory of the host open, and the working directory is that descriptor."""
    wrapper = ["sh", "-c", 'for fd in 3 4 5 6 7 8 9; do eval "exec $fd</"; done; exec "$@"', "sh"]
    for number in range(3, 12):
        cwd = f"/proc/self/fd/{number}"
        process = {"cwd": cwd, "args": ["ls", "-a"], "env": ["PATH=/bin"]}
        if command == "exec":
            words = ["exec", "--cwd", cwd, "test", "ls", "-a"]
        elif command == "run":
            bundle.config["process"] = process
            words = ["run", "-b", str(bundle.save().path), "other"]
        else:
            (tmp_path / "process.json").write_text(json.dumps(process))
            words = ["exec", "--process", f"{tmp_path}/process.json", "test"]
        done = subprocess.run(
            [*wrapper, *running.command(*words)], capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert done.stdout == ""
        assert "cwd" in done.stderr


def test_a_descriptor_of_the_host_leads_to_no_program(running: Runt) -> None:
    for number in range(3, 12):
        refused(running, "test", f"/proc/self/fd/{number}/bin/true")


def test_only_the_standard_streams_and_what_is_preserved_are_open(running: Runt) -> None:
    script = "for fd in /proc/self/fd/*; do echo ${fd##*/}; done"
    wrapper = ["sh", "-c", 'exec 3</dev/null 4</etc/hostname 5</etc/passwd; exec "$@"', "sh"]
    for options, more in (([], []), (["--preserve-fds", "2"], ["3", "4"])):
        command = [*wrapper, *running.command("exec", *options, "test", "sh", "-c", script)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        numbers = done.stdout.split()
        assert numbers[: 3 + len(more)] == ["0", "1", "2", *more]
        # The shell has one more open, for the directory that it lists.
        assert len(numbers) <= 4 + len(more)


def test_nobody_inside_can_look_into_the_process_while_it_enters(runt: Runt, bundle: Bundle) -> None:
    """CVE-2016-9962, CVE-2019-5736: a process inside with the same user and rights looks for another program than the image's."""
    bundle.namespaces("pid").sh(
        "echo ready; while :; do for p in /proc/[0-9]*; do e=$(readlink $p/exe) || continue;"
        " case $e in *busybox) ;; *) echo $e; ls -l $p/fd $p/cwd; esac; done; done"
    )
    output = runt.create(bundle)
    runt.ok("start", "test")
    wait_for(lambda: "ready" in output.read_text())
    for _ in range(10):
        runt.ok("exec", "test", "true")
    assert output.read_text() == "ready\n"
