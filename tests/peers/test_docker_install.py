"""`oci-tutor docker install` on a real dockerd: it has the runtime at once, runs containers with it, and can remove it again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.docker import Dockerd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.daemons import Containerd, Quarters
    from tutor.images.mini import BuiltImage

pytestmark = [pytest.mark.root, pytest.mark.peer("docker", "dockerd", "containerd", "tini")]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fresh(quarters: Quarters, containerd: Containerd, mini: tuple[Path, BuiltImage]) -> Iterator[Dockerd]:
    """Yield a private dockerd without `runt`."""
    daemon = Dockerd(quarters, containerd.address, {}, name="fresh")
    daemon.ok("load", "--input", mini[0])
    yield daemon
    daemon.stop()
    # A test that failed may have left it.
    subprocess.run([sys.executable, "-m", "runtime.install.launcher", "uninstall"], cwd=ROOT, check=True)


def tutor(quarters: Quarters, dockerd: Dockerd, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `oci-tutor docker` where the dockerd is, which is found by its pid file alone."""
    command = [
        sys.executable,
        "-m",
        "tutor",
        "--lang",
        "en",
        "docker",
        *words,
        f"--pidfile={dockerd.root}/pid",
    ]
    return subprocess.run(quarters.inside(command), cwd=ROOT, capture_output=True, text=True, check=False)


def test_from_install_to_uninstall(quarters: Quarters, fresh: Dockerd) -> None:
    fresh.config.write_text('{\n  "debug": true,\n  "runtimes": {"crun": {"path": "/usr/bin/crun"}}\n}\n')
    before = fresh.config.read_bytes()
    done = tutor(quarters, fresh, "install")
    assert done.returncode == 0, done.stderr
    assert "dockerd knows runt" in done.stdout
    assert set(json.loads(fresh.ok("info", "--format={{json .Runtimes}}"))) >= {"runt", "crun", "runc"}
    assert json.loads(fresh.config.read_bytes())["runtimes"]["crun"] == {"path": "/usr/bin/crun"}
    # The command line that it has printed, unchanged.
    typed = next(line for line in done.stdout.splitlines() if "run --rm --runtime=runt" in line)
    command = typed.replace("IMAGE", "--network=none mini:latest").replace("COMMAND", "echo hello").split()
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == "hello\n"
    assert "already" in tutor(quarters, fresh, "install").stdout

    box = fresh.ok(
        "run",
        "-d",
        "--name=busy",
        "--runtime=runt",
        "--network=none",
        "mini",
        "sleep",
        "1000",
    ).strip()
    busy = tutor(quarters, fresh, "uninstall")
    assert busy.returncode == 1
    assert "busy" in busy.stderr
    fresh.ok("kill", box)
    fresh.ok("wait", box)
    gone = tutor(quarters, fresh, "uninstall")
    assert gone.returncode == 0, gone.stderr
    assert "dockerd no longer knows runt" in gone.stdout
    assert "cannot be started any more: busy" in gone.stdout
    fresh.ok("rm", box)
    assert fresh.config.read_bytes() == before
    assert [path.name for path in fresh.root.glob("daemon.json*")] == ["daemon.json"]
    assert "runt" not in json.loads(fresh.ok("info", "--format={{json .Runtimes}}"))
    fresh.restart()
    assert set(json.loads(fresh.ok("info", "--format={{json .Runtimes}}"))) >= {"crun", "runc"}


def test_flags_that_would_contradict_the_file_are_seen_before_anything_is_changed(
    quarters: Quarters, dockerd: Dockerd
) -> None:
    before = dockerd.config.read_bytes()
    done = tutor(quarters, dockerd, "install")
    assert done.returncode == 1
    assert "--add-runtime" in done.stderr
    assert dockerd.config.read_bytes() == before


def test_what_dockerd_refuses_is_undone(quarters: Quarters, fresh: Dockerd) -> None:
    # Valid JSON, but dockerd was given the same key as a flag: it refuses the file whatever runtimes it has.
    fresh.config.write_text('{"storage-driver": "overlay2"}')
    done = tutor(quarters, fresh, "install")
    assert done.returncode == 1
    assert "did not accept the new configuration" in done.stderr
    assert fresh.config.read_text() == '{"storage-driver": "overlay2"}'
