"""A container of a user who is not root, with a user namespace in which that user alone exists."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.runt import REPOSITORY, Bundle, Runt

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534
_NEW_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 11))"

pytestmark = pytest.mark.root


class RuntOfNobody(Runt):
    """`runt`, called by nobody, from a copy that they can read wherever the checkout lies."""

    def __init__(self, place: Path) -> None:
        super().__init__(place / "state")
        shutil.copytree(REPOSITORY / "runtime", place / "runtime")
        self.place = place
        self.python = next(
            path
            for path in (sys.executable, "/usr/bin/python3")
            if _as_nobody([path, "-c", _NEW_ENOUGH]) == 0
        )

    def command(self, *words: str) -> list[str]:
        """Return the whole command line for some arguments."""
        return [self.python, "-m", "runtime", "--root", str(self.root), *words]

    def __call__(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as nobody."""
        return super().__call__(
            *words,
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd=self.place,
            env={"PYTHONPATH": ""},
            **options,
        )


def _as_nobody(command: list[str]) -> int:
    try:
        return subprocess.run(command, user=NOBODY, group=NOBODY, extra_groups=[], check=False).returncode
    except PermissionError:
        return 1


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that belongs to nobody, in one that everybody may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        os.chown(name, NOBODY, NOBODY)
        yield Path(name)


@pytest.fixture
def nobody(place: Path) -> Iterator[RuntOfNobody]:
    """`runt` of nobody."""
    runt = RuntOfNobody(place)
    yield runt
    runt.clean_up()


@pytest.fixture
def bundle(place: Path, nobody: RuntOfNobody) -> Bundle:
    """The bundle that `runt spec --rootless` makes, without a terminal."""
    bundle = Bundle(place / "bundle")
    for path in (bundle.path, *bundle.path.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
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
    nobody.ok("kill", "test", "KILL")
    nobody.wait_until_stopped()
    nobody.ok("delete", "test")
    assert nobody.ok("list", "-q") == ""


def test_state_directory_of_somebody_else_is_named_with_the_way_out(
    nobody: RuntOfNobody, bundle: Bundle, tmp_path: Path
) -> None:
    bundle.save()
    nobody.root, own = tmp_path, nobody.root
    for words in (["list"], ["create", "-b", str(bundle.path), "test"]):
        said = nobody(*words).stderr
        assert f"state directory {tmp_path}: permission denied: name one of your own with --root" in said
    nobody.root = own


def test_other_users_cannot_be_mapped_and_the_message_says_who_can(
    nobody: RuntOfNobody, bundle: Bundle
) -> None:
    bundle.linux["uidMappings"][0]["size"] = 1000
    message = nobody.fail(bundle)
    assert "cannot write uid_map of the user namespace: operation not permitted" in message
    assert f"user {NOBODY} may map only that user" in message


def test_additional_groups_are_refused_and_not_forgotten(nobody: RuntOfNobody, bundle: Bundle) -> None:
    bundle.process["user"]["additionalGids"] = [0]
    assert "additionalGids cannot be set" in nobody.fail(bundle)


def test_without_a_user_namespace_the_message_says_what_is_missing(
    nobody: RuntOfNobody, bundle: Bundle
) -> None:
    for member in ("uidMappings", "gidMappings"):
        del bundle.linux[member]
    bundle.namespaces("mount", "pid", "uts")
    assert "for who is not root, new namespaces need one of type" in nobody.fail(bundle)
