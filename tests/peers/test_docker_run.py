"""`docker run --runtime runt`: a container's settings, seen from inside it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.pseudo_terminal import PseudoTerminal

if TYPE_CHECKING:
    from tests.support.docker import Docker

pytestmark = [pytest.mark.root, pytest.mark.peer("docker", "dockerd", "containerd", "tini")]

CAP_CHOWN, CAP_NET_RAW, CAP_SYS_ADMIN = 1 << 0, 1 << 13, 1 << 21


def status(docker: Docker, *options: str) -> dict[str, str]:
    """Return `/proc/self/status` of a container's program."""
    lines = docker.run(*options, command=["cat", "/proc/self/status"]).splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_a_program_runs_in_the_image_and_its_output_and_status_come_back(docker: Docker) -> None:
    done = docker.try_run(
        command=["sh", "-c", "echo out; echo err >&2; hostname; exit 7"],
    )
    assert done.returncode == 7
    out, hostname = done.stdout.split()
    assert out == "out"
    assert len(hostname) == 12
    assert done.stderr == "err\n"


def test_standard_input_reaches_the_program(docker: Docker) -> None:
    assert docker.run("--interactive", command=["sed", "s/a/b/"], stdin=None, input="banana\n") == "bbnana\n"


def test_what_cannot_be_executed_has_the_statuses_of_a_shell(docker: Docker) -> None:
    """docker-run(1), Exit Status: 127 not found, 126 cannot be invoked, 125 an error of Docker's or the runtime's own."""
    missing = docker.try_run(command=["no-such-program"])
    assert missing.returncode == 127, missing.stderr
    assert "no-such-program" in missing.stderr
    refused = docker.try_run(command=["/etc/passwd"])
    assert refused.returncode == 126, refused.stderr
    assert "permission denied" in refused.stderr.lower()
    nowhere = docker.try_run("--sysctl", "net.no.such=1", command=["true"])
    assert nowhere.returncode in (125, 127), nowhere.stderr
    assert "sysctl" in nowhere.stderr or "/proc/sys" in nowhere.stderr
    assert docker.ok("ps", "--all", "--quiet") == ""


def test_a_terminal(docker: Docker) -> None:
    """`docker run -it`: what is typed is echoed, sizes are passed on, Ctrl-C interrupts, and `exit` ends it all."""
    command = docker.dockerd.command(*docker.arguments("-it", "--rm"))
    with PseudoTerminal(command, dict(os.environ), columns=91, rows=33) as terminal:
        terminal.wait_for("# ")
        terminal.type("tty\r")
        terminal.wait_for("/dev/pts/0")
        # docker sends the size once the container runs: it may come after the prompt.
        terminal.type("until [ \"$(stty size 2>&1)\" = '33 91' ]; do sleep 0.1; done; echo si''zed\r")
        terminal.wait_for("sized")
        # The program that says so is the one that is interrupted.
        terminal.type("sh -c \"echo be''gun; exec sleep 1000\"\r")
        terminal.wait_for("begun")
        terminal.type("\x03")
        terminal.wait_for("# ")
        terminal.type("exit 5\r")
        assert terminal.wait_for_end() == 5


def test_users_and_groups(docker: Docker) -> None:
    assert docker.run("--user=1000:1001", "--group-add=44", command=["id"]).startswith("uid=1000")
    told = docker.run("--user=1000:1001", "--group-add=44", command=["id"])
    assert "gid=1001" in told
    assert "44" in told.partition("groups=")[2]
    assert docker.sh("pwd; echo $HOME $GREETING", "--workdir=/var/log", "--env=GREETING=hello") == (
        "/var/log\n/root hello\n"
    )


def test_capabilities(docker: Docker) -> None:
    normal = int(status(docker)["CapEff"], 16)
    assert normal & CAP_CHOWN
    assert not normal & CAP_SYS_ADMIN
    changed = status(docker, "--cap-drop=CHOWN", "--cap-add=SYS_ADMIN")
    for name in ("CapEff", "CapPrm", "CapBnd"):
        assert not int(changed[name], 16) & CAP_CHOWN
        assert int(changed[name], 16) & CAP_SYS_ADMIN
    none = status(docker, "--cap-drop=ALL", "--cap-add=NET_RAW")
    assert int(none["CapBnd"], 16) == CAP_NET_RAW
    assert int(status(docker, "--user=1000")["CapEff"], 16) == 0


def test_the_default_seccomp_profile_is_in_force(docker: Docker) -> None:
    assert status(docker)["Seccomp"] == "2"
    # One of the calls that the profile forbids without CAP_SYS_ADMIN.
    done = docker.try_run(command=["unshare", "-U", "true"])
    assert done.returncode != 0
    assert "not permitted" in done.stderr


