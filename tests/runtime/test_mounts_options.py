"""The mounts of the configuration, as /proc/self/mountinfo shows them inside the container."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.mounts import Mounted, mount, mounts_of
from tests.support.runt import REPOSITORY, Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
@pytest.mark.parametrize(
    ("options", "there", "missing"),
    [
        (["ro"], {"ro"}, {"rw"}),
        (["ro", "rw"], {"rw"}, {"ro"}),
        (["nosuid", "nodev", "noexec"], {"nosuid", "nodev", "noexec", "rw"}, set()),
        (["nosuid", "nodev", "noexec", "suid", "dev", "exec"], set(), {"nosuid", "nodev", "noexec"}),
        (["noatime"], {"noatime"}, {"relatime"}),
        (["strictatime"], set(), {"relatime", "noatime"}),
        (["noatime", "atime"], {"relatime"}, {"noatime"}),
        (["noatime", "relatime"], {"relatime"}, {"noatime"}),
        (["noatime", "norelatime"], {"relatime"}, {"noatime"}),
        (["strictatime", "nostrictatime"], {"relatime"}, set()),
        (["nodiratime"], {"nodiratime"}, set()),
        (["nodiratime", "diratime"], set(), {"nodiratime"}),
        (["nosymfollow"], {"nosymfollow"}, set()),
        (["nosymfollow", "symfollow"], set(), {"nosymfollow"}),
        (["rro", "rnosuid", "rnodev", "rnoexec"], {"ro", "nosuid", "nodev", "noexec"}, set()),
        (["rnoatime", "rnodiratime", "rnosymfollow"], {"noatime", "nodiratime", "nosymfollow"}, set()),
        (["defaults", "silent", "loud"], {"rw", "relatime"}, set()),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else "",
)
def test_options_of_a_mount(
    bundle: Bundle, runt: Runt, kind: str, options: list[str], there: set[str], missing: set[str]
) -> None:
    if kind == "bind":
        mount(bundle, "/m", "none", "bind", *options, source=str(bundle.rootfs / "tmp"))
    else:
        mount(bundle, "/m", "tmpfs", *options)
    found = mounts_of(bundle, runt)["/m"].options
    assert there <= found
    assert not missing & found


@pytest.mark.parametrize(
    ("options", "there"),
    [
        (["sync"], {"sync"}),
        (["dirsync"], {"dirsync"}),
        (["lazytime"], {"lazytime"}),
        (["sync", "async", "lazytime", "nolazytime", "mand", "nomand"], {"rw"}),
        (["iversion"], {"rw"}),
        (["noiversion", "mode=711", "size=64k"], {"mode=711", "size=64k"}),
        (["mode=711,size=64k", ""], {"mode=711", "size=64k"}),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else "",
)
def test_options_of_the_filesystem(bundle: Bundle, runt: Runt, options: list[str], there: set[str]) -> None:
    mount(bundle, "/m", "tmpfs", *options)
    found = mounts_of(bundle, runt)["/m"].superblock
    assert there <= found
    assert "sync" not in options[1:] or "sync" not in found


@pytest.mark.parametrize(
    ("option", "propagation"),
    [
        ("private", set()),
        ("shared", {"shared"}),
        ("slave", set()),
        ("unbindable", {"unbindable"}),
        ("rprivate", set()),
        ("rshared", {"shared"}),
        ("rslave", set()),
        ("runbindable", {"unbindable"}),
    ],
)
@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_propagation_of_a_mount(
    bundle: Bundle, runt: Runt, kind: str, option: str, propagation: set[str]
) -> None:
    if kind == "bind":
        mount(bundle, "/m", "none", "bind", "private", option, source=str(bundle.rootfs / "tmp"))
    else:
        mount(bundle, "/m", "tmpfs", option)
    assert mounts_of(bundle, runt)["/m"].propagation == propagation


def test_recursive_bind_brings_what_is_below_and_a_plain_one_does_not(bundle: Bundle, runt: Runt) -> None:
    mount(bundle, "/from", "tmpfs")
    inner = bundle.path / "tree"
    (inner / "below").mkdir(parents=True)
    mount(bundle, "/one", "none", "bind", source="tree")
    mount(bundle, "/all", "none", "rbind", source="tree")
    mount(bundle, "/allro", "none", "rbind", "rro", source="tree")
    # Both, as some programs write them: one takes nothing away from the other.
    mount(bundle, "/both", "none", "rbind", "bind", source="tree")
    # Something mounted below the source, on the host's side, but for this test only.
    script = "mount -t tmpfs below tree/below && exec " + " ".join(
        runt.command("run", "-b", str(bundle.path), "test")
    )
    bundle.process["args"] = ["cat", "/proc/self/mountinfo"]
    bundle.save()
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
        cwd=bundle.path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = {line.split(" ")[4]: Mounted(line) for line in done.stdout.splitlines()}
    assert "/one/below" not in found
    assert found["/all/below"].kind == found["/both/below"].kind == "tmpfs"
    assert "rw" in found["/all/below"].options
    assert {"ro"} <= found["/allro"].options & found["/allro/below"].options


def test_bind_of_a_file_and_of_a_relative_source(bundle: Bundle, runt: Runt) -> None:
    (bundle.path / "file").write_text("content\n")
    mount(bundle, "/etc/made/for/it", "none", "bind", "ro", source="file")
    bundle.sh("cat /etc/made/for/it; touch /etc/made/for/it 2>&1 || true")
    assert "Read-only file system" in (said := runt.run(bundle))
    assert said.startswith("content\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["bind", "readonly"],
            'mounts[1].options[1]: a bind mount has no option "readonly": did you mean "ro"?',
        ),
        (
            ["rbind", "nosuid", "noexce"],
            'options[2]: a bind mount has no option "noexce": did you mean "noexec"?',
        ),
        (["mode=777", "bind"], 'options[0]: a bind mount has no option "mode=777"'),
        (["bind", "remount", "size=1m"], 'options[2]: a bind mount has no option "size=1m"'),
        (["bind", "ro,nodev"], 'options[1]: a bind mount has no option "ro,nodev"'),
    ],
)
def test_option_that_a_bind_mount_cannot_have_is_refused_and_not_lost(
    bundle: Bundle, runt: Runt, options: list[str], said: str
) -> None:
    """A misspelt `readonly` must not leave the mount writable; runc does so since 1.2."""
    (bundle.path / "shared").mkdir()
    mount(bundle, "/m", "none", *options, source="shared")
    message = runt.fail(bundle).replace('\\"', '"')
    assert said in message
    assert "config.json:" in message


def test_options_that_callers_write_on_a_bind_mount_are_taken(bundle: Bundle, runt: Runt) -> None:
    """Docker 28's, podman 5.8's and containerd 2.1's, with what fstab(5) has for others."""
    (bundle.path / "shared").mkdir()
    written = [
        "rbind",
        "rprivate",
        "rw",
        "nosuid",
        "nodev",
        "noexec",
        "relatime",
        "rro",
        "x-volume=a",
        "defaults",
    ]
    mount(bundle, "/m", "bind", *written, source="shared")
    assert {"ro", "nosuid", "nodev", "noexec"} <= mounts_of(bundle, runt)["/m"].options


