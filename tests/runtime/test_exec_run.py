"""`exec`: another program in a container, and its settings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.runt import wait_for
from tutor import patience

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

ALL = ("pid", "network", "ipc", "uts", "cgroup", "mount")


@pytest.fixture
def running(runt: Runt, bundle: Bundle) -> Runt:
    """Start the container "test", which sleeps, in namespaces of its own."""
    bundle.namespaces(*ALL)
    bundle.config["hostname"] = "inside"
    bundle.process["args"] = ["sleep", "1000"]
    bundle.process["env"] += ["FROM=config"]
    bundle.process["capabilities"] = {kind: ["CAP_KILL"] for kind in ("bounding", "effective", "permitted")}
    start(runt, bundle)
    return runt


def start(runt: Runt, bundle: Bundle) -> None:
    runt.create(bundle)
    runt.ok("start", "test")


def process_file(path: Path, **members: Any) -> str:
    """Write a file for --process and return its path."""
    file = path / "process.json"
    file.write_text(json.dumps({"cwd": "/", "args": ["true"], "env": ["PATH=/bin"], **members}))
    return str(file)


def namespaces(pid: int | str) -> dict[str, str]:
    """Return the namespaces of a process by their type."""
    kinds = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
    return {kind: str(Path(f"/proc/{pid}/ns/{kind}").readlink()) for kind in kinds}


def refused(runt: Runt, *words: str) -> str:
    """Run an `exec` that fails, and return the message."""
    done = runt("exec", *words)
    assert done.returncode == 255
    assert "Traceback" not in done.stderr
    assert "exec failed: " in done.stderr
    return str(done.stderr)


def test_the_process_is_read_from_a_pipe(running: Runt, tmp_path: Path) -> None:
    """A shell's <(...) is one."""
    text = Path(process_file(tmp_path, args=["echo", "from a pipe"])).read_text()
    said = running.ok("exec", "--process", "/dev/stdin", "test", stdin=None, input=text)
    assert said == "from a pipe\n"
    assert "is a directory" in refused(running, "--process", str(tmp_path), "test")


def test_it_is_where_the_containers_init_process_is(running: Runt) -> None:
    script = "for f in /proc/self/ns/*; do readlink $f; done; cat /proc/self/cgroup; pwd; hostname"
    seen = running.ok("exec", "test", "sh", "-c", script).split()
    pid = running.state()["pid"]
    assert set(namespaces(pid).values()) <= set(seen)
    inside = [line for line in seen if line.count(":") >= 2]
    assert all(line.endswith(":/") for line in inside)
    assert seen[-2:] == ["/", "inside"]


def test_detached_it_is_in_the_containers_cgroup_and_ends_with_it(running: Runt, tmp_path: Path) -> None:
    running.ok("exec", "-d", "--pid-file", f"{tmp_path}/pid", "test", "sleep", "1000", capture_output=False)
    pid = (tmp_path / "pid").read_text()
    cgroups = Path(f"/proc/{pid}/cgroup").read_text()
    assert cgroups == Path(f"/proc/{running.state()['pid']}/cgroup").read_text()
    assert namespaces(pid) == namespaces(running.state()["pid"])
    running.ok("delete", "--force", "test")
    assert not Path(f"/proc/{pid}/exe").exists()


def test_it_enters_a_user_namespace_and_a_container_that_shares_the_rest(runt: Runt, bundle: Bundle) -> None:
    bundle.namespaces("user")
    mapping = [{"containerID": 0, "hostID": 100000, "size": 1000}]
    bundle.linux.update(uidMappings=mapping, gidMappings=mapping)
    bundle.config["mounts"] = []
    bundle.process["args"] = ["sleep", "1000"]
    for path in (bundle.rootfs, *bundle.rootfs.rglob("*")):
        os.chown(path, 100000, 100000, follow_symlinks=False)
    start(runt, bundle)
    assert runt.ok("exec", "-u", "7:8", "test", "id") == "uid=7 gid=8\n"
    pid_file = f"{bundle.path}/pid"
    runt.ok("exec", "-d", "--pid-file", pid_file, "test", "sleep", "1000", capture_output=False)
    pid = Path(pid_file).read_text()
    assert namespaces(pid) == namespaces(runt.state()["pid"])
    runt.ok("delete", "--force", "test")
    wait_for(lambda: not Path(f"/proc/{pid}/exe").exists())


@pytest.mark.parametrize(("script", "status"), [("exit 7", 7), ("kill -9 $$", 137), ("true", 0)])
def test_its_exit_status_is_passed_on(running: Runt, script: str, status: int) -> None:
    assert running("exec", "test", "sh", "-c", script).returncode == status


def test_a_signal_is_for_the_program(running: Runt) -> None:
    script = "trap 'echo term; exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(
        running.command("exec", "test", "sh", "-c", script), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "term\n"
        assert process.wait(10) == 5


