"""Limits without root: with a cgroup that root has given to the user, and without."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from runtime.operations.spec import make_config
from tests.support.cgroups import CgroupsOf, hierarchies, is_version2
from tests.support.nobody import NOBODY, RuntOfNobody, bundle_of_nobody, place_of_nobody
from tests.support.runt import Runt

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.runt import Bundle

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

_IN_CGROUP = 'echo $$ > "$JOIN"; exec setpriv --reuid nobody --regid nogroup --clear-groups "$@"'


class RuntInCgroup(RuntOfNobody):
    """`runt` of the user nobody, called from a cgroup of that user."""

    def __init__(self, place: Path, cgroup: Path) -> None:
        super().__init__(place)
        self.cgroup = cgroup

    def command(self, *words: str) -> list[str]:
        """Return the whole command line for some arguments."""
        return ["sh", "-ec", _IN_CGROUP, "sh", *super().command(*words)]

    def __call__(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command: as root, until the process is in the cgroup."""
        env = {"PYTHONPATH": "", "JOIN": f"{self.cgroup}/cgroup.procs", **options.pop("env", {})}
        return Runt.__call__(self, *words, cwd=self.place, env=env, **options)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that belongs to the user nobody."""
    with place_of_nobody() as place:
        yield place


@pytest.fixture
def bundle(place: Path) -> Bundle:
    """The bundle that `runt spec --rootless` makes, with a limit, without a terminal."""
    bundle = bundle_of_nobody(place)
    config: Any = make_config(rootless=True)
    bundle.config = config
    bundle.linux["uidMappings"] = [{"containerID": 0, "hostID": NOBODY, "size": 1}]
    bundle.linux["gidMappings"] = [{"containerID": 0, "hostID": NOBODY, "size": 1}]
    bundle.process["terminal"] = False
    bundle.process["args"] = ["sleep", "100"]
    bundle.linux["resources"] = {"pids": {"limit": 23}}
    return bundle


@pytest.fixture
def delegated() -> Iterator[Path]:
    """The cgroup to call from, in one that has been given to the user nobody, as systemd does for users (Delegate=)."""
    names = "" if is_version2() else next(n for n in hierarchies() if "pids" in n.split(","))
    outer = hierarchies()[names] / f"delegated-{os.getpid()}"
    inner = outer / "session"
    if is_version2():
        (outer.parent / "cgroup.subtree_control").write_text("+pids")
    for directory in (outer, inner):
        directory.mkdir()
        for path in (directory, directory / "cgroup.procs", directory / "cgroup.subtree_control"):
            if path.exists():
                os.chown(path, NOBODY, NOBODY)
    yield inner
    inner.rmdir()
    outer.rmdir()


def test_limit_without_a_cgroup_of_ones_own_is_refused(bundle: Bundle, place: Path) -> None:
    runt = RuntOfNobody(place)
    refused = runt.fail(bundle)
    assert "cannot set pids limit: container could not join or create cgroup" in refused


def test_limit_holds_in_a_cgroup_that_has_been_delegated(
    bundle: Bundle, place: Path, delegated: Path
) -> None:
    runt = RuntInCgroup(place, delegated)
    runt.create(bundle, "delegated")
    cgroups = CgroupsOf(runt.state("delegated")["pid"])
    assert cgroups["pids.max"] == "23"
    runt.ok("update", "--pids-limit", "17", "delegated")
    assert cgroups["pids.max"] == "17"
    assert json.loads(runt.ok("ps", "--format", "json", "delegated"))
    runt.ok("delete", "--force", "delegated")
    assert [path.name for path in delegated.parent.rglob("*") if path.is_dir()] == ["session"]


def test_path_that_the_user_may_not_use_is_an_error(bundle: Bundle, place: Path) -> None:
    del bundle.linux["resources"]
    bundle.linux["cgroupsPath"] = f"/nobodys-{os.getpid()}"
    refused = RuntOfNobody(place).fail(bundle)
    assert "cannot make the container's cgroup" in refused
    assert "ermission denied" in refused


def test_kill_all_reaches_init_where_there_is_no_cgroup(bundle: Bundle, place: Path) -> None:
    del bundle.linux["resources"]
    runt = RuntOfNobody(place)
    runt.create(bundle, "alone")
    runt.ok("kill", "--all", "alone", "KILL")
    runt.wait_until_stopped("alone")
    runt.ok("delete", "alone")
