"""The program's user, limits, capabilities, directory, environment and terminal, as the program itself sees them."""

from __future__ import annotations

import array
import os
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.runt import REPOSITORY, Bundle, Runt, wait_for

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

DEVPTS = [
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
    {
        "destination": "/dev/pts",
        "type": "devpts",
        "source": "devpts",
        "options": ["newinstance", "ptmxmode=0666"],
    },
]


def status_of(bundle: Bundle, runt: Runt) -> dict[str, str]:
    """Run the bundle with a program that prints /proc/self/status; return its lines."""
    bundle.process["args"] = ["cat", "/proc/self/status"]
    lines = [line.split(":", 1) for line in runt.run(bundle).splitlines()]
    return {name: value.strip() for name, value in lines}


def bits(*numbers: int) -> str:
    return f"{sum(1 << number for number in numbers):016x}"


def test_user_with_additional_groups_and_umask(bundle: Bundle, runt: Runt) -> None:
    bundle.process["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [5, 6], "umask": 0o027}
    found = status_of(bundle, runt)
    assert found["Uid"].split() == ["1000"] * 4
    assert found["Gid"].split() == ["1001"] * 4
    assert found["Groups"].split() == ["5", "6"]
    assert found["Umask"] == "0027"


def test_umask_is_the_callers_unless_set_and_no_group_is_inherited(bundle: Bundle, runt: Runt) -> None:
    bundle.process["args"] = ["cat", "/proc/self/status"]
    bundle.save()
    done = subprocess.run(
        ["sh", "-c", "umask 0057; exec " + " ".join(runt.command("run", "-b", str(bundle.path), "test"))],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
        extra_groups=[7, 8],
    )
    assert "Umask:\t0057" in done.stdout
    assert "Groups:\t \n" in done.stdout


def test_groups_of_the_caller_are_kept_where_podman_asks_for_it(bundle: Bundle, runt: Runt) -> None:
    """`podman run --group-add keep-groups` writes the annotation, and needs a runtime that follows it."""
    bundle.process["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [5]}
    bundle.config["annotations"] = {"run.oci.keep_original_groups": "1"}
    groups = os.getgroups()
    os.setgroups([7, 8])
    try:
        assert status_of(bundle, runt)["Groups"].split() == ["7", "8"]
    finally:
        os.setgroups(groups)


def test_capabilities_are_exactly_the_five_sets(bundle: Bundle, runt: Runt) -> None:
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.process["capabilities"] = {
        "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW", "CAP_SETUID"],
        "permitted": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"],
        "effective": ["CAP_KILL"],
        "inheritable": ["CAP_KILL", "CAP_NET_RAW"],
        "ambient": ["CAP_NET_RAW"],
    }
    found = status_of(bundle, runt)
    # After execve by another user than root (capabilities(7)): permitted and effective are what is ambient.
    assert found["CapBnd"] == bits(0, 5, 7, 13)
    assert found["CapInh"] == bits(5, 13)
    assert found["CapAmb"] == bits(13)
    assert found["CapPrm"] == found["CapEff"] == bits(13)


def test_capabilities_before_execve_are_the_configured_ones(bundle: Bundle, runt: Runt) -> None:
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.process["capabilities"] = {
        "bounding": ["CAP_CHOWN", "CAP_KILL"],
        "permitted": ["CAP_CHOWN", "CAP_KILL"],
        "effective": ["CAP_KILL"],
    }
    runt.create(bundle)
    lines = Path(f"/proc/{runt.state()['pid']}/status").read_text().splitlines()
    found = {line.split(":")[0]: line.split(":")[1].strip() for line in lines}
    assert (found["CapPrm"], found["CapEff"], found["CapInh"]) == (bits(0, 5), bits(5), bits())


def test_no_capabilities_in_the_configuration_means_none(bundle: Bundle, runt: Runt) -> None:
    found = status_of(bundle, runt)
    assert {found[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {bits()}


def test_many_invented_capabilities_are_one_warning(bundle: Bundle, runt: Runt) -> None:
    """More names than fit into a message between the two processes."""
    bundle.process["capabilities"] = {"bounding": [f"CAP_{'X' * 100}_{number}" for number in range(2000)]}
    bundle.save()
    done = runt("run", "-b", str(bundle.path), "test")
    assert done.returncode == 0, done.stderr[-500:]
    assert "and 1959 more" in done.stderr


def test_capability_that_cannot_be_granted_is_a_warning(bundle: Bundle, runt: Runt) -> None:
    bundle.process["capabilities"] = {"bounding": ["CAP_FLY", "CAP_KILL"], "ambient": ["CAP_KILL"]}
    bundle.save()
    done = runt("run", "-b", str(bundle.path), "test")
    assert done.returncode == 0
    assert "level=warning" in done.stderr
    assert "not available here: CAP_FLY" in done.stderr
    assert "can't raise ambient capability CAP_KILL: not both" in done.stderr


def test_sets_that_do_not_fit_together_say_so_and_what_was_left_out(bundle: Bundle, runt: Runt) -> None:
    """What was left out of one set may be why the kernel refuses another."""
    bundle.process["capabilities"] = {
        "bounding": ["CAP_FLY"],
        "permitted": ["CAP_CHOWN"],
        "effective": ["CAP_CHOWN", "CAP_KILL"],
        "inheritable": ["CAP_CHOWN"],
    }
    said = runt.fail(bundle)
    assert "not available here: CAP_FLY" in said
    assert (
        "unable to apply caps: operation not permitted: CAP_KILL in effective, but not in permitted" in said
    )
    assert ": CAP_CHOWN in inheritable, but not in bounding" in said


@pytest.mark.parametrize("value", [True, False])
def test_no_new_privileges(bundle: Bundle, runt: Runt, value: bool) -> None:
    bundle.process["noNewPrivileges"] = value
    assert status_of(bundle, runt)["NoNewPrivs"] == str(int(value))


def test_limits(bundle: Bundle, runt: Runt) -> None:
    bundle.process["rlimits"] = [
        {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
        {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
        {"type": "RLIMIT_CPU", "soft": 2**64 - 1, "hard": 2**64 - 1},
        {"type": "RLIMIT_RTTIME", "soft": 5, "hard": 6},
    ]
    bundle.process["args"] = ["cat", "/proc/self/limits"]
    lines = {line[:26].strip(): line[26:].split()[:2] for line in runt.run(bundle).splitlines()}
    assert lines["Max open files"] == ["100", "200"]
    assert lines["Max core file size"] == ["0", "0"]
    assert lines["Max cpu time"] == ["unlimited", "unlimited"]
    assert lines["Max realtime timeout"] == ["5", "6"]


def test_limit_that_may_not_be_raised_is_an_error(bundle: Bundle, runt: Runt) -> None:
    # More descriptors than nr_open is more than any process may have, with any capability.
    hard = int(Path("/proc/sys/fs/nr_open").read_text())
    bundle.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": hard + 1}]
    assert "error setting rlimit type RLIMIT_NOFILE: operation not permitted" in runt.fail(bundle)


def test_oom_score(bundle: Bundle, runt: Runt) -> None:
    bundle.process["oomScoreAdj"] = 321
    bundle.process["args"] = ["cat", "/proc/self/oom_score_adj"]
    assert runt.run(bundle) == "321\n"


@pytest.mark.peer("setpriv")
def test_oom_score_that_may_not_be_lowered_is_an_error(bundle: Bundle, runt: Runt) -> None:
    bundle.process["oomScoreAdj"] = -1000
    bundle.save()
    weak = ["setpriv", "--bounding-set=-sys_resource", *runt.command("run", "-b", str(bundle.path), "weak")]
    done = subprocess.run(weak, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert done.returncode == 1
    assert "oomScoreAdj -1000 can't be set" in done.stderr
    # Docker would report a program that may not be executed, with status 126.
    assert "permission denied" not in done.stderr


def test_environment_is_the_configured_one_with_home(bundle: Bundle, runt: Runt) -> None:
    (bundle.rootfs / "etc").mkdir()
    (bundle.rootfs / "etc/passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n"
    )
    bundle.process.update(
        args=["env"], env=["PATH=/bin", "A=1", "A=2", "B=x=y"], user={"uid": 1000, "gid": 0}
    )
    assert sorted(runt.run(bundle).splitlines()) == ["A=2", "B=x=y", "HOME=/home/me", "PATH=/bin"]
    bundle.process["user"]["uid"] = 4711
    assert "HOME=/\n" in runt.run(bundle)
    bundle.process["env"].append("HOME=/mine")
    assert "HOME=/mine\n" in runt.run(bundle)
    # An empty one counts as missing, and the last one counts.
    bundle.process["env"].append("HOME=")
    bundle.process["user"]["uid"] = 1000
    assert sorted(runt.run(bundle).splitlines()) == ["A=2", "B=x=y", "HOME=/home/me", "PATH=/bin"]


def test_working_directory_is_made_where_it_is_missing(bundle: Bundle, runt: Runt) -> None:
    bundle.process.update(args=["pwd"], cwd="/new/place")
    assert runt.run(bundle) == "/new/place\n"


@pytest.mark.parametrize("number", [3, 4, 5, 6, 7, 8, 9])
def test_working_directory_outside_of_the_root_is_refused(bundle: Bundle, runt: Runt, number: int) -> None:
    (bundle.rootfs / "x").mkdir()
    bundle.process.update(args=["/bin/pwd"], cwd=f"/proc/self/fd/{number}")
    assert "cwd" in runt.fail(bundle)


def test_program_by_relative_path_and_with_the_users_rights(bundle: Bundle, runt: Runt) -> None:
    bundle.process.update(args=["./busybox", "id", "-u"], cwd="/bin", user={"uid": 12, "gid": 12})
    assert runt.run(bundle) == "12\n"
    (bundle.rootfs / "bin/busybox").chmod(0o700)
    assert "permission denied" in runt.fail(bundle)


def test_standard_streams_belong_to_the_program(bundle: Bundle, runt: Runt) -> None:
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.sh("cat; echo to-the-device > /dev/stdout; echo error >&2")
    bundle.save()
    done = runt("run", "-b", str(bundle.path), "test", input="given\n", stdin=None)
    assert done.stdout == "given\nto-the-device\n"
    assert done.stderr == "error\n"


def test_terminal_goes_to_the_console_socket(bundle: Bundle, runt: Runt, tmp_path: Path) -> None:
    bundle.process.update(terminal=True, consoleSize={"height": 33, "width": 99})
    bundle.config["mounts"] += DEVPTS
    bundle.sh(
        "tty; stty size; stat -c %t:%T /dev/console; tty < /dev/console > /dev/tty; read line; echo got $line"
    )
    path = str(tmp_path / "console.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen(1)
        runt.create(bundle, "test", "--console-socket", path)
        connection, _ = listener.accept()
        with connection:
            name, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
    assert name == b"/dev/pts/ptmx"
    master = array.array("i", ancillary[0][2])[0]
    output = bytearray()

    def read_until(text: bytes) -> bool:
        output.extend(os.read(master, 4096))
        return text in output

    runt.ok("start", "test")
    wait_for(lambda: read_until(b"/dev/console\r\n"))
    assert output.decode().split() == ["/dev/pts/0", "33", "99", "88:0", "/dev/console"]
    os.write(master, b"hello\n")
    wait_for(lambda: read_until(b"got hello"))
    os.close(master)


def test_terminal_without_socket_is_refused(bundle: Bundle, runt: Runt) -> None:
    bundle.process["terminal"] = True
    assert "--console-socket" in runt.fail(bundle)


def test_terminal_without_devpts_says_what_is_missing(bundle: Bundle, runt: Runt) -> None:
    bundle.process["terminal"] = True
    assert 'needs a mount of type "devpts" at /dev/pts' in runt.fail(bundle, command="run").replace(
        '\\"', '"'
    )


def test_run_connects_the_terminal(bundle: Bundle, runt: Runt) -> None:
    bundle.process["terminal"] = True
    bundle.config["mounts"] += DEVPTS
    said = runt.run(bundle.sh("tty; read line; echo got $line"), input="hello\n", stdin=None)
    assert said.replace("\r", "").split("\n")[0] in ("/dev/pts/0", "hello")
    assert "got hello" in said


def test_home_is_not_looked_up_in_the_host_by_a_link(bundle: Bundle, runt: Runt) -> None:
    """Links to /proc/self/fd lead to what runt has open of the host (CVE-2024-21626), whatever the number is."""
    bundle.process["user"]["uid"] = 65534
    bundle.sh("echo $HOME")
    passwd = bundle.rootfs / "etc/passwd"
    passwd.parent.mkdir()
    for fd in range(3, 13):
        passwd.unlink(missing_ok=True)
        passwd.symlink_to(f"/proc/self/fd/{fd}/{'../' * 12}etc/passwd")
        assert runt.run(bundle) == "/\n"