def test_the_command_line_changes_what_the_configuration_says(running: Runt) -> None:
    words = ["--cwd", "/tmp", "-e", "A=1", "--env", "B=two words", "-u", "12:34", "-g", "5", "-g", "6"]
    script = "pwd; echo $FROM $A $B $HOME; id -u; id -g; id -G; umask; grep NoNewPrivs /proc/self/status"
    seen = running.ok("exec", *words, "--no-new-privs", "test", "sh", "-c", script)
    assert seen == "/tmp\nconfig 1 two words /\n12\n34\n34 5 6\n0022\nNoNewPrivs:\t1\n"


def test_options_after_the_name_of_the_container_are_the_programs(running: Runt) -> None:
    assert running.ok("exec", "test", "echo", "-t", "--cwd", "x") == "-t --cwd x\n"


def test_the_process_comes_from_a_file(running: Runt, tmp_path: Path) -> None:
    script = "echo $X $FROM; pwd; id -u; umask; ulimit -n; ulimit -Hn; grep -i capbnd /proc/self/status"
    file = process_file(
        tmp_path,
        args=["sh", "-c", script],
        cwd="/tmp",
        env=["PATH=/bin", "X=file"],
        user={"uid": 5, "gid": 6, "umask": 0o77},
        rlimits=[{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}],
        capabilities={"bounding": ["CAP_CHOWN"]},
    )
    seen = running.ok("exec", "--process", file, "test").split("\n")
    assert seen[:6] == ["file", "/tmp", "5", "0077", "100", "200"]
    assert int(seen[6].split()[1], 16) == 1


def test_what_the_file_leaves_out_is_the_containers(running: Runt, tmp_path: Path) -> None:
    file = process_file(tmp_path, args=["grep", "-i", "cap", "/proc/self/status"])
    seen = running.ok("exec", "-p", file, "test").split()
    sets = dict(zip(seen[::2], (int(mask, 16) for mask in seen[1::2]), strict=True))
    assert sets == {"CapInh:": 0, "CapPrm:": 1 << 5, "CapEff:": 1 << 5, "CapBnd:": 1 << 5, "CapAmb:": 0}


def test_an_empty_object_of_capabilities_means_none(running: Runt, tmp_path: Path) -> None:
    file = process_file(tmp_path, args=["grep", "CapBnd", "/proc/self/status"], capabilities={})
    assert running.ok("exec", "-p", file, "test") == "CapBnd:\t0000000000000000\n"


def test_the_oom_score_is_the_containers_whatever_the_file_says(
    runt: Runt, bundle: Bundle, tmp_path: Path
) -> None:
    bundle.namespaces("pid").process.update(args=["sleep", "1000"], oomScoreAdj=77)
    start(runt, bundle)
    file = process_file(tmp_path, args=["cat", "/proc/self/oom_score_adj"], oomScoreAdj=100)
    assert runt.ok("exec", "-p", file, "test") == "77\n"


@pytest.mark.parametrize("options", [[], ["--no-new-keyring"]])
def test_it_shares_the_containers_session_keyring_if_that_has_one(
    runt: Runt, bundle: Bundle, options: list[str]
) -> None:
    container_id = f"keyring-{os.getpid()}-{len(options)}"
    # Others of the same user may be seen too.
    show = ["sh", "-c", f"grep _ses.{container_id} /proc/keys | busybox cut -c 1-8"]
    bundle.namespaces("pid").process["args"] = ["sh", "-c", f"{show[2]}; echo end; sleep 1000"]
    output = runt.create(bundle, container_id, *options)
    runt.ok("start", container_id)
    wait_for(lambda: "end" in output.read_text())
    assert runt.ok("exec", container_id, *show) == output.read_text().removesuffix("end\n")
    assert len(output.read_text().split()) == (1 if options else 2)


def test_a_created_container_can_be_entered(runt: Runt, bundle: Bundle) -> None:
    runt.create(bundle.namespaces("pid"))
    assert runt.ok("exec", "test", "echo", "early") == "early\n"
    assert runt.state()["status"] == "created"


def test_a_sub_cgroup_of_the_container_can_be_asked_for(runt: Runt, bundle: Bundle) -> None:
    bundle.process["args"] = ["sleep", "1000"]
    bundle.namespaces("pid", "cgroup")
    start(runt, bundle)
    lines = Path(f"/proc/{runt.state()['pid']}/cgroup").read_text().split()
    own = next(line for line in lines if "pids" in line or line.startswith("0::/"))
    hierarchy = own.split(":")[1]
    leaf = Path(f"/sys/fs/cgroup/{hierarchy}{own.split(':', 2)[2]}")
    (leaf / "below").mkdir()
    prefix = f"{hierarchy}:" if hierarchy else ""
    seen = runt.ok("exec", "--cgroup", f"{prefix}below", "test", "cat", "/proc/self/cgroup")
    assert [line for line in seen.split() if line.endswith("/below")]
    assert "bad sub cgroup path" in refused(runt, "--cgroup", f"{prefix}../..", "test", "true")
    assert "no such file or directory" in refused(runt, "--cgroup", f"{prefix}none", "test", "true")


