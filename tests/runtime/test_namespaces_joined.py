"""Namespaces: new ones of all eight types, joined ones, user mappings and clocks, as the kernel shows them."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.runt import Bundle

if TYPE_CHECKING:
    from tests.support.runt import Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

FILES = {
    "pid": "pid",
    "network": "net",
    "mount": "mnt",
    "ipc": "ipc",
    "uts": "uts",
    "user": "user",
    "cgroup": "cgroup",
    "time": "time",
}
MAPPINGS = [{"containerID": 0, "hostID": 100000, "size": 65536}]


def inode(file: str, pid: int | str = "self") -> str:
    return str(Path(f"/proc/{pid}/ns/{file}").readlink())


def with_user_namespace(bundle: Bundle, *kinds: str) -> Bundle:
    bundle.namespaces("user", *kinds)
    bundle.linux["uidMappings"] = bundle.linux["gidMappings"] = MAPPINGS
    for path in (bundle.rootfs, *bundle.rootfs.rglob("*")):
        os.chown(path, 100000, 100000, follow_symlinks=False)
    return bundle


@pytest.fixture
def other(tmp_path: Path, runt: Runt) -> int:
    """The init process of another container, with namespaces of its own in a user namespace of its own."""
    bundle = with_user_namespace(Bundle(tmp_path / "other"), "network", "ipc", "uts", "pid")
    bundle.config["hostname"] = "other"
    runt.create(bundle, "other")
    return int(runt.state("other")["pid"])


@pytest.mark.parametrize("kind", list(FILES))
def test_each_type_is_new_where_asked_and_the_hosts_elsewhere(bundle: Bundle, runt: Runt, kind: str) -> None:
    if kind == "user":
        with_user_namespace(bundle).config["mounts"] = []
    else:
        bundle.namespaces(kind)
    runt.create(bundle)
    pid = runt.state()["pid"]
    new = {name for name, file in FILES.items() if inode(file, pid) != inode(file)}
    assert new == {kind, "mount"}


def test_all_eight_at_once(bundle: Bundle, runt: Runt) -> None:
    with_user_namespace(bundle, *FILES)
    runt.create(bundle)
    pid = runt.state()["pid"]
    assert {name for name, file in FILES.items() if inode(file, pid) != inode(file)} == set(FILES)


def test_program_is_the_first_process_and_sees_no_other(bundle: Bundle, runt: Runt) -> None:
    bundle.namespaces("pid").sh("echo $$; ls /proc | grep -c '^[0-9]'")
    own, count = runt.run(bundle).split()
    assert own == "1"
    # ls and grep, both halves of the pipe in one moment.
    assert int(count) <= 3


def test_user_namespace_maps_its_root_to_a_user_of_the_host(bundle: Bundle, runt: Runt) -> None:
    with_user_namespace(bundle, "pid", "network", "ipc", "uts", "cgroup")
    bundle.config["hostname"] = "inside"
    bundle.config["mounts"] += [
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
        {
            "destination": "/dev/pts",
            "type": "devpts",
            "source": "devpts",
            "options": ["newinstance", "ptmxmode=0666"],
        },
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]},
    ]
    bundle.sh(
        "id -u; tr -s ' ' </proc/self/uid_map; hostname; echo x >/tmp/made && echo y >/dev/null; stat -c %t:%T /dev/zero"
    )
    assert runt.run(bundle).split("\n") == ["0", " 0 100000 65536", "inside", "1:5", ""]
    made = (bundle.rootfs / "tmp/made").stat()
    assert (made.st_uid, made.st_gid) == (100000, 100000)


def test_root_without_an_empty_dev_can_be_used_twice_in_a_user_namespace(bundle: Bundle, runt: Runt) -> None:
    with_user_namespace(bundle, "pid").sh("echo y >/dev/null && cat /dev/null")
    runt.run(bundle)
    runt.run(bundle)


def test_bind_source_that_only_the_hosts_root_can_reach(bundle: Bundle, runt: Runt) -> None:
    private = bundle.path / "private"
    private.mkdir(mode=0o700)
    (private / "file").write_text("secret\n")
    with_user_namespace(bundle, "pid")
    bundle.config["mounts"].append(
        {"destination": "/tmp/f", "source": str(private / "file"), "options": ["bind"]}
    )
    assert runt.run(bundle.sh("cat /tmp/f")) == "secret\n"


def test_joined_namespaces_are_those_of_the_path(bundle: Bundle, runt: Runt, other: int) -> None:
    kinds = ("network", "ipc", "uts", "pid")
    bundle.linux["namespaces"] += [
        {"type": kind, "path": f"/proc/{other}/ns/{FILES[kind]}"} for kind in kinds
    ]
    output = runt.create(bundle.sh("hostname; ls /proc | grep -c '^[0-9]'; echo $$"))
    pid = runt.state()["pid"]
    for kind in kinds:
        assert inode(FILES[kind], pid) == inode(FILES[kind], other)
    assert inode("user", pid) == inode("user")
    runt.ok("start", "test")
    runt.wait_until_stopped()
    hostname, _, own = output.read_text().split()
    assert hostname == "other"
    assert own != "1"


def test_joined_user_namespace_owns_the_new_ones(bundle: Bundle, runt: Runt, other: int) -> None:
    with_user_namespace(bundle, "pid", "ipc")
    del bundle.linux["uidMappings"], bundle.linux["gidMappings"]
    bundle.linux["namespaces"] = [
        *(n for n in bundle.linux["namespaces"] if n["type"] != "user"),
        {"type": "network", "path": f"/proc/{other}/ns/net"},
        {"type": "user", "path": f"/proc/{other}/ns/user"},
    ]
    bundle.process["capabilities"] = {
        name: ["CAP_SYS_ADMIN"] for name in ("bounding", "effective", "permitted", "inheritable")
    }
    output = runt.create(bundle.sh("id -u; echo $$; mount -t tmpfs x /tmp && echo mounted"))
    pid = runt.state()["pid"]
    assert inode("user", pid) == inode("user", other)
    assert inode("net", pid) == inode("net", other)
    assert inode("pid", pid) not in (inode("pid", other), inode("pid"))
    runt.ok("start", "test")
    runt.wait_until_stopped()
    assert output.read_text().split() == ["0", "1", "mounted"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/proc/self/ns/ipc", "is a namespace of type ipc"),
        ("/etc/passwd", "is not a namespace"),
        ("/nowhere", "no such file or directory"),
    ],
)
def test_path_of_another_type_is_refused(bundle: Bundle, runt: Runt, path: str, message: str) -> None:
    bundle.linux["namespaces"].append({"type": "network", "path": path})
    said = runt.fail(bundle)
    assert "cannot join the network namespace" in said
    assert message in said


def test_named_pipe_is_no_namespace_to_wait_for(bundle: Bundle, runt: Runt) -> None:
    os.mkfifo(bundle.path / "pipe")
    bundle.linux["namespaces"].append({"type": "network", "path": f"{bundle.path}/pipe"})
    assert "is not a namespace" in runt.fail(bundle)


def test_own_user_namespace_cannot_be_joined_and_is_named(bundle: Bundle, runt: Runt) -> None:
    bundle.linux["namespaces"].append({"type": "user", "path": "/proc/self/ns/user"})
    assert "cannot join the user namespace: invalid argument: it may be the one" in runt.fail(bundle)


def test_root_that_a_joined_mount_namespace_does_not_have_is_named(bundle: Bundle, runt: Runt) -> None:
    hide = f"mount -t tmpfs tmpfs {bundle.path} && echo ready && exec sleep 1000"
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", hide]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        bundle.linux["namespaces"] = [{"type": "mount", "path": f"/proc/{other.pid}/ns/mnt"}]
        said = runt.fail(bundle)
        other.kill()
    assert f"the root {bundle.rootfs}, seen from the mount namespace that is joined: no such file" in said


def test_loopback_of_a_new_network_namespace_is_up(bundle: Bundle, runt: Runt) -> None:
    bundle.namespaces("network").sh("ifconfig")
    said = runt.run(bundle)
    assert "127.0.0.1" in said
    assert said.count("Link encap") == 1


@pytest.mark.parametrize("other", [(), ("pid", "user")], ids=["alone", "user"])
def test_clocks_of_a_new_time_namespace_are_set(bundle: Bundle, runt: Runt, other: tuple[str, ...]) -> None:
    bundle.namespaces("time", *other).sh("cat /proc/uptime")
    if other:
        # Its root is not the host's.
        mapping: Any = [{"containerID": 0, "hostID": 100000, "size": 1000}]
        bundle.linux.update(uidMappings=mapping, gidMappings=mapping)
        for path in (bundle.rootfs, *bundle.rootfs.rglob("*")):
            os.chown(path, 100000, 100000, follow_symlinks=False)
    bundle.linux["timeOffsets"] = {"boottime": {"secs": 1000000}, "monotonic": {"secs": 5, "nanosecs": 7}}
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    inside = float(runt.run(bundle).split()[0])
    after = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before + 1000000 - 1 <= inside <= after + 1000000 + 1


def test_names_of_the_container(bundle: Bundle, runt: Runt) -> None:
    bundle.namespaces("uts").sh("hostname; cat /proc/sys/kernel/domainname")
    bundle.config.update(hostname="inside", domainname="example")
    host = Path("/proc/sys/kernel/hostname").read_text()
    assert runt.run(bundle).split() == ["inside", "example"]
    assert Path("/proc/sys/kernel/hostname").read_text() == host


def test_sysctls_are_those_of_the_containers_namespaces(bundle: Bundle, runt: Runt) -> None:
    before = Path("/proc/sys/net/ipv4/ip_forward").read_text(), Path("/proc/sys/kernel/msgmax").read_text()
    bundle.namespaces("network", "ipc").sh("cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax")
    bundle.linux["sysctl"] = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "12345"}
    assert runt.run(bundle).split() == ["1", "12345"]
    assert before == (
        Path("/proc/sys/net/ipv4/ip_forward").read_text(),
        Path("/proc/sys/kernel/msgmax").read_text(),
    )


def test_limits_on_namespaces_are_those_of_the_containers_user_namespace(bundle: Bundle, runt: Runt) -> None:
    """In one alone: anywhere else they would be the host's."""
    path = "/proc/sys/user/max_uts_namespaces"
    before = Path(path).read_text()
    with_user_namespace(bundle).linux["sysctl"] = {"user.max_uts_namespaces": "5"}
    bundle.config["mounts"] = [{"destination": "/proc", "source": "/proc", "options": ["rbind"]}]
    assert runt.run(bundle.sh(f"cat {path}")) == "5\n"
    assert Path(path).read_text() == before


def test_sysctl_that_does_not_exist_is_named(bundle: Bundle, runt: Runt) -> None:
    bundle.namespaces("network").linux["sysctl"] = {"net.nowhere": "1"}
    assert "cannot write sysctl net.nowhere = 1: no such file or directory" in runt.fail(bundle)
