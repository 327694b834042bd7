"""Mounts whose files have other owners than on the disk (config.md, Linux mount options: idmap and ridmap)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

SHOW = "stat -c %u:%g /m/file"


def mapping(inside: int, outside: int, size: int = 10) -> list[dict[str, int]]:
    return [{"containerID": inside, "hostID": outside, "size": size}]


@pytest.fixture
def mount(bundle: Bundle) -> dict[str, Any]:
    """A bind mount of a directory with a file of user and group 3."""
    source = bundle.path / "source"
    source.mkdir()
    (source / "file").write_text("content")
    for path in (source, source / "file"):
        os.chown(path, 3, 3)
    entry = {"destination": "/m", "source": "source", "options": ["rbind"]}
    bundle.config["mounts"].append(entry)
    bundle.sh(SHOW)
    return entry


@pytest.mark.parametrize("options", [["bind", "idmap"], ["rbind", "ridmap"], ["rbind"]])
def test_mappings_of_the_mount_give_files_other_owners(
    bundle: Bundle, runt: Runt, mount: dict[str, Any], options: list[str]
) -> None:
    mount.update(options=options, uidMappings=mapping(0, 1000), gidMappings=mapping(0, 2000))
    bundle.sh(f"{SHOW}; touch /m/new && echo made")
    # No user is 0 on this mount: it is what 1000 is elsewhere.
    assert runt("run", "-b", str(bundle.save().path), "test").stdout == "1003:2003\n"
    bundle.process["user"] = {"uid": 1003, "gid": 2003}
    assert runt.run(bundle) == "1003:2003\nmade\n"
    assert (bundle.path / "source/new").stat().st_uid == 3


def test_mappings_may_be_in_the_option_as_crun_and_podman_read_them(
    bundle: Bundle, runt: Runt, mount: dict[str, Any]
) -> None:
    """`podman run --mount type=...,idmap=uids=...;gids=...`; with `@`, the ID on the host is one of the container."""
    mount["options"] = ["rbind", "idmap=uids=0-1000-3#3-5000-1;gids=0-2000-10"]
    assert runt.run(bundle) == "5000:2003\n"
    # The members count more.
    mount.update(uidMappings=mapping(0, 3000), gidMappings=mapping(0, 4000))
    assert runt.run(bundle) == "3003:4003\n"
    del mount["uidMappings"], mount["gidMappings"]
    bundle.namespaces("user")
    bundle.linux.update(uidMappings=mapping(0, 100000), gidMappings=mapping(0, 100000))
    bundle.config["mounts"] = [mount]
    for path in (bundle.rootfs, *bundle.rootfs.rglob("*")):
        os.chown(path, 100000, 100000, follow_symlinks=False)
    mount["options"] = ["rbind", "idmap=uids=@3-7-1;gids=@0-0-10"]
    assert runt.run(bundle) == "7:3\n"


@pytest.mark.parametrize(
    "option",
    [
        *("idmap=uids=0-1", "idmap=uids=0-1-2", "idmap=uids=0-1-2;gids=", "idmap=uids=0-1-2;gids=0-1-99999999999"),
        *("ridmap=pids=1-2-3", "idmap=uids=0-1-2;uids=0-1-2", "idmap=uids=@0-5-1;gids=@0-0-1"),
    ],
)  # fmt: skip
def test_mappings_in_an_option_that_are_wrong_are_named(
    bundle: Bundle, runt: Runt, mount: dict[str, Any], option: str
) -> None:
    mount["options"] = ["rbind", option]
    assert "mounts[1].options[1]: " in runt.fail(bundle)


def test_without_mappings_those_of_the_user_namespace_count(
    bundle: Bundle, runt: Runt, mount: dict[str, Any]
) -> None:
    bundle.namespaces("user")
    bundle.linux.update(uidMappings=mapping(0, 100000), gidMappings=mapping(0, 100000))
    bundle.config["mounts"] = [mount]
    for path in (bundle.rootfs, *bundle.rootfs.rglob("*")):
        os.chown(path, 100000, 100000, follow_symlinks=False)
    # Without idmap the file belongs to a user that the container doesn't know.
    assert runt.run(bundle) == "65534:65534\n"
    mount["options"] = ["rbind", "idmap"]
    assert runt.run(bundle) == "3:3\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"options": ["bind", "idmap"]}, "no user namespace to take them from"),
        ({"uidMappings": mapping(0, 1)}, "mounts[1].uidMappings needs the other one"),
    ],
)  # fmt: skip
def test_mapping_that_cannot_be_made_is_refused(
    bundle: Bundle, runt: Runt, mount: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    mount.update(change)
    assert said in runt.fail(bundle)


def test_new_filesystem_can_be_mapped_too(bundle: Bundle, runt: Runt, mount: dict[str, Any]) -> None:
    mount.update(type="tmpfs", source="tmpfs", options=["idmap", "mode=777"])
    mount.update(uidMappings=mapping(0, 1000), gidMappings=mapping(0, 2000))
    bundle.process["user"] = {"uid": 1003, "gid": 2003}
    bundle.sh("stat -c %u:%g /m; touch /m/file; stat -c %u:%g /m/file")
    assert runt.run(bundle).split() == ["1000:2000", "1003:2003"]


def test_filesystem_that_cannot_be_mapped_is_named(bundle: Bundle, runt: Runt, mount: dict[str, Any]) -> None:
    mount.update(source="/proc/tty", uidMappings=mapping(0, 1), gidMappings=mapping(0, 1))
    said = runt.fail(bundle)
    assert "cannot map the IDs of the mount at" in said
    assert "/m" in said
