"""Records that are not runt's any more: each is one clear line, hides no other container, and can be deleted by force."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runtime.cgroups import hierarchies
from runtime.state import liveness
from tests.support.runt import Runt, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from runtime.config.types import Process
    from tests.support.runt import Bundle

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

ID = f"damaged-{os.getpid()}"


def changed(**members: Any) -> Callable[[Path], None]:
    def change(record: Path) -> None:
        value = {**json.loads(record.read_text()), **members}
        record.write_text(json.dumps({name: member for name, member in value.items() if member != "gone"}))

    return change


def fifo(record: Path) -> None:
    record.unlink()
    os.mkfifo(record)


def directory(record: Path) -> None:
    record.unlink()
    (record / "below").mkdir(parents=True)
    (record / "below/file").touch()


def long(record: Path) -> None:
    record.write_text(record.read_text() + " " * (20 << 20))


def half(record: Path) -> None:
    record.write_text(record.read_text()[:100])


def link(record: Path) -> None:
    record.rename(record.parent.parent / "elsewhere.json")
    record.symlink_to("../elsewhere.json")


DAMAGE = {
    "a member is missing": changed(cgroups="gone"),
    "two members are missing": changed(creator="gone", rootfs="gone"),
    "init is text": changed(init={"pid": "1", "start_time": 1}),
    "init has no pid": changed(init={}),
    "cgroups are numbers": changed(cgroups=[1]),
    "another id": changed(id="other"),
    "a named pipe": fifo,
    "a directory": directory,
    "20 MB": long,
    "half of it": half,
    "a link": link,
}


def running(runt: Runt, bundle: Bundle, container_id: str) -> Process:
    bundle.process["args"] = ["sleep", "1000"]
    runt.create(bundle.namespaces("pid"), container_id)
    runt.ok("start", container_id)
    init = liveness.identify(runt.state(container_id)["pid"])
    assert init is not None
    return init


@pytest.mark.parametrize(
    ("damage", "path"),
    [*(pytest.param(damage, None, id=name) for name, damage in DAMAGE.items()), (half, f"/{ID}-group")],
)
def test_a_damaged_record_hides_no_other_and_force_ends_what_belongs_to_it(
    runt: Runt, bundle: Bundle, damage: Callable[[Path], None], path: str | None
) -> None:
    other = running(runt, bundle, f"{ID}-other")
    if path is not None:
        bundle.linux["cgroupsPath"] = path
    init = running(runt, bundle, ID)
    group = Path(f"/proc/{init['pid']}/cgroup").read_text()
    damage(Path(runt.root) / ID / "state.json")
    listed = runt("list", "-q")
    assert (listed.returncode, listed.stdout) == (0, f"{ID}-other\n")
    assert ID in listed.stderr
    for words in (("state", ID), ("start", ID), ("kill", ID), ("exec", ID, "true"), ("delete", ID)):
        done = runt(*words)
        assert done.returncode != 0
        assert len(done.stderr.splitlines()) == 1
        assert "fault in runt" not in done.stderr
        assert "runt delete --force removes" in done.stderr
    assert liveness.is_alive(init)
    runt.ok("delete", "--force", ID)
    wait_for(lambda: not liveness.is_alive(init))
    assert runt.ok("list", "-q") == f"{ID}-other\n"
    assert liveness.is_alive(other)
    bundle.linux.pop("cgroupsPath", None)
    again = running(runt, bundle, ID)
    assert Path(f"/proc/{again['pid']}/cgroup").read_text().count(ID) <= group.count(ID)


def test_a_cgroup_that_is_only_called_like_the_container_is_left_alone(runt: Runt, bundle: Bundle) -> None:
    """It was there before, so that the container has one of another name."""
    init = running(runt, bundle, ID)
    record = Path(runt.root) / ID / "state.json"
    groups = json.loads(record.read_text())["cgroups"]
    runt.ok("delete", "--force", ID)
    for group in groups:
        Path(group).mkdir()
        hierarchies.prepare(group)
    with subprocess.Popen(["sleep", "1000"]) as neighbour:
        try:
            for group in groups:
                (Path(group) / "cgroup.procs").write_text(str(neighbour.pid))
            init = running(runt, bundle, ID)
            half(record)
            runt.ok("delete", "--force", ID)
            wait_for(lambda: not liveness.is_alive(init))
            assert neighbour.poll() is None
        finally:
            neighbour.kill()
            neighbour.wait()
            for group in groups:
                wait_for(lambda group=group: not (Path(group) / "cgroup.procs").read_text())  # type: ignore[misc]
                Path(group).rmdir()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Runt]:
    """`runt` with a state directory on a filesystem of its own, with a few inodes."""
    root = tmp_path / "small"
    root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "nr_inodes=20", "tmpfs", str(root)], check=True)
    runt = Runt(root)
    yield runt
    subprocess.run(["mount", "-o", "remount,rw", str(root)], check=True)
    for file in root.glob("full-*"):
        file.unlink()
    runt.clean_up()
    subprocess.run(["umount", str(root)], check=True)


def test_on_a_readonly_state_directory_it_is_killed_first_and_reported_then(
    small: Runt, bundle: Bundle
) -> None:
    init = running(small, bundle, ID)
    subprocess.run(["mount", "-o", "remount,ro", str(small.root)], check=True)
    done = small("delete", "--force", ID)
    assert done.returncode == 1
    assert "processes have been ended, but its record cannot be removed: " in done.stderr
    assert "read-only file system" in done.stderr.lower()
    wait_for(lambda: not liveness.is_alive(init))
    subprocess.run(["mount", "-o", "remount,rw", str(small.root)], check=True)
    small.ok("delete", ID)


def test_without_a_free_inode_it_is_deleted(small: Runt, bundle: Bundle) -> None:
    init = running(small, bundle, ID)
    while os.statvfs(small.root).f_ffree:
        (Path(small.root) / f"full-{os.statvfs(small.root).f_ffree}").touch()
    small.ok("delete", "--force", ID)
    wait_for(lambda: not liveness.is_alive(init))
    assert small.ok("list", "-q") == ""
