"""A container without root, with a user namespace in which the user alone exists."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.nobody import NOBODY, RuntOfNobody, bundle_of_nobody, place_of_nobody

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.runt import Bundle

pytestmark = pytest.mark.root


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that belongs to the user nobody."""
    with place_of_nobody() as place:
        yield place


@pytest.fixture
def nobody(place: Path) -> Iterator[RuntOfNobody]:
    """`runt` of the user nobody."""
    runt = RuntOfNobody(place)
    yield runt
    runt.clean_up()


@pytest.fixture
def bundle(place: Path, nobody: RuntOfNobody) -> Bundle:
    """The bundle that `runt spec --rootless` makes, without a terminal."""
    bundle = bundle_of_nobody(place)
    nobody.ok("spec", "--rootless", "-b", str(bundle.path))
    bundle.config = json.loads((bundle.path / "config.json").read_text())
    bundle.process["terminal"] = False
    bundle.config["root"]["readonly"] = False
    return bundle


def test_the_container_that_spec_describes_runs_as_root_of_itself(
    nobody: RuntOfNobody, bundle: Bundle
) -> None:
    bundle.sh(
        "id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups;"
        "echo x >/new; stat -c %u /new; echo y >/dev/null && ls /sys/fs/cgroup >/dev/null && echo fine"
    )
    said = nobody.run(bundle).split("\n")
    assert [line.split() for line in said[:5]] == [
        ["0"],
        ["0"],
        ["0", "65534", "1"],
        ["0", "65534", "1"],
        ["deny"],
    ]
    assert said[5:7] == ["0", "fine"]
    assert (bundle.rootfs / "new").stat().st_uid == NOBODY


def test_a_whole_life(nobody: RuntOfNobody, bundle: Bundle) -> None:
    nobody.create(bundle.sh("sleep 100"))
    assert nobody.state()["status"] == "created"
    nobody.ok("start", "test")
    said = nobody.ok("exec", "test", "sh", "-c", "id -u; id -g; cat /proc/1/comm; echo x >/dev/null").split()
    assert said == ["0", "0", "sleep"]
    nobody.ok("kill", "test", "KILL")
    nobody.wait_until_stopped()
    nobody.ok("delete", "test")
    assert nobody.ok("list", "-q") == ""


def test_state_is_kept_in_the_users_own_runtime_directory(
    place: Path, nobody: RuntOfNobody, bundle: Bundle
) -> None:
    bundle.sh("true").save()
    command = [nobody.python, "-m", "runtime"]
    user: Any = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    env = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(place)}
    with (place / "out").open("w") as out:
        create = [*command, "create", "-b", str(bundle.path), "test"]
        subprocess.run(create, cwd=place, env=env, check=True, stdin=subprocess.DEVNULL, stdout=out, **user)
    nobody.root = place / "runt"
    assert nobody.ok("list", "-q") == "test\n"
    # Root in a user namespace, as podman's own, is the same user by another number.
    inside = ["unshare", "--user", "--map-root-user", *command, "list", "-q"]
    assert subprocess.check_output(inside, cwd=place, env=env, **user) == b"test\n"


def test_state_directory_of_another_user_is_named_with_the_way_out(
    nobody: RuntOfNobody, bundle: Bundle, tmp_path: Path
) -> None:
    bundle.save()
    nobody.root, own = tmp_path, nobody.root
    for words in (["list"], ["create", "-b", str(bundle.path), "test"]):
        said = nobody(*words).stderr
        assert f"state directory {tmp_path}: permission denied: name one of your own with --root" in said
    nobody.root = own


@pytest.mark.peer("newuidmap")
def test_other_users_cannot_be_mapped_and_the_message_says_what_can(
    nobody: RuntOfNobody, bundle: Bundle
) -> None:
    bundle.linux["uidMappings"][0]["size"] = 1000
    message = nobody.fail(bundle)
    assert "newuidmap: uid range [0-1000) -> [65534-66534) not allowed" in message
    assert f"/etc/subuid lists the other IDs that user {NOBODY} may map" in message


def test_additional_groups_are_refused_and_not_forgotten(nobody: RuntOfNobody, bundle: Bundle) -> None:
    bundle.process["user"]["additionalGids"] = [0]
    assert "additionalGids cannot be set" in nobody.fail(bundle)


def test_without_a_user_namespace_the_message_says_what_is_missing(
    nobody: RuntOfNobody, bundle: Bundle
) -> None:
    for member in ("uidMappings", "gidMappings"):
        del bundle.linux[member]
    bundle.namespaces("mount", "pid", "uts")
    assert "a user other than root also needs a new namespace of type" in nobody.fail(bundle)
