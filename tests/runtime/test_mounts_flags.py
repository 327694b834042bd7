"""The flags of a bind mount, and what masks paths: as the runc of today has them."""

from __future__ import annotations

import pytest

from tests.support.runt import Bundle, Runt, in_private_mounts

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        (["bind"], "ro,noexec,noatime,nodiratime"),
        (["bind", "rprivate"], "ro,noexec,noatime,nodiratime"),
        (["bind", "dev"], "rw,noatime,nodiratime"),
        (["bind", "nosuid"], "rw,nosuid,noatime,nodiratime"),
        (["bind", "ro"], "ro,noatime,nodiratime"),
        # Those about access times stay together, or go together.
        (["bind", "relatime"], "rw,relatime"),
        (["bind", "noatime"], "rw,noatime"),
        (["bind", "nodiratime"], "rw,nodiratime,relatime"),
        # One that is only taken back changes nothing, but the flags beside it.
        (["bind", "atime"], "rw,noatime,nodiratime"),
        (["bind", "noatime", "diratime"], "rw,noatime"),
    ],
)
def test_flags_of_a_source_are_kept_unless_others_are_asked_for(
    bundle: Bundle, runt: Runt, options: list[str], flags: str
) -> None:
    """As with crun 1.8.1 and the runc of today, which mount a second time for the flags."""
    source = bundle.path / "source"
    source.mkdir()
    bundle.config["mounts"].append({"destination": "/m", "source": "source", "options": options})
    bundle.sh("grep ' /m ' /proc/self/mounts").save()
    command = " ".join(runt.command("run", "-b", str(bundle.path), "test"))
    mounts = f"mount --bind {source} {source} && mount -o remount,bind,ro,noexec,noatime,nodiratime {source}"
    done = in_private_mounts(f"{mounts} && exec {command}", runt)
    found = done.stdout.split()[3].split(",")
    known = ("rw", "ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime")
    assert [each for each in found if each in known] == flags.split(",")


def test_flags_that_are_locked_stay_when_others_are_asked_for(bundle: Bundle, runt: Runt) -> None:
    """In a user namespace around runt, as that of an ordinary user's lab, which may not take off what a hardened home has."""
    source = bundle.path / "source"
    source.mkdir()
    bundle.config["mounts"].append({"destination": "/m", "source": "source", "options": ["bind", "ro"]})
    bundle.namespaces("pid").sh("grep ' /m ' /proc/self/mounts").save()
    command = " ".join(runt.command("run", "-b", str(bundle.path), "test"))
    mounts = f"mount --bind {source} {source} && mount -o remount,bind,nosuid,nodev {source}"
    done = in_private_mounts(f"{mounts} && exec unshare --user --map-root-user --mount {command}", runt)
    assert done.stdout.split()[3].startswith("ro,nosuid,nodev"), done.stderr


def test_masked_directories_share_a_filesystem_and_duplicates_are_one(bundle: Bundle, runt: Runt) -> None:
    for name in ("one", "two"):
        (bundle.rootfs / name).mkdir()
    bundle.linux["maskedPaths"] = ["/one", "/two", "/one/", "/one"]
    bundle.sh("stat -c %d /one /two; grep -c ' /one ' /proc/self/mounts")
    one, two, count = runt.run(bundle).split()
    assert (one == two, count) == (True, "1")
