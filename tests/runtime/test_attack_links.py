"""Symbolic links in the image, in every place that the runtime resolves: none leads out of the container's root.

`test_a_plain_path_leads_out` shows that a plain path follows each of the links to the host's directory.
CVE-2021-30465, CVE-2024-21626, CVE-2025-31133, CVE-2025-52565.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory of the host with something in it, beside the container's root."""
    directory = tmp_path / "outside"
    (directory / "sub").mkdir(parents=True)
    (directory / "file").write_text("untouched")
    return directory


def unharmed(outside: Path) -> bool:
    """Tell whether nothing has been made, changed or mounted in the host's directory."""
    assert str(outside) not in Path("/proc/self/mountinfo").read_text()
    names = sorted(path.name for path in outside.iterdir())
    return (
        names == ["file", "sub"]
        and (outside / "file").read_text() == "untouched"
        and not any((outside / "sub").iterdir())
    )


LINKS = ("absolute", "dots", "two", "magic")


def plant(bundle: Bundle, outside: Path, kind: str) -> None:
    """Make /link of the image lead to the host's directory."""
    link = bundle.rootfs / "link"
    if kind == "absolute":
        link.symlink_to(outside)
    elif kind == "dots":
        link.symlink_to("../" * 20 + str(outside)[1:])
    elif kind == "two":
        (bundle.rootfs / "tmp/next").symlink_to(outside)
        link.symlink_to("tmp/next")
    else:
        link.symlink_to(f"/proc/self/root{outside}")


@pytest.mark.parametrize("kind", LINKS)
def test_a_plain_path_leads_out(bundle: Bundle, outside: Path, kind: str) -> None:
    plant(bundle, outside, kind)
    assert (bundle.rootfs / "link/file").samefile(outside / "file")


def in_user_namespace(bundle: Bundle) -> None:
    """Give the container a user namespace, in which no device may be made: the host's is bound."""
    bundle.namespaces("user", "pid")
    for which in ("uidMappings", "gidMappings"):
        bundle.linux[which] = [{"containerID": 0, "hostID": 0, "size": 65536}]


MOUNTS: dict[str, dict[str, Any]] = {
    "tmpfs": {"type": "tmpfs", "source": "tmpfs", "destination": "/link/sub"},
    "tmpfs made": {"type": "tmpfs", "source": "tmpfs", "destination": "/link/new/deep"},
    "copied up": {"type": "tmpfs", "source": "tmpfs", "destination": "/link/sub", "options": ["tmpcopyup"]},
    "proc": {"type": "proc", "source": "proc", "destination": "/link/sub"},
    "sysfs": {"type": "sysfs", "source": "sysfs", "destination": "/link/sub"},
    "devpts": {"type": "devpts", "source": "devpts", "destination": "/link/sub", "options": ["newinstance"]},
    "mqueue": {"type": "mqueue", "source": "mqueue", "destination": "/link/new"},
    "cgroup": {"type": "cgroup", "source": "cgroup", "destination": "/link/new"},
    "directory": {"source": "rootfs/bin", "destination": "/link/sub", "options": ["rbind"]},
    "file": {"source": "config.json", "destination": "/link/file", "options": ["bind"]},
    "new file": {"source": "config.json", "destination": "/link/newfile", "options": ["bind", "ro"]},
}


STRICT = ("proc", "sysfs")
"""Whose destination may not be reached by a link at all."""


@pytest.mark.parametrize("kind", LINKS)
def test_no_mount_follows_a_link_out(runt: Runt, bundle: Bundle, outside: Path, kind: str) -> None:
    plant(bundle, outside, kind)
    mounts = bundle.config["mounts"]
    for mount in MOUNTS.values():
        bundle.config["mounts"] = [*mounts, mount]
        bundle.save()
        # It succeeds inside the root, or fails.
        done = runt("run", "-b", str(bundle.path), "test")
        if kind != "magic" and mount.get("type") not in STRICT:
            # Inside, where the same names are made.
            assert done.returncode == 0, done.stderr
        else:
            assert done.returncode == 1
        assert unharmed(outside), mount


def test_a_remount_does_not_follow_a_link_out(runt: Runt, bundle: Bundle, outside: Path) -> None:
    plant(bundle, outside, "absolute")
    bundle.config["mounts"].append(
        {"destination": "/link", "type": "none", "options": ["remount", "bind", "ro"]}
    )
    runt.fail(bundle, command="run")
    assert not os.statvfs(outside).f_flag & os.ST_RDONLY


@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize("user", [False, True], ids=["made", "bound"])
def test_no_device_is_made_outside(runt: Runt, bundle: Bundle, outside: Path, kind: str, user: bool) -> None:
    """In a user namespace the host's device is bound instead."""
    plant(bundle, outside, kind)
    if user:
        in_user_namespace(bundle)
    for path in ("/link/file", "/link/new/null", "/link/sub/null"):
        bundle.linux["devices"] = [{"path": path, "type": "c", "major": 1, "minor": 3}]
        bundle.save()
        done = runt("run", "-b", str(bundle.path), "test")
        assert done.returncode == 0 or "cannot make device" in done.stderr
        assert unharmed(outside), path


@pytest.mark.parametrize("user", [False, True], ids=["made", "bound"])
def test_a_device_is_not_put_where_a_link_leads(runt: Runt, bundle: Bundle, user: bool) -> None:
    """Not even inside: over a file of the image's choice."""
    target = bundle.rootfs / "target"
    target.write_text("untouched")
    (bundle.rootfs / "dev").mkdir()
    (bundle.rootfs / "dev/zero").symlink_to("/target")
    if user:
        in_user_namespace(bundle)
    assert "/dev/zero exists already and is not the device" in runt.fail(bundle, command="run")
    assert target.read_text() == "untouched"
    assert stat.S_ISREG(target.lstat().st_mode)


