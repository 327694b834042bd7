"""`checkpoint` and `restore` through criu where it works on this kernel, and a clear error where not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.support.consoles import console_socket, receive
from tests.support.runt import Bundle, Runt, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox", "criu")]

COUNT = "i=0; while true; do echo $i; i=$((i+1)); sleep 0.1; done"
HIDDEN = 'for path in $(which -a criu); do mount --bind /dev/null "$path"; done; exec "$@"'


@cache
def why_not() -> str:
    """Return why criu can't work here, or nothing."""
    done = subprocess.run(["criu", "check"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"criu check: {done.stderr.strip().splitlines()[-1]}"


class Pipes:
    """Pipes for the output of containers, whose other ends write to files."""

    def __init__(self) -> None:
        self.writers: list[subprocess.Popen[bytes]] = []

    def run(self, bundle: Bundle, runt: Runt, *words: str) -> Path:
        """Run a command whose standard output is a pipe, as its container's is then; return the file."""
        output = bundle.path / f"{words[0]}.out"
        read_end, write_end = os.pipe()
        with output.open("w") as file:
            self.writers.append(subprocess.Popen(["cat"], stdin=read_end, stdout=file))
        os.close(read_end)
        runt.ok(*words, stdout=write_end, stderr=write_end, capture_output=False)
        os.close(write_end)
        return output


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    """Pipes that end with the test."""
    pipes = Pipes()
    yield pipes
    for writer in pipes.writers:
        writer.kill()
        writer.wait()


@pytest.fixture
def counting(pipes: Pipes, bundle: Bundle, runt: Runt) -> Path:
    """A container that counts, with mounts from outside; return the file that it writes to through a pipe."""
    runt.ok("spec", "-b", str(bundle.path))
    bundle.config = json.loads((bundle.path / "config.json").read_text())
    bundle.process.update(terminal=False, env=["PATH=/bin"])
    (bundle.path / "shared").mkdir()
    (bundle.path / "shared/file").write_text("outside")
    bundle.config["mounts"].append({"destination": "/seen", "source": "shared", "options": ["rbind"]})
    bundle.sh(COUNT).save()
    return pipes.run(bundle, runt, "run", "--detach", "-b", str(bundle.path), "counting")


def test_container_goes_on_where_it_was(
    bundle: Bundle, runt: Runt, pipes: Pipes, counting: Path, tmp_path: Path
) -> None:
    if why_not():
        pytest.skip(why_not())
    images = str(tmp_path / "images")
    wait_for(lambda: len(counting.read_text().split()) > 3)
    runt.ok("checkpoint", "--image-path", images, "--work-path", str(tmp_path / "work"), "counting")
    assert runt.ok("list", "-q") == ""
    before = [int(number) for number in counting.read_text().split()]
    restored = pipes.run(
        bundle, runt, "restore", "--detach", "-b", str(bundle.path), "--image-path", images,
        "--pid-file", str(tmp_path / "pid"), "counting",
    )  # fmt: skip
    wait_for(lambda: len(restored.read_text().split()) > 3)
    after = [int(number) for number in restored.read_text().split()]
    assert before[0] == 0
    assert after[0] in (before[-1], before[-1] + 1)
    state = runt.state("counting")
    assert state["status"] == "running"
    assert state["pid"] == int((tmp_path / "pid").read_text())
    assert runt.ok("exec", "counting", "cat", "/seen/file") == "outside"
    runt.ok("kill", "counting", "KILL")
    runt.wait_until_stopped("counting")
    runt.ok("delete", "counting")


def test_container_that_is_to_go_on_does(runt: Runt, counting: Path, tmp_path: Path) -> None:
    if why_not():
        pytest.skip(why_not())
    images = str(tmp_path / "images")
    runt.ok("checkpoint", "--leave-running", "--image-path", images, "counting")
    seen = len(counting.read_text().split())
    wait_for(lambda: len(counting.read_text().split()) > seen)


def test_where_criu_cannot_work_the_reason_is_criu_s_own_and_the_container_goes_on(
    runt: Runt, counting: Path, tmp_path: Path
) -> None:
    if not why_not():
        pytest.skip("criu works here")
    done = runt("checkpoint", "--image-path", str(tmp_path / "images"), "counting")
    assert done.returncode == 1
    assert "criu failed: " in done.stderr
    assert "initializ" in done.stderr
    assert runt.state("counting")["status"] == "running"
    seen = len(counting.read_text().split())
    wait_for(lambda: len(counting.read_text().split()) > seen)


def test_restore_that_fails_leaves_nothing(bundle: Bundle, runt: Runt, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    bundle.save()
    words = ["restore", "-b", str(bundle.path), "--image-path", str(tmp_path / "images"), "counting"]
    assert "is no checkpoint of a container" in runt(*words).stderr
    (tmp_path / "images/descriptors.json").write_text('["/dev/null", "/dev/null", "/dev/null"]')
    assert "criu failed: " in runt(*words).stderr
    assert runt.ok("list", "-q") == ""


@pytest.mark.parametrize("command", ["checkpoint", "restore"])
def test_without_criu_the_way_to_it_is_named(
    bundle: Bundle, runt: Runt, counting: Path, tmp_path: Path, command: str
) -> None:
    assert counting.exists()
    own = ["-b", str(bundle.path)] if command == "restore" else []
    name = "counting" if command == "checkpoint" else "other"
    hidden = ["unshare", "--mount", "sh", "-c", HIDDEN, "sh"]
    done = subprocess.run(
        [*hidden, *runt.command(command, *own, "--image-path", str(tmp_path), name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "need criu, which is not installed (Debian: apt install criu)" in done.stderr
    assert runt.ok("list", "-q") == "counting\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--lazy-pages"], "--lazy-pages is not supported"),
        (["--manage-cgroups-mode", "hard"], "Invalid manage-cgroups-mode value"),
        (["--empty-ns", "user"], 'namespace \\"user\\" is not supported'),
        (["--parent-path", "/x"], "--parent-path must be relative"),
        (["--page-server", "host"], "Use --page-server ADDRESS:PORT"),
        (["--page-server", "host:x"], "Invalid port number of --page-server"),
    ],
)
def test_option_that_cannot_be_followed_is_refused(runt: Runt, options: list[str], said: str) -> None:
    assert said in runt("checkpoint", *options, "nobody").stderr


def test_only_what_runs_can_be_saved_and_a_terminal_needs_a_place_to_go(bundle: Bundle, runt: Runt) -> None:
    runt.create(bundle)
    assert "Container cannot be checkpointed in created state" in runt("checkpoint", "test").stderr
    bundle.process["terminal"] = True
    # They have been moved into the namespace of the container that is restored: nobody looks for them here.
    bundle.linux["netDevices"] = {"gone0": {}}
    bundle.namespaces("network").save()
    said = runt("restore", "-d", "-b", str(bundle.path), "x").stderr
    assert "cannot allocate tty if runt will detach without setting console socket" in said


def test_a_terminal_is_saved_and_comes_back_through_the_socket(
    bundle: Bundle, runt: Runt, tmp_path: Path
) -> None:
    """The master is in the hands of the caller: criu gives it a new one."""
    if why_not():
        pytest.skip(why_not())
    runt.ok("spec", "-b", str(bundle.path))
    bundle.config = json.loads((bundle.path / "config.json").read_text())
    bundle.process["env"] = ["PATH=/bin"]
    # A place of the image that is a link, as a mount's destination.
    (bundle.rootfs / "real").mkdir()
    (bundle.rootfs / "link").symlink_to("/real")
    bundle.config["mounts"].append(
        {"destination": "/link/seen", "source": str(tmp_path), "options": ["bind"]}
    )
    bundle.sh("stty size; while read line; do echo got $line; done").save()
    images = ["--image-path", str(tmp_path / "images")]
    with console_socket(tmp_path / "first") as listener:
        runt.ok("run", "-d", "--console-socket", f"{tmp_path}/first", "-b", str(bundle.path), "talking")
        first, _ = receive(listener)
    runt.ok("checkpoint", *images, "talking")
    os.close(first)
    with console_socket(tmp_path / "second") as listener:
        words = ["restore", "-d", "--console-socket", f"{tmp_path}/second", *images, "-b", str(bundle.path)]
        runt.ok(*words, "talking")
        second, _ = receive(listener)
    os.write(second, b"hello\n")
    seen = b""
    while b"got hello" not in seen:
        seen += os.read(second, 4096)
    assert runt.ok("exec", "talking", "test", "-d", "/real/seen/images") == ""
    os.close(second)


def test_another_criu_can_be_named(runt: Runt, counting: Path, tmp_path: Path) -> None:
    assert counting.exists()
    own = tmp_path / "my-criu"
    own.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/called\nexit 1\n')
    words = ["checkpoint", "--image-path", str(tmp_path / "images"), "counting"]
    assert "--criu" in runt("--criu", str(own), *words).stderr
    own.chmod(0o755)
    # Without the images to build on, criu is not called.
    said = runt("--criu", str(own), *words, "--parent-path", "../none").stderr
    assert f"invalid --parent-path: {tmp_path}/none: no such file or directory" in said
    assert not (tmp_path / "called").exists()
    assert "criu failed: " in runt("--criu", str(own), *words).stderr
    assert (tmp_path / "called").read_text() == "swrk\n"


def criu_that_loses_a_cgroup(tmp_path: Path, times: int) -> str:
    """Return a criu that fails at first, as the real one does if a cgroup is removed while it reads the hierarchy."""
    own = tmp_path / "my-criu"
    log = r"""(00.1) Error (criu/cgroup.c:601): cg: failed walking /proc/self/fd/16 for empty cgroups: No such file or directory
(00.2) Error (criu/cr-dump.c:1635): Dump core (pid: 4490) failed with -1
(00.3) Error (criu/cr-dump.c:2111): Dumping FAILED."""
    # Python: a shell may take a descriptor above 9 for a file's name. The answer is that of a dump that has succeeded: type 1, success.
    own.write_text(
        f"#!{sys.executable} -IS\nimport os, sys\nconnection = int(sys.argv[2])\n"
        f"with open({str(tmp_path / 'called')!r}, 'a+') as called:\n"
        "    called.write('\\n'), called.seek(0)\n"
        "    times = len(called.read())\n"
        "os.read(connection, 1)\n"
        f"if times > {times}:\n"
        "    os.write(connection, bytes([8, 1, 16, 1]))\n"
        "    sys.exit()\n"
        f"with open({str(tmp_path / 'images' / 'dump.log')!r}, 'w') as log:\n"
        f"    log.write({log!r} + '\\n')\n"
        "sys.exit(1)\n"
    )
    own.chmod(0o755)
    return str(own)


def test_another_container_that_goes_while_criu_reads_the_cgroups_changes_nothing(
    runt: Runt, counting: Path, tmp_path: Path
) -> None:
    assert counting.exists()
    words = ["checkpoint", "--leave-running", "--image-path", str(tmp_path / "images"), "counting"]
    runt.ok("--criu", criu_that_loses_a_cgroup(tmp_path, 2), *words)
    assert (tmp_path / "called").read_text() == "\n" * 3
    assert not (tmp_path / "images/dump.log.said").exists()


def test_what_was_wrong_is_said_and_not_only_that_it_failed(
    runt: Runt, counting: Path, tmp_path: Path
) -> None:
    assert counting.exists()
    words = ["checkpoint", "--image-path", str(tmp_path / "images"), "counting"]
    done = runt("--criu", criu_that_loses_a_cgroup(tmp_path, 9), *words)
    assert done.returncode == 1
    assert (
        "criu failed: cg: failed walking /proc/self/fd/16 for empty cgroups: No such file or directory; log"
        in done.stderr
    )
    assert runt.state("counting")["status"] == "running"
