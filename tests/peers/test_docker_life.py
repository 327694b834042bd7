"""A container's life under Docker with `runt`: exec, signals, pauses, restarts, logs, health, and a daemon that restarts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.daemons import until
from tests.support.pseudo_terminal import PseudoTerminal
from tutor import patience

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.docker import Docker

pytestmark = [pytest.mark.root, pytest.mark.peer("docker", "dockerd", "containerd", "tini")]

COUNT = "trap 'echo term; exit 9' TERM; n=0; while :; do n=$((n+1)); echo $n > /count; sleep 0.05; done"


def test_exec_joins_the_container(docker: Docker) -> None:
    box = docker.start("--hostname=box")
    assert docker.ok("exec", box, "hostname") == "box\n"
    assert "sleep 1000" in docker.ok("exec", box, "ps")
    given = docker.ok(
        "exec", "-u", "1000:1001", "-w", "/var", "-e", "A=b", box, "sh", "-c", "id -u; id -g; pwd; echo $A"
    )
    assert given.split() == ["1000", "1001", "/var", "b"]
    assert docker.ok("exec", "-i", box, "cat", input="typed", stdin=None) == "typed"
    assert docker("exec", box, "sh", "-c", "exit 3").returncode == 3
    assert docker("exec", box, "no-such-program").returncode in (126, 127)
    inside = docker.ok("exec", box, "cat", "/proc/self/status")
    assert "Seccomp:\t2" in inside
    docker.ok("exec", "-d", box, "sh", "-c", "echo done > /marker")
    until(lambda: docker("exec", box, "cat", "/marker").stdout == "done\n", "the detached program has run")


def test_exec_with_a_terminal(docker: Docker) -> None:
    box = docker.start()
    command = docker.dockerd.command("exec", "-it", box, "sh")
    with PseudoTerminal(command, dict(os.environ), columns=77, rows=22) as terminal:
        terminal.wait_for("# ")
        terminal.type("tty; stty size\r")
        terminal.wait_for("/dev/pts/")
        terminal.wait_for("22 77")
        terminal.type("exit 4\r")
        assert terminal.wait_for_end() == 4


def test_stop_asks_first_and_kill_does_not(docker: Docker) -> None:
    asked = docker.start(command=["sh", "-c", COUNT])
    until(lambda: docker("exec", asked, "cat", "/count").returncode == 0, "it counts")
    docker.ok("stop", asked)
    assert docker.state(asked)["ExitCode"] == 9
    assert docker.ok("logs", asked) == "term\n"
    deaf = docker.start()
    docker.ok("stop", "--time=0", deaf)
    assert docker.state(deaf)["ExitCode"] == 128 + signal.SIGKILL
    docker.ok("start", deaf)
    docker.ok("kill", "--signal=KILL", deaf)
    docker.wait_for_status(deaf, "exited")
    assert docker.state(deaf)["ExitCode"] == 128 + signal.SIGKILL


def test_kill_sends_any_signal(docker: Docker) -> None:
    box = docker.start(
        command=["sh", "-c", "trap 'echo usr1' USR1; echo ready; while :; do sleep 0.05; done"]
    )
    until(lambda: docker.ok("logs", box) == "ready\n", "it is ready")
    docker.ok("kill", "--signal=USR1", box)
    until(lambda: docker.ok("logs", box) == "ready\nusr1\n", "it has had the signal")
    assert docker.state(box)["Running"]


def test_pause_stops_time_for_all_of_its_processes(docker: Docker) -> None:
    box = docker.start("--volume=/count", command=["sh", "-c", COUNT.replace("/count", "/count/n")])
    count = next(mount["Source"] for mount in docker.inspect(box)["Mounts"]) + "/n"

    def counted() -> str:
        with open(count) as file:  # noqa: PTH123
            return file.read()

    until(lambda: os.path.exists(count) and counted(), "it counts")  # noqa: PTH110
    docker.ok("pause", box)
    assert docker.state(box)["Status"] == "paused"
    assert docker("exec", box, "true").returncode != 0
    before = counted()
    # What isn't frozen counts on in the time that this takes.
    docker.ok("top", box)
    assert counted() == before
    docker.ok("unpause", box)
    until(lambda: counted() != before, "it counts again")


def test_restart_and_restart_policies(docker: Docker) -> None:
    box = docker.start(command=["sh", "-c", "echo x >> /starts; exec sleep 1000"])
    docker.ok("restart", "--time=0", box)
    until(lambda: docker("exec", box, "cat", "/starts").stdout == "x\nx\n", "it has started twice")
    again = docker.start("--restart=on-failure:2", command=["sh", "-c", "exit 1"])
    docker.wait_for_status(again, "exited")
    assert docker.inspect(again)["RestartCount"] == 2


def test_logs_attach_and_wait(docker: Docker) -> None:
    box = docker.start(
        "--interactive", command=["sh", "-c", "echo one; echo two >&2; read x; echo $x; exit 6"]
    )
    until(lambda: docker("logs", box).stderr == "two\n", "both lines are in the log")
    assert docker("logs", box).stdout == "one\n"
    pipe = subprocess.PIPE
    with subprocess.Popen(
        docker.dockerd.command("attach", box), stdin=pipe, stdout=pipe, text=True
    ) as attached:
        assert attached.stdin is not None
        assert attached.stdout is not None
        attached.stdin.write("three\n")
        attached.stdin.flush()
        assert attached.stdout.readline() == "three\n"
        assert attached.wait(timeout=patience.scaled(30)) == 6
    assert docker.ok("wait", box) == "6\n"
    assert docker("logs", box).stdout == "one\nthree\n"


def test_files_are_copied_in_and_out_of_a_running_container(docker: Docker, tmp_path: Path) -> None:
    box = docker.start()
    (tmp_path / "file").write_text("carried\n")
    docker.ok("cp", tmp_path / "file", f"{box}:/tmp/file")
    assert docker.ok("exec", box, "cat", "/tmp/file") == "carried\n"
    docker.ok("cp", f"{box}:/tmp/file", tmp_path / "back")
    assert (tmp_path / "back").read_text() == "carried\n"
    assert "A /tmp/file" in docker.ok("diff", box).splitlines()


def test_a_health_check_is_run_in_the_container(docker: Docker) -> None:
    box = docker.start(
        "--health-cmd=test -e /tmp/well || { echo unwell; false; }",
        "--health-interval=200ms",
        "--health-retries=1",
    )

    def health() -> str:
        return str(docker.state(box)["Health"]["Status"])

    until(lambda: health() == "unhealthy", "it is found unhealthy")
    assert docker.state(box)["Health"]["Log"][-1]["Output"] == "unwell\n"
    docker.ok("exec", box, "touch", "/tmp/well")
    until(lambda: health() == "healthy", "it is found healthy")


def test_a_container_lives_on_while_the_daemon_restarts(docker: Docker) -> None:
    """Docker's live-restore: the shim keeps the container, and the new daemon finds it as it was."""
    box = docker.start(command=["sh", "-c", COUNT])
    paused = docker.start()
    docker.ok("pause", paused)
    pid = docker.state(box)["Pid"]
    docker.dockerd.restart()
    assert docker.state(box)["Status"] == "running"
    assert docker.state(box)["Pid"] == pid
    assert docker.ok("exec", box, "echo", "still") == "still\n"
    docker.ok("stop", box)
    assert docker.state(box)["ExitCode"] == 9
    assert docker.state(paused)["Status"] == "paused"
    docker.ok("unpause", paused)
    assert docker.ok("exec", paused, "echo", "awake") == "awake\n"


def test_what_the_container_leaves_is_gone(docker: Docker) -> None:
    """Of a container that was removed there is neither process nor cgroup nor state of the runtime's."""
    box = docker.start("--name=callers-gone")
    docker.ok("rm", "--force", box)
    found = subprocess.run(
        ["find", "/sys/fs/cgroup", "-name", f"*{box}*"], capture_output=True, text=True, check=False
    )
    assert found.stdout == ""
    inside = docker.dockerd.quarters.inside(["find", "/run", "-name", f"*{box}*"])
    assert subprocess.run(inside, capture_output=True, text=True, check=True).stdout == ""


def test_events_tell_the_whole_life(docker: Docker) -> None:
    box = docker.start(command=["true"])
    docker.wait_for_status(box, "exited")
    docker.ok("rm", box)
    told = docker.ok(
        "events",
        "--since=5m",
        f"--until={time.time():.9f}",
        f"--filter=container={box}",
        "--format={{json .}}",
    )
    actions = [json.loads(line)["Action"] for line in told.splitlines()]
    assert [action for action in actions if action in ("create", "start", "die", "destroy")] == [
        "create",
        "start",
        "die",
        "destroy",
    ]