def test_seccomp_can_be_changed_and_switched_off(docker: Docker, tmp_path: Path) -> None:
    assert status(docker, "--security-opt=seccomp=unconfined")["Seccomp"] == "0"
    profile = tmp_path / "no-chmod.json"
    forbidden = {"names": ["chmod", "fchmod", "fchmodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}
    profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [forbidden]}))
    done = docker.try_run(f"--security-opt=seccomp={profile}", command=["chmod", "600", "/etc/passwd"])
    assert done.returncode != 0
    assert "not supported" in done.stderr


def test_no_new_privileges(docker: Docker) -> None:
    assert status(docker)["NoNewPrivs"] == "0"
    assert status(docker, "--security-opt=no-new-privileges")["NoNewPrivs"] == "1"


def test_a_read_only_root_with_a_tmpfs(docker: Docker) -> None:
    script = "touch /x 2>&1; touch /scratch/x && grep ' /scratch ' /proc/self/mounts"
    shown = docker.sh(script, "--read-only", "--tmpfs=/scratch:size=1m,mode=1700,noexec")
    assert "Read-only file system" in shown
    assert "size=1024k" in shown
    assert "mode=1700" in shown
    assert "noexec" in shown


def test_volumes(docker: Docker, tmp_path: Path) -> None:
    """Bind mounts (`-v`, `--mount`), read-only ones, single files, and a named volume that keeps what is in it."""
    (tmp_path / "file").write_text("from the host\n")
    assert docker.sh("cat /v/file; echo back > /v/answer", "-v", f"{tmp_path}:/v") == "from the host\n"
    assert (tmp_path / "answer").read_text() == "back\n"
    refused = docker.sh("echo no > /v/answer; true", "-v", f"{tmp_path}:/v:ro")
    assert refused == ""
    assert (tmp_path / "answer").read_text() == "back\n"
    mount = f"type=bind,source={tmp_path}/file,target=/etc/one,readonly"
    assert docker.sh("cat /etc/one; echo x 2>/dev/null >/etc/one || echo refused", "--mount", mount) == (
        "from the host\nrefused\n"
    )
    docker.sh("echo kept > /data/x", "-v", "callers:/data")
    try:
        assert docker.sh("cat /data/x", "-v", "callers:/data") == "kept\n"
    finally:
        docker.ok("volume", "rm", "callers")


def test_what_is_masked_and_read_only_in_proc(docker: Docker) -> None:
    shown = docker.sh(
        "cat /proc/keys | wc -c; echo 1 2>/dev/null > /proc/sys/kernel/panic || echo refused; ls /proc/acpi 2>/dev/null | wc -l"
    )
    assert shown.split() == ["0", "refused", "0"]


def test_the_hosts_processes_and_network_can_be_shared(docker: Docker) -> None:
    assert docker.sh("echo $$") == "1\n"
    assert docker.sh("cat /proc/1/comm", "--pid=host") == "tini\n"
    network, of_host = ["readlink", "/proc/self/ns/net"], str(Path("/proc/self/ns/net").readlink())
    assert docker.run("--network=host", command=network).strip() == of_host
    assert docker.run(command=network).strip() != of_host
    assert docker.sh("ls /sys/class/net").split() == ["lo"]
    assert docker.run("--uts=host", "--ipc=host", command=["hostname"]).strip() == os.uname().nodename


def test_a_container_in_the_namespaces_of_another(docker: Docker) -> None:
    first = docker.start("--ipc=shareable", "--hostname=first")
    assert "sleep 1000" in docker.sh("ps", f"--pid=container:{first}")
    own = docker.ok("exec", first, "readlink", "/proc/1/ns/ipc")
    assert docker.run(f"--ipc=container:{first}", command=["readlink", "/proc/self/ns/ipc"]) == own


def test_an_init_process_that_reaps(docker: Docker) -> None:
    """`--init`: docker-init (tini) is process 1 and reaps what its child leaves."""
    script = "cat /proc/1/comm; (sleep 0 & exec true) & wait; sleep 0.2; grep -l '^State:.Z' /proc/[0-9]*/status; true"
    assert docker.sh(script, "--init") == "docker-init\n"


def test_sysctls_limits_and_devices(docker: Docker) -> None:
    shown = docker.sh(
        "cat /proc/sys/net/ipv4/ip_default_ttl; ulimit -n; ulimit -Hn",
        "--sysctl=net.ipv4.ip_default_ttl=65",
        "--ulimit=nofile=100:200",
    )
    assert shown.split() == ["65", "100", "200"]
    assert docker.sh("stat -c %F /dev/loop-control || true", "--device=/dev/null:/dev/mine") == ""
    assert (
        docker.sh("echo x > /dev/mine && stat -c %t,%T /dev/mine", "--device=/dev/null:/dev/mine") == "1,3\n"
    )


def test_shared_memory_and_hosts(docker: Docker) -> None:
    shown = docker.sh(
        "df -k /dev/shm | tail -1; cat /etc/hosts; cat /etc/resolv.conf >/dev/null",
        "--shm-size=8m",
        "--add-host=there:10.1.2.3",
    )
    assert "8192" in shown
    assert "10.1.2.3" in shown
