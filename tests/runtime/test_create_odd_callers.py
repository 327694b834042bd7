"""Unusual callers and machines: one clear message, and nothing is left behind."""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.runt import REPOSITORY, Bundle, Runt
from tutor import patience

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


def shell(runt: Runt, script: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script in a mount namespace of its own; `$runt` is the command with its state directory."""
    return subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", script],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "runt": shlex.join(runt.command())},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=patience.scaled(30),
    )


def test_full_filesystem_for_the_state_is_named_and_left_empty(bundle: Bundle, runt: Runt) -> None:
    bundle.save()
    done = shell(
        runt,
        f"mount -t tmpfs -o size=4k tmpfs {runt.root}; $runt run -b {bundle.path} test; ls {runt.root}",
    )
    assert "state.json: no space left on device" in done.stderr
    assert done.stdout == "@locks\n"


def test_without_proc_the_message_says_so(bundle: Bundle, runt: Runt) -> None:
    bundle.save()
    done = shell(runt, f"umount -l /proc && $runt run -b {bundle.path} test")
    assert "is /proc mounted?" in done.stderr


def test_program_gets_dev_null_for_closed_standard_streams(bundle: Bundle, runt: Runt) -> None:
    bundle.sh("for i in 0 1 2; do readlink /proc/self/fd/$i; done >/said && echo x && echo y >&2").save()
    done = shell(runt, f"exec $runt run -b {bundle.path} test <&- >&- 2>&-")
    assert done.returncode == 0
    assert (bundle.rootfs / "said").read_text().splitlines()[0] == "/dev/null"


def test_full_standard_output_is_no_success(runt: Runt) -> None:
    done = shell(runt, "$runt list >/dev/full")
    assert done.returncode == 1
    assert "cannot write to standard output: no space left on device" in done.stderr


@pytest.mark.parametrize("where", ["pid/", "no/such/place", "."])
def test_pid_file_that_cannot_be_written_is_named_and_no_other_is_left(
    bundle: Bundle, runt: Runt, tmp_path: Path, where: str
) -> None:
    bundle.save()
    place = tmp_path / "place"
    (place / "pid").mkdir(parents=True)
    done = runt("create", "-b", str(bundle.path), "--pid-file", where, "test", cwd=place)
    assert f"cannot write the pid file {where}" in done.stderr
    assert [path.name for path in place.rglob("*")] == ["pid"]
    assert runt.ok("list", "-q") == ""


def test_deleted_current_directory_is_named(bundle: Bundle, runt: Runt, tmp_path: Path) -> None:
    bundle.save()
    (tmp_path / "gone").mkdir()
    enter = f"cd {tmp_path}/gone && rmdir {tmp_path}/gone"
    done = shell(runt, f"{enter}; $runt run test")
    assert "the current directory, which has been deleted" in done.stderr
    assert shell(runt, f"{enter}; $runt run -b {bundle.path} test").returncode == 0


def test_configuration_that_is_no_ordinary_file_is_refused(bundle: Bundle, runt: Runt) -> None:
    path = bundle.path / "config.json"
    os.mkfifo(path)
    assert "is not a regular file" in runt("create", "-b", str(bundle.path), "test").stderr
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "is not a regular file" in runt("create", "-b", str(bundle.path), "test").stderr


def test_too_little_memory_is_not_reported_as_a_fault_of_runt(bundle: Bundle, runt: Runt) -> None:
    bundle.config["annotations"] = {"long": "x" * 100_000_000}
    bundle.save()
    limit = 150_000_000
    done = runt(
        "create",
        "-b",
        str(bundle.path),
        "test",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.stderr.endswith('msg="not enough memory"\n')


def test_few_descriptors_are_enough(bundle: Bundle, runt: Runt) -> None:
    bundle.save()
    assert shell(runt, f"ulimit -n 24; $runt run -b {bundle.path} test").returncode == 0
    for number in (7, 8, 10, 15, 20):
        done = shell(runt, f"ulimit -n {number}; $runt run -b {bundle.path} test")
        assert done.returncode == 0 or "too many open files" in done.stderr
        assert runt.ok("list", "-q") == "", number
