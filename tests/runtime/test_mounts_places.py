"""Where mounts may be and what reaches them: /proc, read-only filesystems that are filled first, and propagation."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.runt import REPOSITORY, Bundle, Runt

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


def mount(bundle: Bundle, destination: str, kind: str, *options: str, source: str = "") -> None:
    """Add a mount to the bundle's configuration."""
    entry = {"destination": destination, "type": kind, "source": source or kind, "options": list(options)}
    bundle.config["mounts"].append(entry)


@pytest.mark.parametrize(
    ("destination", "kind", "options", "said"),
    [
        ("/proc", "tmpfs", [], '/proc\\" cannot be mounted because it is not of type proc'),
        ("/proc", "none", ["bind"], '/proc\\" cannot be mounted because it is not of type proc'),
        ("/link", "tmpfs", [], '/proc\\" cannot be mounted because it is not of type proc'),
        ("/proc/sys", "tmpfs", [], '/proc/sys\\" cannot be mounted because it is inside /proc'),
        ("/proc/self/attr", "tmpfs", [], "cannot be mounted because it is inside /proc"),
        ("/link/../proc/./version", "none", ["bind"], '/proc/version\\" cannot be mounted'),
    ],
)
def test_proc_stays_the_kernels(
    bundle: Bundle, runt: Runt, destination: str, kind: str, options: list[str], said: str
) -> None:
    (bundle.rootfs / "link").symlink_to("proc")
    source = bundle.path / "source"
    source.touch() if destination.endswith("version") else source.mkdir()
    mount(bundle, destination, kind, *options, source="source" if options else kind)
    assert said in runt.fail(bundle)


def test_procfs_of_the_host_and_what_lxcfs_shows_may_be_there(bundle: Bundle, runt: Runt) -> None:
    bundle.config["mounts"].clear()
    (bundle.path / "uptime").write_text("12.3 4.5\n")
    mount(bundle, "/proc", "none", "rbind", source="/proc")
    mount(bundle, "/proc/uptime", "none", "bind", source="uptime")
    assert (
        runt.run(bundle.sh("cat /proc/uptime; cat /proc/1/comm >/dev/null && echo proc"))
        == "12.3 4.5\nproc\n"
    )


def test_readonly_filesystem_gets_what_belongs_into_it_first(bundle: Bundle, runt: Runt) -> None:
    mount(bundle, "/dev", "tmpfs", "nosuid", "ro")
    mount(bundle, "/run", "tmpfs", "rro")
    mount(bundle, "/run/deep/below", "tmpfs")
    bundle.sh(
        "touch /dev/x; touch /run/x; echo lost >/dev/null; touch /run/deep/below/x; ls /dev /run"
    ).save()
    done = runt("run", "-b", str(bundle.path), "test")
    assert "null" in done.stdout.split()
    assert "deep" in done.stdout.split()
    assert done.stderr.count("Read-only file system") == 2


def test_options_for_readers_of_fstab_mean_nothing(bundle: Bundle, runt: Runt) -> None:
    mount(bundle, "/m", "tmpfs", "auto", "nofail", "_netdev", "x-systemd.automount", "nosuid")
    assert "nosuid" in runt.run(bundle.sh("grep ' /m ' /proc/self/mounts"))


VERSION2 = Path("/sys/fs/cgroup")
needs_version2 = pytest.mark.skipif(
    not (VERSION2 / "cgroup.controllers").exists(),
    reason="for a machine with cgroup v2 alone: script/test --vm",
)


@contextmanager
def cgroup_namespace(path: str) -> Iterator[dict[str, str]]:
    """Make a cgroup namespace whose root is a new cgroup without processes; return it as a configuration has it."""
    leaf = VERSION2 / path.strip("/")
    leaf.mkdir()
    script = f"echo $$ >{leaf}/cgroup.procs; exec unshare --cgroup sh -c 'echo made; exec sleep 1000'"
    process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "made\n"
        (VERSION2 / "cgroup.procs").write_text(str(process.pid))
        yield {"type": "cgroup", "path": f"/proc/{process.pid}/ns/cgroup"}
    finally:
        process.kill()
        process.communicate()
        leaf.rmdir()


def options_of_version2() -> str:
    """Return the options of the filesystem of cgroup v2, which all mounts of it share; empty if it is not at its place."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    return "".join(line.split()[-1] for line in mounts if f" {VERSION2} " in line and " - cgroup2 " in line)


@pytest.mark.peer("runc")
@pytest.mark.parametrize("which", ["own", "shared", pytest.param("joined", marks=needs_version2)])
def test_cgroups_are_seen_as_with_runc(bundle: Bundle, runt: Runt, tmp_path: Path, which: str) -> None:
    """From the root of the cgroup namespace down with v2, from the container's own cgroup with v1 (cgroup_namespaces(7))."""
    bundle.namespaces("pid", *(["cgroup"] if which == "own" else []))
    path = f"/props-{os.getpid()}"
    bundle.linux["cgroupsPath"] = f"{path}/below" if which == "joined" else path
    mount(bundle, "/sys", "sysfs", "ro")
    mount(bundle, "/sys/fs/cgroup", "cgroup", "ro", "nosuid", "nodev", "noexec")
    script = "grep -v tmpfs /proc/self/mountinfo | grep ' /sys/fs/cgroup' | busybox awk '{print $4, $5, $6}'; ls /sys/fs/cgroup"
    bundle.sh(script)
    options = options_of_version2()
    with cgroup_namespace(path) if which == "joined" else nullcontext() as namespace:
        bundle.linux["namespaces"] += [namespace] if namespace else []
        by_runt = runt.run(bundle)
        assert options_of_version2() == options
        bundle.without_devices()
        runc = [
            "runc",
            "--root",
            str(tmp_path / "runc"),
            "run",
            "-b",
            str(bundle.path),
            f"props-{os.getpid()}",
        ]
        by_runc = subprocess.check_output(runc, text=True, stdin=subprocess.DEVNULL)
    if options_of_version2() != options:
        # runc's mount has changed those of the whole machine (opencontainers/runc#5258).
        subprocess.run(["mount", "-o", f"remount,{options}", VERSION2], check=True)
    assert by_runt == by_runc
    assert {"pids", "cgroup.procs"} & set(by_runt.split())
    assert ("below\n" in by_runt) is (which == "joined")