@pytest.mark.parametrize("kind", LINKS)
def test_masked_and_readonly_paths_do_not_reach_the_host(
    runt: Runt, bundle: Bundle, outside: Path, kind: str
) -> None:
    """The file of the same name inside the root is masked or made read-only."""
    plant(bundle, outside, kind)
    inside = bundle.rootfs / str(outside)[1:]
    inside.mkdir(parents=True)
    (inside / "file").write_text("inside")
    bundle.sh(f"cat {outside}/file; echo more >> {outside}/file")
    for key in ("maskedPaths", "readonlyPaths"):
        bundle.linux[key] = ["/link/file"]
        bundle.save()
        done = runt("run", "-b", str(bundle.path), "test")
        del bundle.linux[key]
        assert unharmed(outside)
        assert done.stdout == ("inside" if key == "readonlyPaths" and kind != "magic" else "")
        assert (inside / "file").read_text() == "inside"


def test_what_is_masked_stays_masked_whatever_the_image_has_as_its_null_device(
    runt: Runt, bundle: Bundle
) -> None:
    """CVE-2025-31133: runc bound the *container's* /dev/null over masked paths; a link there showed another file."""
    (bundle.rootfs / "secret").write_text("secret")
    (bundle.rootfs / "open").write_text("open")
    (bundle.rootfs / "dev").mkdir()
    (bundle.rootfs / "dev/null").symlink_to("/open")
    bundle.linux["maskedPaths"] = ["/secret"]
    assert "/dev/null exists already and is not the device" in runt.fail(bundle, command="run")
    (bundle.rootfs / "dev/null").unlink()
    bundle.sh("cat /secret; stat -c '%t:%T' /secret")
    assert runt.run(bundle) == "1:3\n"


@pytest.mark.parametrize("kind", LINKS)
def test_a_working_directory_behind_a_link_is_made_and_entered_inside(
    runt: Runt, bundle: Bundle, outside: Path, kind: str
) -> None:
    plant(bundle, outside, kind)
    bundle.sh("ls -a; pwd; touch here")
    for cwd in ("/link", "/link/sub", "/link/new"):
        bundle.process["cwd"] = cwd
        bundle.save()
        done = runt("run", "-b", str(bundle.path), "test")
        assert "file" not in done.stdout.split()
        assert unharmed(outside), cwd


DEEP = "../" * 25


@pytest.mark.parametrize("number", range(3, 12))
def test_no_link_to_a_descriptor_of_the_runtime_leads_to_a_program_or_hook(
    runt: Runt, bundle: Bundle, tmp_path: Path, number: int
) -> None:
    """CVE-2024-21626: it would be a program of the host, and its /proc/self/exe a file of the host."""
    program = tmp_path / "program"
    program.write_bytes((bundle.rootfs / "bin/busybox").read_bytes())
    program.chmod(0o755)
    (bundle.rootfs / "evil").symlink_to(f"/proc/self/fd/{number}/{DEEP}{program}")
    hook = {"path": "/evil", "args": ["touch", "/reached"]}
    for how in ("program", "hook"):
        if how == "program":
            bundle.process["args"] = ["/evil"]
        else:
            bundle.process["args"] = ["true"]
            bundle.config["hooks"] = {"startContainer": [hook]}
        bundle.save()
        done = runt("run", "-b", str(bundle.path), "test")
        assert done.returncode == 1, how
        assert "Traceback" not in done.stderr
        runt("delete", "--force", "test")
    assert not (bundle.rootfs / "reached").exists()


@pytest.mark.parametrize("how", ["the directory", "above it"])
def test_a_root_filesystem_that_is_a_link_is_the_directory_it_leads_to(
    runt: Runt, bundle: Bundle, how: str, outside: Path
) -> None:
    """The caller's own link: paths are resolved in the directory that it leads to."""
    real = bundle.path / "real"
    (bundle.rootfs / "up").symlink_to("../" * 10 + str(outside)[1:])
    if how == "the directory":
        bundle.rootfs.rename(real)
        bundle.rootfs.symlink_to("real")
    else:
        real.mkdir()
        bundle.rootfs.rename(real / "rootfs")
        (bundle.path / "via").symlink_to("real")
        bundle.config["root"]["path"] = "via/rootfs"
    bundle.config["mounts"].append({"destination": "/up/sub", "type": "tmpfs", "source": "tmpfs"})
    bundle.save()
    runt("run", "-b", str(bundle.path), "test")
    assert unharmed(outside)
    assert str(bundle.path) not in Path("/proc/self/mountinfo").read_text()


def test_a_volume_in_a_volume_that_has_a_link_stays_in_the_root(
    runt: Runt, bundle: Bundle, outside: Path, tmp_path: Path
) -> None:
    """Links that another container has left in a volume, where the next one mounts its own volumes."""
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "inner").symlink_to(outside)
    (volume / "up").symlink_to("../../../../../../.." + str(outside))
    bind = {"type": "bind", "options": ["rbind"]}
    bundle.config["mounts"] += [
        {**bind, "source": str(volume), "destination": "/volume"},
        {**bind, "source": str(bundle.rootfs / "bin"), "destination": "/volume/inner/sub"},
        {"type": "tmpfs", "source": "tmpfs", "destination": "/volume/up/new"},
    ]
    bundle.sh("cat /volume/inner/file")
    bundle.save()
    done = runt("run", "-b", str(bundle.path), "test")
    assert "untouched" not in done.stdout
    assert unharmed(outside)