def test_the_messages_that_docker_turns_into_127_and_126(running: Runt, bundle: Bundle) -> None:
    (bundle.rootfs / "plain").write_text("")
    assert "no such file or directory" in refused(running, "test", "/none")
    assert "no such file or directory" in refused(running, "test", "none")
    assert "permission denied" in refused(running, "test", "/plain")
    assert "no such file or directory" in refused(running, "--cwd", "/none", "test", "true")


def test_what_cannot_be_executed_leaves_no_process(running: Runt, bundle: Bundle) -> None:
    (bundle.rootfs / "odd").write_text("not a program")
    (bundle.rootfs / "odd").chmod(0o755)
    assert "exec format error" in refused(running, "test", "/odd")
    assert running.ok("exec", "test", "ps", "-o", "comm").split() == ["COMMAND", "sleep", "ps"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["test"], "exec args cannot be empty"),
        (["none", "true"], "container does not exist"),
        (["--cwd", "tmp", "test", "true"], "Cwd must be an absolute path"),
        (["--env", "NAME", "test", "true"], "invalid --env argument"),
        (["--tty", "--detach", "test", "true"], "cannot allocate tty"),
        (["--console-socket", "/x", "test", "true"], "cannot use console socket"),
        (["--preserve-fds", "50", "test", "true"], "cannot preserve file descriptor"),
        (["--pidfd-socket", "/none", "test", "true"], "cannot connect to the pidfd socket"),
        (["--process", "/none", "test"], "/none not found"),
    ],
)
def test_what_makes_no_sense_is_refused(running: Runt, words: list[str], message: str) -> None:
    assert message in refused(running, *words)


def test_a_mistake_in_the_file_is_shown_in_its_place(running: Runt, tmp_path: Path) -> None:
    file = process_file(tmp_path, rlimits=[{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}])
    message = refused(running, "--process", file, "test")
    assert f"{file}:1:" in message
    assert "process.rlimits[0]: the soft limit 2 is above the hard limit 1 (config.md, Process)" in message


def test_a_paused_container_is_entered_only_on_request(running: Runt) -> None:
    running.ok("pause", "test")
    assert "cannot exec in a paused container (use --ignore-paused" in refused(running, "test", "true")
    command = running.command("exec", "--ignore-paused", "test", "echo", "late")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        running.ok("resume", "test")
        assert process.communicate(timeout=patience.scaled(10))[0] == "late\n"
        assert process.returncode == 0


def test_a_stopped_container_cannot_be_entered(runt: Runt, bundle: Bundle) -> None:
    start(runt, bundle)
    runt.wait_until_stopped()
    assert "cannot exec in a stopped container" in refused(runt, "test", "true")


def test_without_a_mount_namespace_of_its_own_it_is_in_the_containers_root(
    runt: Runt, bundle: Bundle
) -> None:
    """In a mount namespace of the test's: what the container mounts is mounted there."""
    bundle.linux["namespaces"] = [{"type": "pid"}]
    bundle.config["mounts"] = []
    bundle.process["args"] = ["sleep", "1000"]
    bundle.save()
    words = [" ".join(runt.command(*words)) for words in (
        ("run", "-d", "-b", str(bundle.path), "test"),
        ("exec", "test", "sh", "-c", "'pwd; echo /*; cd ../..; pwd'"),
        ("exec", "--cwd", "/proc/self/cwd", "test", "pwd"),
        ("delete", "--force", "test"),
    )]  # fmt: skip
    script = f"{words[0]} >/dev/null; {words[1]}; {words[2]} 2>/dev/null; {words[3]}"
    unshare = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]
    done = subprocess.run(
        unshare,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=patience.scaled(30),
        check=False,
    )
    assert done.stdout == "/\n/bin /dev /proc /tmp\n/\n", done.stderr


@pytest.mark.parametrize("words", [["test", "sleep", "20"], ["--detach", "test", "true"]])
def test_interrupted_at_any_moment_it_says_nothing_and_leaves_nothing(
    running: Runt, words: list[str]
) -> None:
    for delay in range(12):
        with subprocess.Popen(
            running.command("exec", *words),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # As the launcher does: `interrupts` unblocks them.
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]),
        ) as process:
            # Any moment will do: this spreads them over the time that it takes.
            time.sleep(0.01 + delay * 0.012)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=patience.scaled(10))
        assert said == ""
        assert process.returncode in (130, 0)
    # Zombies are for process 1 of the host to wait for.
    script = "ps -o stat,comm | grep -v ^Z | busybox awk '{print $2}'"
    assert running.ok("exec", "test", "sh", "-c", script).split()[:3] == ["COMMAND", "sleep", "sh"]
