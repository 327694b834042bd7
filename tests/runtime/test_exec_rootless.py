"""`exec` without root: the capabilities begin inside the user namespace."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.nobody import RuntOfNobody, RuntWithRanges, bundle_of_nobody, place_of_nobody
from tests.support.runt import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.runt import Bundle

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


@pytest.fixture
def place() -> Iterator[Path]:
    with place_of_nobody() as place:
        yield place


def container(runt: RuntOfNobody, place: Path, *namespaces: str) -> Bundle:
    """Start the container "test", which sleeps, with these namespaces and a user and a mount namespace."""
    bundle = bundle_of_nobody(place)
    bundle.namespaces("user", *namespaces)
    mapping = [{"containerID": 0, "hostID": 65534, "size": 1}]
    if isinstance(runt, RuntWithRanges):
        mapping.append({"containerID": 1, "hostID": 200_000, "size": 1000})
    bundle.linux.update(uidMappings=mapping, gidMappings=mapping)
    bundle.config["mounts"] = bundle.config["mounts"] if "pid" in namespaces else []
    bundle.process.update(args=["sleep", "1000"], oomScoreAdj=500)
    runt.create(bundle)
    runt.ok("start", "test")
    return bundle


@pytest.mark.parametrize("namespaces", [("pid", "network", "ipc", "uts"), ()])
def test_it_enters_all_namespaces_and_ends_with_the_container(
    place: Path, namespaces: tuple[str, ...]
) -> None:
    runt = RuntOfNobody(place)
    container(runt, place, *namespaces)
    try:
        assert runt.ok("exec", "test", "id") == "uid=0 gid=0\n"
        assert runt("exec", "test", "sh", "-c", "exit 7").returncode == 7
        pid_file = place / "pid"
        runt.ok("exec", "-d", "--pid-file", str(pid_file), "test", "sleep", "1000", capture_output=False)
        process, init = Path("/proc", pid_file.read_text()), Path("/proc", str(runt.state()["pid"]))
        for kind in ("user", "mnt", "pid", "net", "ipc", "uts"):
            assert (process / "ns" / kind).readlink() == (init / "ns" / kind).readlink()
        assert (process / "oom_score_adj").read_text() == "500\n"
        os.kill(int(process.name), 9)
        wait_for(lambda: not (process / "exe").exists())
    finally:
        runt.clean_up()


@pytest.mark.peer("newuidmap")
def test_another_user_of_the_container_can_be_asked_for(place: Path) -> None:
    runt = RuntWithRanges(place)
    container(runt, place, "pid")
    try:
        assert runt.ok("exec", "-u", "7:8", "-g", "9", "test", "id") == "uid=7 gid=8 groups=9\n"
        assert "cannot become user 5000" in runt("exec", "-u", "5000", "test", "id").stderr
    finally:
        runt.clean_up()