HOST = """
mkdir host
mount -t tmpfs host host
mount --make-shared host
mkdir host/below
"$@"
grep -c /host/below /proc/self/mountinfo || true
"""


def on_a_shared_mount(bundle: Bundle, command: list[str]) -> str:
    """Run a container with `host` at /seen, which is a shared mount of a host; return what is mounted below it there."""
    bundle.save()
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-ec", HOST, "sh", *command],
        cwd=bundle.path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.peer("runc")
@pytest.mark.parametrize(
    ("root", "options", "reaches"),
    [
        ("rshared", ["rbind", "rshared"], True),
        ("shared", ["bind", "shared"], True),
        ("rshared", ["rbind", "rprivate"], False),
        ("rshared", ["rbind", "rslave"], False),
        ("rslave", ["rbind", "rshared"], False),
        (None, ["rbind", "rshared"], False),
        (None, ["rbind"], False),
    ],
)
def test_mount_of_the_container_reaches_the_host_only_through_a_shared_root(
    bundle: Bundle, runt: Runt, tmp_path: Path, root: str | None, options: list[str], reaches: bool
) -> None:
    if root:
        bundle.linux["rootfsPropagation"] = root
    mount(bundle, "/seen", "none", *options, source="host")
    bundle.process["capabilities"] = {
        kind: ["CAP_SYS_ADMIN"] for kind in ("bounding", "effective", "permitted")
    }
    bundle.sh("mount -t tmpfs inner /seen/below")
    by_runt = on_a_shared_mount(bundle, runt.command("run", "-b", ".", "test"))
    assert by_runt == ("1\n" if reaches else "0\n")
    (bundle.path / "host").rmdir()
    bundle.without_devices()
    runc = ["runc", "--root", str(tmp_path / "runc"), "run", "-b", ".", f"props-{os.getpid()}"]
    assert on_a_shared_mount(bundle, runc) == by_runt


def test_bind_mount_in_a_user_namespace_tells_the_host_nothing(bundle: Bundle, runt: Runt) -> None:
    bundle.namespaces("user")
    mapping: list[dict[str, Any]] = [{"containerID": 0, "hostID": 0, "size": 100}]
    bundle.linux.update(uidMappings=mapping, gidMappings=mapping)
    bundle.config["mounts"].clear()
    mount(bundle, "/seen", "none", "rbind", source="host")
    bundle.process["capabilities"] = {
        kind: ["CAP_SYS_ADMIN"] for kind in ("bounding", "effective", "permitted")
    }
    bundle.sh("mount -t tmpfs inner /seen/below && echo made")
    assert on_a_shared_mount(bundle, runt.command("run", "-b", ".", "test")) == "made\n0\n"


@pytest.mark.parametrize("mapping", ["none", "user", "idmap"])
def test_source_may_be_what_an_earlier_mount_shows(bundle: Bundle, runt: Runt, mapping: str) -> None:
    """ "The runtime MUST mount entries in the listed order" (config.md, Mounts)."""
    (bundle.path / "source/below").mkdir(parents=True)
    (bundle.path / "source/below/file").write_text("from the source")
    (bundle.path / "source").chmod(0o750)  # not for the root of the user namespace
    mount(bundle, "/first", "none", "bind", source="source")
    mount(bundle, "/second", "none", "rbind", source=f"{bundle.rootfs}/first/below")
    if mapping != "none":
        to_map: Any = [{"containerID": 0, "hostID": 100000, "size": 1000}]
        bundle.namespaces("pid", "user").linux.update(uidMappings=to_map, gidMappings=to_map)
        for path in (bundle.rootfs, *bundle.rootfs.rglob("*")):
            os.chown(path, 100000, 100000, follow_symlinks=False)
    owner = {"none": "0", "user": "65534", "idmap": "0"}[mapping]
    if mapping == "idmap":
        bundle.config["mounts"][-1]["options"].append("idmap")
    assert runt.run(bundle.sh("cat /second/file; stat -c ' %u' /second/file")) == f"from the source {owner}\n"


def test_destination_may_begin_with_the_hosts_path_of_the_root(bundle: Bundle, runt: Runt) -> None:
    """runc takes it, and its callers rely on it."""
    mount(bundle, f"{bundle.rootfs}/made", "tmpfs")
    assert runt.run(bundle.sh("grep -c ' /made ' /proc/self/mounts")) == "1\n"
    mount(bundle, f"{bundle.rootfs}/proc/sys", "tmpfs")
    assert "cannot be mounted because it is inside /proc" in runt.fail(bundle)