def test_option_that_the_mount_of_cgroups_cannot_have_is_refused(bundle: Bundle, runt: Runt) -> None:
    entry = mount(bundle, "/cg", "cgroup", "ro", "nsdelegate", "memory_recursiveprot")
    runt.run(bundle.sh("true"))
    entry["options"].append("memory_recursive")
    assert r"a mount of type cgroup has no option \"memory_recursive\"" in runt.fail(bundle)


@pytest.mark.parametrize("mode", [0o755, 0o700, 0o1777])
def test_tmpfs_without_a_mode_takes_that_of_the_directory_that_it_hides(
    bundle: Bundle, runt: Runt, mode: int
) -> None:
    """A new directory is for all, with the sticky bit; `docker run --tmpfs /run` is neither."""
    (bundle.rootfs / "there").mkdir()
    (bundle.rootfs / "there").chmod(mode)
    (bundle.rootfs / "link").symlink_to("there")
    for destination, options in (("/there", []), ("/link", []), ("/new", []), ("/own", ["mode=711"])):
        mount(bundle, destination, "tmpfs", *options)
    bundle.sh("stat -c %a /there /new /own")
    assert runt.run(bundle).split() == [f"{mode:o}", "1777", "711"]


def test_missing_bind_source_is_named(bundle: Bundle, runt: Runt) -> None:
    mount(bundle, "/m", "none", "bind", source="/no/such/place")
    said = runt.fail(bundle)
    assert "/no/such/place: no such file or directory" in said


def test_file_on_a_directory_is_refused_by_name(bundle: Bundle, runt: Runt) -> None:
    (bundle.path / "file").write_text("")
    mount(bundle, "/tmp", "none", "bind", source="file")
    assert "can't be mounted on the directory /tmp" in runt.fail(bundle)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"destination": "/m", "source": "/tmp"}, "found neither"),
        (
            {"destination": "/m", "source": "/tmp", "type": "bind"},
            "alone makes no bind mount",
        ),
        ({"destination": "/m/..", "type": "tmpfs"}, "the root itself can't be mounted on"),
    ],
)
def test_entry_that_mounts_nothing_is_refused(
    bundle: Bundle, runt: Runt, entry: dict[str, Any], said: str
) -> None:
    bundle.config["mounts"].append(entry)
    assert said in runt.fail(bundle)


