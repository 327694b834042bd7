"""The root as a mount: read-only, its propagation, pivot_root, and the paths in it that are masked or read-only."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support.mounts import Mounted, mount, mounts_of
from tests.support.runt import REPOSITORY, Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


def test_root_is_readonly_and_mounts_keep_their_own_setting(bundle: Bundle, runt: Runt) -> None:
    bundle.config["root"]["readonly"] = True
    mount(bundle, "/m", "tmpfs")
    found = mounts_of(bundle, runt)
    assert "ro" in found["/"].options
    assert "rw" in found["/m"].options
    (bundle.rootfs / "still-writable-outside").touch()


@pytest.mark.parametrize(
    ("value", "propagation"),
    [
        ("shared", {"shared"}),
        ("rshared", {"shared"}),
        ("private", set()),
        ("rprivate", set()),
        ("unbindable", {"unbindable"}),
        (None, set()),
    ],
)
def test_propagation_of_the_root(
    bundle: Bundle, runt: Runt, value: str | None, propagation: set[str]
) -> None:
    if value:
        bundle.linux["rootfsPropagation"] = value
    assert mounts_of(bundle, runt)["/"].propagation == propagation


def test_slave_root_gets_what_is_mounted_on_the_host_later(bundle: Bundle, runt: Runt) -> None:
    (bundle.path / "shared").mkdir()
    bundle.config["mounts"].append(
        {"destination": "/seen", "source": "shared", "options": ["rbind", "rslave"]}
    )
    bundle.sh("cat /proc/self/mountinfo").save()
    script = """
    mount -t tmpfs outer shared
    mount --make-shared shared
    mkdir shared/below
    $RUNT create -b . test > out
    mount -t tmpfs -o size=123k later shared/below
    $RUNT start test
    while ! $RUNT state test | grep -q stopped; do :; done
    $RUNT delete test
    """
    subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script],
        cwd=bundle.path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "RUNT": " ".join(runt.command())},
        stdin=subprocess.DEVNULL,
        check=True,
    )
    found = {line.split(" ")[4]: Mounted(line) for line in (bundle.path / "out").read_text().splitlines()}
    assert found["/seen"].propagation == {"master"}
    assert "size=124k" in found["/seen/below"].superblock


def test_nothing_of_the_host_is_left_in_the_mount_table(bundle: Bundle, runt: Runt) -> None:
    mount(bundle, "/m", "tmpfs")
    assert set(mounts_of(bundle, runt)) == {"/", "/proc", "/m"}


def test_without_pivot_root_the_container_sees_the_same(bundle: Bundle, runt: Runt) -> None:
    mount(bundle, "/m", "tmpfs")
    bundle.sh("pwd; ls /; ls /m/..; cat /proc/1/mountinfo >/dev/null && echo ok").namespaces("pid")
    plain = runt.run(bundle, "test")
    moved = runt.run(bundle, "test", "--no-pivot")
    assert plain == moved


def test_masked_paths_show_nothing_and_readonly_paths_refuse_writing(bundle: Bundle, runt: Runt) -> None:
    (bundle.rootfs / "secret").mkdir()
    (bundle.rootfs / "secret/file").write_text("secret")
    (bundle.rootfs / "tmp/secret").write_text("secret")
    (bundle.rootfs / "fixed").mkdir()
    bundle.linux["maskedPaths"] = ["/secret", "/tmp/secret", "/no/such/path", "/tmp/secret/below"]
    bundle.linux["readonlyPaths"] = ["/fixed", "/proc/sys", "/no/such/path"]
    bundle.sh(
        "ls /secret; cat /tmp/secret; touch /secret/x; echo x > /fixed/file; echo 1 > /proc/sys/vm/swappiness; echo end"
    )
    bundle.save()
    done = runt("run", "-b", str(bundle.path), "test")
    assert done.stdout == "end\n"
    assert done.stderr.count("Read-only file system") == 3
