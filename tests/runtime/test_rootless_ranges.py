"""Containers without root: of a user with ranges of users and groups, or with cgroups of the user's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runtime.cgroups import hierarchies
from tests.support.nobody import (
    NOBODY,
    RANGE,
    RuntOfNobody,
    RuntWithRanges,
    bundle_of_nobody,
    place_of_nobody,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.runt import Bundle

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox", "newuidmap", "setpriv")]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that belongs to the user nobody."""
    with place_of_nobody() as place:
        yield place


@pytest.fixture
def runt(place: Path) -> Iterator[RuntWithRanges]:
    """`runt` of the user nobody, with ranges."""
    runt = RuntWithRanges(place)
    yield runt
    runt.clean_up()


@pytest.fixture
def bundle(place: Path, runt: RuntOfNobody) -> Bundle:
    """The bundle of `runt spec --rootless`, with the user nobody as its root and 1000 others."""
    bundle = bundle_of_nobody(place)
    runt.ok("spec", "--rootless", "-b", str(bundle.path))
    bundle.config = json.loads((bundle.path / "config.json").read_text())
    bundle.process.update(terminal=False, capabilities={})
    bundle.config["root"]["readonly"] = False
    for member in ("uidMappings", "gidMappings"):
        bundle.linux[member].append({"containerID": 1, "hostID": RANGE, "size": 1000})
    return bundle


def test_users_and_groups_of_the_ranges_can_be_used(runt: RuntOfNobody, bundle: Bundle) -> None:
    bundle.process["user"] = {"uid": 5, "gid": 6, "additionalGids": [7]}
    (bundle.rootfs / "open").mkdir(mode=0o777)
    (bundle.rootfs / "open").chmod(0o777)
    bundle.sh("id -u; id -g; id -G; cat /proc/self/uid_map /proc/self/setgroups; touch /open/file")
    said = runt.run(bundle).splitlines()
    assert said[:3] == ["5", "6", "6 7"]
    assert [line.split() for line in said[3:]] == [
        ["0", str(NOBODY), "1"],
        ["1", str(RANGE), "1000"],
        ["allow"],
    ]
    made = (bundle.rootfs / "open/file").stat()
    assert (made.st_uid, made.st_gid) == (RANGE + 4, RANGE + 5)


def test_processes_of_others_are_hidden(runt: RuntWithRanges, bundle: Bundle) -> None:
    """proc(5), hidepid: a process of the ranges is shown to the user as long as the user may trace it."""
    runt.before = "mount -t proc -o hidepid=2 proc /proc"
    bundle.process["user"] = {"uid": 5, "gid": 6}
    bundle.sh("exec sleep 100")
    runt.create(bundle)
    assert runt.state()["status"] == "created"
    runt.ok("start", "test")
    assert runt.state()["status"] == "running"
    assert runt.ok("exec", "test", "id", "-u") == "5\n"
    runt.ok("kill", "test", "KILL")
    runt.wait_until_stopped()
    runt.ok("delete", "test")


def test_range_of_another_user_is_refused_and_leaves_nothing(runt: RuntOfNobody, bundle: Bundle) -> None:
    bundle.linux["gidMappings"][1]["hostID"] = RANGE + 1000
    said = runt.fail(bundle)
    assert f"newgidmap: gid range [1-1001) -> [{RANGE + 1000}-{RANGE + 2000}) not allowed" in said
    assert f"/etc/subgid lists the other IDs that user {NOBODY} may map" in said


def test_devices_are_the_hosts_own(runt: RuntOfNobody, bundle: Bundle) -> None:
    bundle.sh(
        "cd /dev; stat -c '%n %t:%T' null zero full random urandom tty; echo lost >null; readlink ptmx; readlink fd"
    )
    assert runt.run(bundle).splitlines() == [
        *("null 1:3", "zero 1:5", "full 1:7", "random 1:8", "urandom 1:9", "tty 5:0"),
        *("pts/ptmx", "/proc/self/fd"),
    ]


@pytest.fixture
def delegated() -> Iterator[list[Path]]:
    """A cgroup in every hierarchy that has been given to the user nobody, as a session manager does it (cgroups(7))."""
    directories = [Path(h.mountpoint) / f"runt-nobody-{os.getpid()}" for h in hierarchies.mounted()]
    for directory in directories:
        directory.mkdir()
        hierarchies.prepare(str(directory))
        for path in (directory, directory / "cgroup.procs", directory / "tasks"):
            if path.exists():
                os.chown(path, NOBODY, NOBODY)
    yield directories
    for directory in directories:
        directory.rmdir()


@pytest.mark.parametrize("path", ["box", None])
def test_delegated_cgroup_holds_the_container(
    runt: RuntOfNobody, bundle: Bundle, delegated: list[Path], path: str | None
) -> None:
    if path:
        bundle.linux["cgroupsPath"] = path
    bundle.sh("cat /proc/self/cgroup").save()
    join = "; ".join(f"echo 0 > {directory}/cgroup.procs" for directory in delegated)
    command = ["sh", "-ec", f'{join}; exec "$@"', "sh", *runt.command("run", "-b", str(bundle.path), "test")]
    env = {**os.environ, "PYTHONPATH": "", "PLACE": str(runt.place)}
    said = subprocess.check_output(command, cwd=runt.place, env=env, text=True, stdin=subprocess.DEVNULL)
    inside = [
        line for line in said.splitlines() if line.endswith(f"/runt-nobody-{os.getpid()}/{path or 'test'}")
    ]
    assert len(inside) == len(delegated)
    assert not any(any(child.is_dir() for child in directory.iterdir()) for directory in delegated)


def test_cgroup_that_was_not_delegated_is_refused_by_name(runt: RuntOfNobody, bundle: Bundle) -> None:
    bundle.linux["cgroupsPath"] = "/runt-not-writable"
    said = runt.fail(bundle)
    assert "cannot make the container's cgroup" in said
    assert "permission denied" in said


def test_whole_life(runt: RuntOfNobody, bundle: Bundle) -> None:
    runt.create(bundle.sh("sleep 100"))
    runt.ok("start", "test")
    assert runt.state()["status"] == "running"
    said = runt.ok("exec", "--user", "5:6", "test", "sh", "-c", "id -u; id -g; cat /proc/1/comm").split()
    assert said == ["5", "6", "sleep"]
    assert runt.ok("list", "-q") == "test\n"
    runt.ok("kill", "test", "KILL")
    runt.wait_until_stopped()
    runt.ok("delete", "test")
    assert runt.ok("list", "-q") == ""


@pytest.mark.peer("runc")
def test_runc_runs_the_same_configuration_alike(place: Path, runt: RuntOfNobody, bundle: Bundle) -> None:
    bundle.sh("id; cat /proc/self/uid_map /proc/self/gid_map; grep -E 'Cap|NoNew|Groups' /proc/self/status")
    by_runt = runt.run(bundle)
    runc = shutil.which("runc") or "runc"
    command = runt.command()
    start = command.index(runt.python)
    words = [
        *command[:start],
        runc,
        "--root",
        str(place / "runc"),
        "run",
        "-b",
        str(bundle.path),
        "nobody-runc",
    ]
    env = {**os.environ, "PLACE": str(place)}
    by_runc = subprocess.check_output(words, cwd=place, env=env, text=True, stdin=subprocess.DEVNULL)
    assert by_runt == by_runc