def test_option_that_a_filesystem_does_not_know_is_refused_in_its_words(bundle: Bundle, runt: Runt) -> None:
    mount(bundle, "/m", "tmpfs", "noSuchOption=1")
    said = runt.fail(bundle)
    assert "noSuchOption" in said
    assert "invalid argument" in said.lower()


def test_usual_filesystems(bundle: Bundle, runt: Runt) -> None:
    bundle.namespaces("pid", "ipc", "network")
    mount(bundle, "/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k")
    mount(
        bundle, "/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"
    )
    mount(bundle, "/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k", source="shm")
    mount(bundle, "/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev")
    mount(bundle, "/sys", "sysfs", "nosuid", "noexec", "nodev", "ro")
    mount(bundle, "/sys/fs/cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro")
    found = mounts_of(bundle, runt)
    kinds = {
        place: found[place].kind for place in ("/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys")
    }
    assert list(kinds.values()) == ["proc", "tmpfs", "devpts", "tmpfs", "mqueue", "sysfs"]
    assert {"gid=5", "mode=620", "ptmxmode=666"} <= found["/dev/pts"].superblock
    assert {"ro", "nosuid", "nodev", "noexec"} <= found["/sys"].options
    cgroup = found["/sys/fs/cgroup"]
    assert {"ro", "nosuid", "nodev", "noexec"} <= cgroup.options
    assert cgroup.kind in ("tmpfs", "cgroup2")
    if cgroup.kind == "tmpfs":
        controllers = {place: entry for place, entry in found.items() if place.startswith("/sys/fs/cgroup/")}
        assert "/sys/fs/cgroup/pids" in controllers
        for entry in controllers.values():
            assert entry.kind == "cgroup"
            assert Path(entry.root).name.startswith("test"), "not the container's own"
            assert "ro" in entry.options


def test_mounts_happen_in_the_order_of_the_list(bundle: Bundle, runt: Runt) -> None:
    mount(bundle, "/a", "tmpfs", "mode=700")
    mount(bundle, "/a/b", "tmpfs", "mode=711")
    mount(bundle, "/a", "tmpfs", "mode=755")
    found = mounts_of(bundle, runt)
    assert "mode=755" not in found["/a"].superblock or "/a/b" in found
    lines = runt.run(bundle).splitlines()
    assert [line.split(" ")[4] for line in lines if " /a" in line] == ["/a", "/a/b", "/a"]


def test_tmpcopyup_begins_with_what_the_image_has(bundle: Bundle, runt: Runt) -> None:
    seed = bundle.rootfs / "var/data"
    seed.mkdir(parents=True, mode=0o750)
    (seed / "file").write_text("x" * 100000)
    (seed / "link").symlink_to("file")
    os.chown(seed / "file", 5, 6)
    (seed / "file").chmod(0o4755)
    mount(bundle, "/var/data", "tmpfs", "tmpcopyup", "nodev")
    bundle.sh(
        "cd /var/data; stat -c '%a %u %g %s' file; readlink link; echo more > new; grep /var/data /proc/mounts | cut -c1-5"
    )
    assert runt.run(bundle).splitlines() == ["4755 5 6 100000", "file", "tmpfs"]
    assert not (seed / "new").exists()


def test_remount_changes_a_mount_that_is_there(bundle: Bundle, runt: Runt) -> None:
    mount(bundle, "/m", "tmpfs", "size=64k")
    mount(bundle, "/m", "tmpfs", "remount", "nodev", "size=128k")
    mount(bundle, "/b", "none", "bind", source=str(bundle.rootfs / "tmp"))
    mount(bundle, "/b", "none", "remount", "bind", "ro")
    found = mounts_of(bundle, runt)
    assert {"nodev", "rw"} <= found["/m"].options
    assert "size=128k" in found["/m"].superblock
    assert "ro" in found["/b"].options


