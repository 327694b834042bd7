"""create, start and run of the seed's container, and their errors."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.runt import REPOSITORY, Bundle, Runt, in_private_mounts, wait_for
from tutor import patience

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

SEED: dict[str, Any] = {
    "ociVersion": "1.0.0",
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["echo", "alpine"],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        "cwd": "/",
    },
    "root": {"path": "rootfs"},
    "linux": {},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
}


def said_in_private_mounts(script: str, cwd: Path, runt: Runt) -> str:
    """Return all that a shell script prints in a mount namespace of its own."""
    done = in_private_mounts(script, runt, cwd)
    return done.stdout + done.stderr


def test_seed_walks_through_its_whole_life(bundle: Bundle, runt: Runt) -> None:
    bundle.config = SEED
    bundle.save()
    said = said_in_private_mounts(
        """
        $RUNT create alpine-test > out 2>&1
        test ! -s out
        $RUNT list | tail -1 | tr -s ' ' | cut -d' ' -f1,3,6
        grep -c " $PWD/rootfs/proc .* - proc " /proc/self/mountinfo
        $RUNT start alpine-test
        while ! $RUNT state alpine-test | grep -q stopped; do :; done
        cat out
        $RUNT list | tail -1 | tr -s ' ' | cut -d' ' -f1-3,6
        $RUNT delete alpine-test
        $RUNT list
        grep -c rootfs /proc/self/mountinfo || true
        """,
        bundle.path,
        runt,
    )
    assert said.splitlines() == [
        "alpine-test created root",
        "1",
        "alpine",
        "alpine-test 0 stopped root",
        "ID          PID         STATUS      BUNDLE      CREATED     OWNER",
        "0",
    ]


def test_two_containers_of_one_root_without_mount_namespaces(bundle: Bundle, runt: Runt) -> None:
    bundle.config = SEED
    bundle.save()
    script = """
    $RUNT create first > first.out 2>&1
    $RUNT create second > second.out 2>&1
    $RUNT delete --force DELETED
    test -r rootfs/proc/self/stat || echo gone
    $RUNT start OTHER
    while ! $RUNT state OTHER | grep -q stopped; do :; done
    cat OTHER.out
    $RUNT delete OTHER
    grep -c -e rootfs /proc/self/mountinfo || true
    """
    for deleted, other in (("first", "second"), ("second", "first")):
        said = said_in_private_mounts(
            script.replace("DELETED", deleted).replace("OTHER", other), bundle.path, runt
        )
        assert said == ("gone\nalpine\n0\n" if deleted == "first" else "alpine\n0\n")


def test_a_mount_of_the_host_may_have_any_name(bundle: Bundle, runt: Runt) -> None:
    """The kernel escapes neither a carriage return in mountinfo nor the line separators of Unicode."""
    odd = r"""
    odd="$(printf 'a\rb\342\200\250c d')"
    mkdir "$odd"
    mount -t tmpfs none "$odd"
    """
    bundle.sh("echo inside").save()
    run = "$RUNT run one; $RUNT run --no-pivot two"
    assert said_in_private_mounts(odd + run, bundle.path, runt) == "inside\ninside\n"
    bundle.config = SEED
    bundle.save()
    run = "$RUNT run three; grep -c rootfs /proc/self/mountinfo || true"
    assert said_in_private_mounts(odd.replace("mkdir", ":") + run, bundle.path, runt) == "alpine\n0\n"


def test_init_waits_in_an_open_of_the_exec_fifo(bundle: Bundle, runt: Runt) -> None:
    output = runt.create(bundle.sh("echo started"))
    pid = runt.state()["pid"]
    syscall = Path(f"/proc/{pid}/syscall").read_text().split()
    numbers = {"x86_64": "257", "aarch64": "56"}
    assert syscall[0] == numbers[os.uname().machine]
    assert Path(f"/proc/{pid}/comm").read_text() == "runt:[INIT]\n"
    open_files = {link.name: str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    assert open_files.pop("0") == "/dev/null"
    assert open_files.pop("1") == open_files.pop("2") == str(output)
    assert list(open_files.values()) == [f"{runt.root}/test/exec.fifo"], "more than exec.fifo is open"
    assert output.read_text() == ""
    runt.ok("start", "test")
    runt.wait_until_stopped()
    assert output.read_text() == "started\n"


def test_changes_of_config_json_after_create_have_no_effect(bundle: Bundle, runt: Runt) -> None:
    output = runt.create(bundle.sh("echo before"))
    bundle.sh("echo after").save()
    runt.ok("start", "test")
    runt.wait_until_stopped()
    assert output.read_text() == "before\n"


def test_container_without_a_process_is_created_and_never_started(bundle: Bundle, runt: Runt) -> None:
    del bundle.config["process"]
    runt.create(bundle.namespaces("pid"))
    done = runt("start", "test")
    assert done.returncode == 1
    assert "config.json has no process (runtime.md, Start)" in done.stderr
    assert runt.state()["status"] == "created"
    runt.ok("delete", "--force", "test")
    assert runt("run", "-b", str(bundle.path), "test").returncode == 1
    assert runt.ok("list", "-q") == ""


@pytest.mark.parametrize("moment", ["started", "stopped"])
def test_start_refuses_what_is_not_created(bundle: Bundle, runt: Runt, moment: str) -> None:
    output = runt.create(bundle.sh("echo once; exec sleep 100" if moment == "started" else "echo once"))
    runt.ok("start", "test")
    wait_for(lambda: output.read_text() == "once\n")
    if moment == "stopped":
        runt.wait_until_stopped()
    refused = runt("start", "test")
    assert refused.returncode == 1
    assert "start needs a container that is created" in refused.stderr
    assert output.read_text() == "once\n"


def test_start_of_a_killed_container_does_not_hang(bundle: Bundle, runt: Runt) -> None:
    runt.create(bundle)
    os.kill(runt.state()["pid"], signal.SIGKILL)
    refused = runt("start", "test", timeout=patience.scaled(10))
    # On a busy machine it may still be dying when `start` looks.
    assert re.search("cannot start a container that has stopped|init process has died", refused.stderr)


@pytest.mark.parametrize("signum", ["TERM", "INT", "KILL"])
def test_created_container_ends_by_a_signal_even_as_first_of_its_pid_namespace(
    bundle: Bundle, runt: Runt, signum: str
) -> None:
    runt.create(bundle.namespaces("pid"))
    runt.ok("kill", "test", signum)
    runt.wait_until_stopped()


def test_id_that_is_in_use_is_refused_and_nothing_happens_to_its_owner(bundle: Bundle, runt: Runt) -> None:
    runt.create(bundle)
    before = runt.state()
    again = runt("create", "-b", str(bundle.path), "test")
    assert again.returncode == 1
    assert "container with given ID already exists" in again.stderr
    assert runt.state() == before


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("nosuch", 'exec: "nosuch": executable file not found in $PATH: no such file or directory'),
        ("/bin/nosuch", 'exec: "/bin/nosuch": stat /bin/nosuch: no such file or directory'),
        ("/tmp", 'exec: "/tmp": permission denied'),
        ("/tmp/file", 'exec: "/tmp/file": permission denied'),
    ],
)
def test_program_that_cannot_run_fails_at_create(
    bundle: Bundle, runt: Runt, program: str, message: str
) -> None:
    (bundle.rootfs / "tmp/file").write_text("no program")
    bundle.process["args"] = [program]
    said = runt.fail(bundle)
    assert message in said.replace('\\"', '"')


def test_program_that_is_no_program_fails_at_start(bundle: Bundle, runt: Runt) -> None:
    program = bundle.rootfs / "tmp/file"
    program.write_text("no program")
    program.chmod(0o755)
    bundle.process["args"] = ["/tmp/file"]
    runt.create(bundle)
    failed = runt("start", "test")
    assert failed.returncode == 1
    assert "exec format error" in failed.stderr
    runt.wait_until_stopped()


def test_failure_names_the_step_and_leaves_nothing(bundle: Bundle, runt: Runt) -> None:
    bundle.config["mounts"].append({"destination": "/x", "type": "nosuchfs", "source": "x"})
    container_id = f"fails-{os.getpid()}"
    said = runt.fail(bundle, container_id)
    assert "step mount_filesystems" in said
    assert 'error mounting "x" to rootfs at "/x"' in said.replace('\\"', '"')
    assert "no such device" in said
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{container_id}*"))


def test_missing_root_is_named(bundle: Bundle, runt: Runt) -> None:
    bundle.config["root"]["path"] = "nowhere"
    assert f"{bundle.path}/nowhere is not a directory" in runt.fail(bundle)


def test_run_returns_the_exit_status_of_the_program(bundle: Bundle, runt: Runt) -> None:
    bundle.sh("exit 7").save()
    assert runt("run", "-b", str(bundle.path), "test").returncode == 7
    bundle.sh("kill -9 $$").save()
    assert runt("run", "-b", str(bundle.path), "test").returncode == 128 + 9
    assert runt.ok("list", "-q") == ""


def test_run_detached_leaves_the_container_running(bundle: Bundle, runt: Runt) -> None:
    bundle.sh("exec sleep 100").save()
    pid_file = bundle.path / "pid"
    done = runt(
        "run", "-d", "--pid-file", str(pid_file), "-b", str(bundle.path), "test", capture_output=False
    )
    assert done.returncode == 0
    state = runt.state()
    assert state["status"] == "running"
    assert pid_file.read_text() == str(state["pid"])


def test_run_passes_signals_on(bundle: Bundle, runt: Runt) -> None:
    bundle.sh("trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done").save()
    with subprocess.Popen(
        runt.command("run", "-b", str(bundle.path), "test"), stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=patience.scaled(10)) == 5


def test_hooks_run_in_order_with_the_state_and_in_the_right_namespaces(bundle: Bundle, runt: Runt) -> None:
    log = bundle.path / "log"
    inside = bundle.rootfs / "log"

    def hook(kind: str, path: Path, shell: str) -> list[dict[str, Any]]:
        script = f"echo {kind} $(readlink /proc/self/ns/mnt) $(tr -d '\\n') >> {path}"
        return [{"path": shell, "args": ["sh", "-c", script], "env": ["PATH=/bin:/usr/bin"]}]

    host_kinds = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")
    bundle.config["hooks"] = {kind: hook(kind, log, "/bin/sh") for kind in host_kinds}
    bundle.config["hooks"]["startContainer"] = hook("startContainer", Path("/log"), "/bin/sh")
    bundle.namespaces("pid").sh("echo program >> /log")
    runt.create(bundle)
    created = [line.split(" ", 2) for line in log.read_text().splitlines()]
    pid = runt.state()["pid"]
    own = str(Path("/proc/self/ns/mnt").readlink())
    of_container = str(Path(f"/proc/{pid}/ns/mnt").readlink())
    assert [(kind, ns) for kind, ns, _ in created] == [
        ("prestart", own),
        ("createRuntime", own),
        ("createContainer", of_container),
    ]
    states = [json.loads(state) for _, _, state in created]
    assert [state["status"] for state in states] == ["created"] * 3
    assert [state["pid"] for state in states] == [pid, pid, 1]
    assert not inside.exists()
    runt.ok("start", "test")
    runt.wait_until_stopped()
    first, second = inside.read_text().splitlines()
    assert first.startswith(f"startContainer {of_container} ")
    assert json.loads(first.split(" ", 2)[2])["status"] == "created"
    assert second == "program"
    runt.ok("delete", "test")
    assert [line.split(" ")[0] for line in log.read_text().splitlines()[3:]] == ["poststart", "poststop"]


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer"])
def test_hook_that_fails_undoes_the_creation(bundle: Bundle, runt: Runt, kind: str) -> None:
    gone = bundle.path / "gone"
    bundle.config["hooks"] = {
        kind: [{"path": "/bin/sh", "args": ["sh", "-c", "echo no good; exit 3"]}],
        "poststop": [{"path": "/bin/sh", "args": ["sh", "-c", f"echo gone > {gone}"]}],
    }
    said = runt.fail(bundle)
    assert f"error running {kind} hook #0" in said
    assert "exit status 3: no good" in said
    assert gone.read_text() == "gone\n"


def test_start_container_hook_that_fails_stops_and_deletes_the_container(bundle: Bundle, runt: Runt) -> None:
    bundle.config["hooks"] = {"startContainer": [{"path": "/bin/false"}]}
    output = runt.create(bundle.sh("echo never"))
    failed = runt("start", "test")
    assert failed.returncode == 1
    assert "error running startContainer hook #0" in failed.stderr
    assert runt.ok("list", "-q") == ""
    assert output.read_text() == ""


def test_only_preserved_descriptors_reach_the_program(bundle: Bundle, runt: Runt) -> None:
    bundle.sh("cat <&3; ls /proc/self/fd").save()
    (bundle.path / "first").write_text("first\n")
    words = " ".join(runt.command("run", "--preserve-fds", "1", "-b", str(bundle.path), "test"))
    done = subprocess.run(
        ["bash", "-c", f"exec 3<first 4</etc/passwd 7</etc/passwd; exec {words}"],
        cwd=bundle.path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    # The last one is the directory that `ls` itself reads.
    assert done.stdout.split() == ["first", "0", "1", "2", "3", "4"], done.stderr


def test_preserving_what_is_not_open_is_refused(bundle: Bundle, runt: Runt) -> None:
    bundle.save()
    refused = runt("create", "--preserve-fds", "50", "-b", str(bundle.path), "test")
    assert "it is not open" in refused.stderr
