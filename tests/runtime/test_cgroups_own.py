"""The container's cgroups: where they are, that they hold all of its processes, and that they go away."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.cgroups import hierarchies, needs
from tests.support.runt import in_private_mounts, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


def hierarchy_file(name: str) -> Path:
    """Return the directory that a v1 hierarchy, or v2, is mounted at."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        if right.split(" ")[0] == "cgroup" and name in right.split(" ")[2].split(","):
            return Path(left.split(" ")[4])
        if name == "" and right.split(" ")[0] == "cgroup2":
            return Path(left.split(" ")[4])
    pytest.skip(f"this machine has no cgroup hierarchy {name or 'v2'}")


def memberships(pid: int | str) -> dict[str, str]:
    """Return the cgroups of a process by their controllers, as far as mounted; v2's only where it is the only one."""
    options: set[str] = set()
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        kind, _, of_filesystem = line.split(" - ")[1].split(" ")
        if kind == "cgroup":
            options.update(of_filesystem.split(","))
    lines = [line.split(":", 2) for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()]
    first = {names: path for _, names, path in lines if names and set(names.split(",")) <= options}
    return first or {"": lines[-1][2]}


def pids_hierarchy() -> Path:
    """Return where the hierarchy with the controller pids is mounted."""
    return next(place for names, place in hierarchies().items() if names == "" or "pids" in names.split(","))


def of_pids(pid: int) -> str:
    """Return the path of a process's cgroup in that hierarchy."""
    return next(path for names, path in memberships(pid).items() if names == "" or "pids" in names.split(","))


@pytest.fixture
def container_id() -> Iterator[str]:
    """An id that no other test run uses; at the end no cgroup of this name may be left."""
    name = f"cg-{os.getpid()}"
    yield name
    left = subprocess.run(
        ["find", "/sys/fs/cgroup", "-name", f"*{name}*"], capture_output=True, text=True, check=False
    )
    assert left.stdout == ""


def test_container_has_a_cgroup_near_the_callers(bundle: Bundle, runt: Runt, container_id: str) -> None:
    runt.create(bundle, container_id)
    own = memberships("self")
    for controllers, path in memberships(runt.state(container_id)["pid"]).items():
        # With v2 beside it: a cgroup with processes can't have limits for others below it.
        above = own[controllers] if controllers else str(Path(own[controllers]).parent)
        assert path == f"{above.rstrip('/')}/{container_id}"
    runt.ok("delete", "--force", container_id)