@pytest.mark.parametrize("target", ["/outside", "../../../../outside"])
def test_links_in_the_image_never_lead_out_of_it(
    bundle: Bundle, runt: Runt, target: str, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (bundle.rootfs / "escape").symlink_to(target.replace("/outside", str(outside)))
    mount(bundle, "/escape/new", "tmpfs", "mode=700")
    bundle.sh("grep -c 'mode=700' /proc/self/mountinfo")
    assert runt.run(bundle) == "1\n"
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("links", "lands"),
    [
        (
            {"etc/resolv.conf": "../run/systemd/resolve/stub-resolv.conf"},
            "run/systemd/resolve/stub-resolv.conf",
        ),
        ({"etc/resolv.conf": "/run/resolv.conf"}, "run/resolv.conf"),
        ({"etc/resolv.conf": "one", "etc/one": "/two", "two": "run/three"}, "run/three"),
        ({"etc": "private/etc", "private/etc/resolv.conf": "../run/stub"}, "private/run/stub"),
        ({"etc/resolv.conf": "../../../../outside/file"}, "outside/file"),
        ({"etc/resolv.conf": "gone/../here"}, "etc/here"),
    ],
    ids=["relative", "absolute", "chain", "below a link", "too far up", "by a missing directory"],
)
def test_a_file_is_mounted_where_a_dangling_link_leads(
    bundle: Bundle, runt: Runt, links: dict[str, str], lands: str
) -> None:
    """/etc/resolv.conf and /etc/localtime are such links in many images; Docker and podman mount over them."""
    for name, target in sorted(links.items(), key=lambda link: link[0] != "etc"):
        path = bundle.rootfs / name
        (bundle.rootfs / "private/etc").mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(target)
    (bundle.path / "file").write_text("nameserver ::1\n")
    mount(bundle, "/etc/resolv.conf", "bind", "bind", source="file")
    # The kernel itself does not go by way of a directory that is missing.
    by_the_link = "/etc/resolv.conf" if "gone" not in str(links) else f"/{lands}"
    assert runt.run(bundle.sh(f"cat {by_the_link} /{lands}")) == "nameserver ::1\n" * 2
    assert (bundle.rootfs / lands).read_text() == ""
    assert not (bundle.path / "outside").exists()


@pytest.mark.parametrize("kind", ["ids of the host", "user namespace"])
def test_source_that_is_a_link_is_copied_where_podman_asks_for_it(
    bundle: Bundle, runt: Runt, kind: str
) -> None:
    """`podman run --mount type=bind,...,no-dereference` writes `copy-symlink`; the link need not lead anywhere."""
    if kind == "user namespace":
        mapping = [{"containerID": 0, "hostID": 0, "size": 1000}]
        bundle.namespaces("pid", "user").linux.update(uidMappings=mapping, gidMappings=mapping)
    (bundle.path / "link").symlink_to("somewhere/else")
    (bundle.path / "file").write_text("a file\n")
    mount(bundle, "/a/link", "bind", "rbind", "copy-symlink", source="link")
    mount(bundle, "/a/file", "bind", "rbind", "copy-symlink", source="file")
    assert runt.run(bundle.sh("readlink /a/link; cat /a/file")) == "somewhere/else\na file\n"
    # Another container of the same image finds it there.
    assert runt.run(bundle).startswith("somewhere/else\n")
    (bundle.path / "link").unlink()
    (bundle.path / "link").symlink_to("changed")
    assert "/a/link: file exists" in runt.fail(bundle)


def test_a_destination_by_way_of_a_missing_directory(bundle: Bundle, runt: Runt) -> None:
    (bundle.path / "file").write_text("seen\n")
    (bundle.rootfs / "there").mkdir()
    mount(bundle, "/missing/../there", "tmpfs")
    mount(bundle, "/missing/../there/file", "bind", "bind", source="file")
    assert runt.run(bundle.sh("cat /there/file; ls -d /missing 2>&1 || true")).startswith("seen\nls: ")


def test_links_in_a_circle_are_one_clear_error(bundle: Bundle, runt: Runt) -> None:
    (bundle.rootfs / "a").symlink_to("b")
    (bundle.rootfs / "b").symlink_to("a")
    (bundle.path / "file").write_text("")
    mount(bundle, "/a", "bind", "bind", source="file")
    assert "too many levels of symbolic links" in runt.fail(bundle).lower()


def test_magic_link_of_proc_is_no_way_out(bundle: Bundle, runt: Runt) -> None:
    (bundle.rootfs / "escape").symlink_to("/proc/1/root/tmp")
    mount(bundle, "/escape/new", "tmpfs")
    assert 'at "/escape/new"' in runt.fail(bundle).replace('\\"', '"')
    assert not Path("/tmp/new").exists()


@pytest.mark.parametrize("kind", ["proc", "sysfs"])
def test_proc_and_sysfs_on_a_symbolic_link_are_refused(bundle: Bundle, runt: Runt, kind: str) -> None:
    (bundle.rootfs / "link").symlink_to("tmp")
    mount(bundle, "/link", kind)
    assert f"{kind} must be mounted on ordinary directory" in runt.fail(bundle)