def test_absolute_path_is_relative_to_the_hierarchy_and_only_what_was_made_is_removed(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    existing = pids_hierarchy() / f"outer-{container_id}"
    existing.mkdir()
    bundle.linux["cgroupsPath"] = f"/outer-{container_id}/deeper/{container_id}"
    runt.create(bundle, container_id)
    assert of_pids(runt.state(container_id)["pid"]) == bundle.linux["cgroupsPath"]
    runt.ok("delete", "--force", container_id)
    assert existing.is_dir()
    assert [path.name for path in existing.iterdir() if path.is_dir()] == []
    existing.rmdir()


def test_path_cannot_lead_out_of_the_hierarchy(bundle: Bundle, runt: Runt, container_id: str) -> None:
    bundle.linux["cgroupsPath"] = f"/../../../../{container_id}"
    runt.create(bundle, container_id)
    assert set(memberships(runt.state(container_id)["pid"]).values()) == {f"/{container_id}"}
    runt.ok("delete", "--force", container_id)


def test_cgroup_with_processes_is_refused_and_they_live_on(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    directory = pids_hierarchy() / container_id
    directory.mkdir()
    with subprocess.Popen(["sleep", "1000"]) as stranger:
        (directory / "cgroup.procs").write_text(str(stranger.pid))
        bundle.linux["cgroupsPath"] = f"/{container_id}"
        assert "container's cgroup is not empty" in runt.fail(bundle, container_id)
        assert stranger.poll() is None
        stranger.kill()
    directory.rmdir()


def test_directory_that_others_use_by_now_is_left_with_all_that_is_in_it(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    """Another container's cgroup may have been made this moment, and still be empty."""
    bundle.linux["cgroupsPath"] = f"/outer-{container_id}/{container_id}"
    runt.create(bundle, container_id)
    outers = [place / f"outer-{container_id}" for place in hierarchies().values()]
    for outer in outers:
        (outer / "other").mkdir()
    runt.ok("delete", "--force", container_id)
    for outer in outers:
        assert [path.name for path in outer.iterdir() if path.is_dir()] == ["other"]
        (outer / "other").rmdir()
        outer.rmdir()


def test_process_that_leaves_late_does_not_keep_the_cgroups(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    """On a busy machine the process of an `exec` takes its time to see that the container has been deleted."""
    bundle.namespaces("pid")
    bundle.linux["cgroupsPath"] = f"/{container_id}"
    runt.create(bundle, container_id)
    own = [place / container_id for place in hierarchies().values()]
    join = 'for place; do echo $$ > "$place/cgroup.procs"; done; echo in; exec sleep 0.5'
    with subprocess.Popen(["sh", "-c", join, "sh", *own], stdout=subprocess.PIPE) as late:
        assert late.stdout is not None
        assert late.stdout.readline() == b"in\n"
        runt.ok("delete", "--force", container_id)
        assert [place for place in own if place.is_dir()] == []


def test_directory_above_may_go_away_at_any_moment(bundle: Bundle, runt: Runt, container_id: str) -> None:
    """Another container's `delete` removes it as soon as it is empty."""
    outers = [place / f"outer-{container_id}" for place in hierarchies().values()]
    over = threading.Event()

    def remove_all_the_time() -> None:
        while not over.is_set():
            for outer in outers:
                with contextlib.suppress(OSError):
                    outer.rmdir()

    bundle.linux["cgroupsPath"] = f"/outer-{container_id}/{container_id}"
    remover = threading.Thread(target=remove_all_the_time)
    remover.start()
    try:
        for _ in range(5):
            for outer in outers:
                outer.mkdir(exist_ok=True)
            runt.create(bundle, container_id)
            runt.ok("delete", "--force", container_id)
    finally:
        over.set()
        remover.join()
    assert not any(outer.exists() for outer in outers)


def test_frozen_cgroup_is_refused(bundle: Bundle, runt: Runt, container_id: str) -> None:
    """Its own freezing or that of one above: otherwise create would wait for ever."""
    name = "freezer" if "freezer" in hierarchies() else ""
    outer = hierarchies()[name] / f"outer-{container_id}"
    outer.mkdir()
    file, value = ("freezer.state", "FROZEN") if name else ("cgroup.freeze", "1")
    (outer / file).write_text(value)
    bundle.linux["cgroupsPath"] = f"/outer-{container_id}/{container_id}"
    assert "container's cgroup unexpectedly frozen" in runt.fail(bundle, container_id)
    assert [path.name for path in outer.iterdir() if path.is_dir()] == []
    outer.rmdir()


def processes_in(container_id: str) -> list[int]:
    """Return the pids in a container's cgroups, by the /proc/PID/cgroup of each process.

    A process that has ended stays in its cgroup of v2 until its parent has waited for it.
    """
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            has_ended = (place / "stat").read_text().rpartition(") ")[2].startswith("Z")
            if f"/{container_id}" in (place / "cgroup").read_text() and not has_ended:
                found.append(int(place.name))
    return found


def test_processes_that_fork_all_the_time_end_with_the_container(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    """Each ends as soon as it has forked the next: when a list of them is read, all have ended."""
    bundle.sh("f() { (f) & }; for i in 1 2 3 4 5 6 7 8; do f; done; echo up; sleep 1000")
    output = runt.create(bundle, container_id)
    runt.ok("start", container_id)
    wait_for(lambda: "up" in output.read_text())
    wait_for(lambda: len(processes_in(container_id)) > 1)
    runt.ok("delete", "--force", container_id)
    assert processes_in(container_id) == []


def test_same_id_in_two_state_directories_gives_two_cgroups(
    bundle: Bundle, runt: Runt, container_id: str, tmp_path: Path
) -> None:
    from tests.support.runt import Runt as AnotherRunt

    other = AnotherRunt(tmp_path / "other-state")
    runt.create(bundle, container_id)
    other.create(bundle, container_id)
    one_pid, other_pid = runt.state(container_id)["pid"], other.state(container_id)["pid"]
    assert not set(memberships(one_pid).values()) & set(memberships(other_pid).values())
    other.ok("delete", "--force", container_id)
    assert runt.state(container_id)["status"] == "created"
    runt.ok("delete", "--force", container_id)


def test_all_processes_end_with_the_container_though_it_shares_the_pid_namespace(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    output = runt.create(bundle.sh("sh -c 'echo $$; exec sleep 1000' & sleep 1000 & wait"), container_id)
    runt.ok("start", container_id)
    wait_for(lambda: output.read_text().endswith("\n"))
    child = int(output.read_text())
    os.kill(runt.state(container_id)["pid"], signal.SIGKILL)
    wait_for(lambda: bool(runt.state(container_id)["status"] == "stopped"))
    assert Path(f"/proc/{child}").exists()
    runt.ok("delete", container_id)
    assert not Path(f"/proc/{child}/exe").exists()


def test_kill_all_reaches_every_process(bundle: Bundle, runt: Runt, container_id: str) -> None:
    output = runt.create(
        bundle.sh(
            "for i in 1 2; do i=$i sh -c 'trap \"echo $i; exit\" USR1; echo up; while :; do sleep 0.01; done' & done; wait"
        ),
        container_id,
    )
    runt.ok("start", container_id)
    wait_for(lambda: output.read_text().count("up") == 2)
    runt.ok("kill", "--all", container_id, "USR1")
    wait_for(lambda: {"1", "2"} <= set(output.read_text().splitlines()))
    runt.wait_until_stopped(container_id)
    runt.ok("delete", container_id)


def test_new_cgroup_namespace_has_the_containers_cgroup_as_its_root(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    bundle.namespaces("cgroup").process["args"] = ["cat", "/proc/self/cgroup"]
    lines = runt.run(bundle, container_id).splitlines()
    controlled = [line for line in lines if not line.startswith("0::")] or lines
    assert {line.split(":", 2)[2] for line in controlled} == {"/"}


@pytest.mark.parametrize("kinds", [[], ["cgroup"]], ids=["shared", "own"])
@pytest.mark.parametrize("access", ["ro", "rw"])
def test_container_sees_its_own_cgroup(
    bundle: Bundle, runt: Runt, container_id: str, kinds: list[str], access: str
) -> None:
    bundle.namespaces(*kinds)
    bundle.linux["resources"] = {"pids": {"limit": 23}}
    bundle.config["mounts"] += [
        {"destination": "/sys", "type": "tmpfs", "source": "tmpfs"},
        {
            "destination": "/sys/fs/cgroup",
            "type": "cgroup",
            "source": "cgroup",
            "options": ["nosuid", "noexec", "nodev", access],
        },
    ]
    bundle.sh(
        """
        cd /sys/fs/cgroup
        [ -d pids ] && cd pids
        cat pids.max
        grep -c . cgroup.procs
        mkdir below 2>&1 && ls below | grep -c cgroup.procs || true
        """
    )
    limit, count, below = runt.run(bundle, container_id).splitlines()
    assert (limit, int(count) >= 1) == ("23", True)
    assert below == (
        "1" if access == "rw" else "mkdir: can't create directory 'below': Read-only file system"
    )


def test_single_file_of_a_hierarchy_that_is_mounted_too_changes_nothing(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    """As in a lab of the tutor, which makes some of these files read-only by mounting them on themselves."""
    bundle.process["args"] = ["cat", "/proc/self/cgroup"]
    bundle.save()
    script = """
    for place in $(awk '$(NF-2) ~ /^cgroup2?$/ {print $5}' /proc/self/mountinfo); do
        mount --bind $place/cgroup.procs $place/cgroup.procs
    done
    """
    command = " ".join(runt.command("run", "-b", str(bundle.path), container_id))
    done = in_private_mounts(f"{script}\nexec {command}", runt)
    lines = [line for line in done.stdout.splitlines() if line]
    controlled = [line for line in lines if not line.startswith("0::")] or lines
    mounted = set(memberships("self"))
    assert all(line.endswith(f"/{container_id}") for line in controlled if line.split(":")[1] in mounted)


@pytest.fixture
def unified() -> Iterator[Path]:
    """Where v2 is mounted. On a hybrid machine, controllers that are enabled in it can't be mounted as v1 any more."""
    place = hierarchy_file("")
    before = (place / "cgroup.subtree_control").read_text().split()
    yield place
    for name in set((place / "cgroup.subtree_control").read_text().split()) - set(before):
        (place / "cgroup.subtree_control").write_text(f"-{name}")


def test_version_2_alone_works_too(bundle: Bundle, runt: Runt, container_id: str, unified: Path) -> None:
    bundle.config["mounts"].append({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup"})
    bundle.sh(
        "cat /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs; grep ' /sys/fs/cgroup ' /proc/self/mountinfo"
    ).save()
    # To runt, a mount namespace with only the version 2 hierarchy mounted looks like such a machine.
    script = """
    for place in $(awk '$(NF-2) == "cgroup" {print $5}' /proc/self/mountinfo); do umount $place; done
    """
    command = " ".join(runt.command("run", "-b", str(bundle.path), container_id))
    done = in_private_mounts(f"{script}\nexec {command}", runt)
    lines = done.stdout.splitlines()
    (own,) = [line for line in lines if line.startswith("0::")]
    assert own.endswith(f"/{container_id}")
    assert unified.is_dir()
    assert " - cgroup2 " in lines[-1]


def test_version_2_exec_goes_where_init_is_once_the_container_has_divided_its_cgroup(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    """As Docker in Docker does: the container's cgroup itself can't have processes any more."""
    needs(2, "pids")
    bundle.namespaces("cgroup", "pid")
    bundle.config["mounts"].append(
        {"destination": "/sys", "type": "cgroup", "source": "cgroup", "options": ["rw"]}
    )
    bundle.sh(
        "mkdir /sys/init && echo 1 > /sys/init/cgroup.procs && echo +memory > /sys/cgroup.subtree_control"
        " && echo up && while :; do sleep 0.1; done"
    )
    output = runt.create(bundle, container_id)
    runt.ok("start", container_id)
    wait_for(lambda: "up" in output.read_text())
    assert runt.ok("exec", container_id, "cat", "/proc/self/cgroup") == "0::/init\n"
    runt.ok("delete", "--force", container_id)


def test_version_2_beside_version_1_holds_the_processes_too(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    needs(1)
    top = hierarchy_file("")
    bundle.config["linux"]["cgroupsPath"] = f"/{container_id}"
    bundle.sh("exec sleep 100")
    runt.create(bundle, container_id)
    runt.ok("start", container_id)
    init = runt.state(container_id)["pid"]
    assert (top / container_id / "cgroup.procs").read_text().split() == [str(init)]
    seen = runt.ok("exec", container_id, "cat", "/proc/self/cgroup").splitlines()
    assert f"0::/{container_id}" in seen
    runt.ok("delete", "--force", container_id)
    assert not (top / container_id).exists()


def test_a_hierarchy_that_another_mount_covers_is_not_used(
    bundle: Bundle, runt: Runt, container_id: str
) -> None:
    needs(1)
    top = hierarchy_file("")
    bundle.sh("cat /proc/self/cgroup").save()
    command = " ".join(runt.command("run", "-b", str(bundle.path), container_id))
    covered = f"mount -t tmpfs tmpfs {top} && {command} && ls -A {top}"
    done = in_private_mounts(covered, runt)
    assert f"/{container_id}" in done.stdout
    # Nothing follows: what covers the hierarchy is still empty.
    assert done.stdout.splitlines()[-1].startswith("0::")
