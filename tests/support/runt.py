"""Bundles with a busybox root filesystem, and `runt` to run them, each with its own state directory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAMS = (
    "cat date df echo env false find grep head hostname id ifconfig kill ln ls mkdir mount nc nproc od ps pwd readlink sed "
    "sh sleep stat stty sync tail test touch true tty uname uptime wc"
)
OWN_MOUNTS: list[dict[str, Any]] = [{"type": "mount"}]
PROC = {"destination": "/proc", "type": "proc", "source": "proc"}
REPOSITORY = Path(__file__).parents[2]


def make_rootfs(path: Path) -> None:
    """Make a root filesystem with busybox and links to it, `/proc` and `/tmp`."""
    busybox = shutil.which("busybox")
    assert busybox, "these tests need busybox"
    for directory in ("bin", "proc", "tmp"):
        (path / directory).mkdir(parents=True, exist_ok=True)
    shutil.copy(busybox, path / "bin/busybox")
    for name in PROGRAMS.split():
        (path / "bin" / name).symlink_to("busybox")


class Bundle:
    """A bundle whose configuration is a plain dictionary, written by `save`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rootfs = path / "rootfs"
        make_rootfs(self.rootfs)
        self.config: dict[str, Any] = {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": 0, "gid": 0},
                "args": ["true"],
                "env": ["PATH=/bin"],
                "cwd": "/",
            },
            "root": {"path": "rootfs"},
            "mounts": [PROC],
            "linux": {"namespaces": [*OWN_MOUNTS]},
        }

    @property
    def process(self) -> Any:
        """`process` of the configuration."""
        return self.config["process"]

    @property
    def linux(self) -> Any:
        """`linux` of the configuration."""
        return self.config["linux"]

    def sh(self, script: str) -> Bundle:
        """Have the container run a shell script."""
        self.process["args"] = ["sh", "-c", script]
        return self

    def namespaces(self, *kinds: str) -> Bundle:
        """Give the container new namespaces of these types, and a mount namespace."""
        self.linux["namespaces"] = [{"type": kind} for kind in {"mount": 1, **dict.fromkeys(kinds)}]
        return self

    def without_devices(self) -> Bundle:
        """Remove what a runtime has made in the root's own /dev: runc 1.3.6 takes its links for something that isn't its own."""
        shutil.rmtree(self.rootfs / "dev", ignore_errors=True)
        return self

    def save(self) -> Bundle:
        """Write config.json."""
        (self.path / "config.json").write_text(json.dumps(self.config))
        return self


class Runt:
    """`runt` with a state directory of its own, in which nothing is left at the end."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.created: list[str] = []

    def command(self, *words: str) -> list[str]:
        """Return the whole command line for some arguments."""
        return [sys.executable, "-m", "runtime", "--root", str(self.root), *words]

    def __call__(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command to its end and return its output; standard input is /dev/null."""
        options = {
            "stdin": subprocess.DEVNULL,
            "capture_output": True,
            "text": True,
            "timeout": patience.scaled(30),
            **options,
        }
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **options.pop("env", {})}
        return subprocess.run(self.command(*words), check=False, env=environment, **options)

    def ok(self, *words: str, **options: Any) -> str:
        """Run a command that must succeed, and return its standard output."""
        done = self(*words, **options)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return str(done.stdout)

    def run(self, bundle: Bundle, container_id: str = "test", *options: str, **more: Any) -> str:
        """Save the bundle, run a container of it to its end, and return what it printed."""
        bundle.save()
        done = self("run", "-b", str(bundle.path), *options, container_id, **more)
        assert done.returncode == 0, done.stdout + done.stderr
        return str(done.stdout)

    def fail(self, bundle: Bundle, container_id: str = "test", command: str = "create") -> str:
        """Save the bundle, try to create a container, which must fail and leave nothing; return the message."""
        bundle.save()
        done = self(command, "-b", str(bundle.path), container_id)
        assert done.returncode != 0, f"{command} should have failed"
        assert "Traceback" not in done.stderr
        assert not self.root.is_dir() or self.ok("list", "-q") == ""
        return str(done.stderr)

    def create(self, bundle: Bundle, container_id: str = "test", *options: str) -> Path:
        """Save the bundle and create a container; return the file that its standard output and error go to."""
        bundle.save()
        output = bundle.path / f"{container_id}.out"
        words = ("create", "-b", str(bundle.path), *options, container_id)
        with output.open("w") as file:
            done = self(*words, stdout=file, stderr=file, capture_output=False)
        assert done.returncode == 0, f"{words}: {output.read_text()}"
        return output

    def state(self, container_id: str = "test") -> Any:
        """Return the container's state."""
        return json.loads(self.ok("state", container_id))

    def wait_until_stopped(self, container_id: str = "test") -> None:
        """Wait until the container's program has ended."""
        wait_for(lambda: self.state(container_id)["status"] == "stopped")

    def clean_up(self) -> None:
        """Delete every container."""
        for container_id in self.ok("list", "-q").split() if self.root.is_dir() else ():
            self.ok("delete", "--force", container_id)


def in_private_mounts(script: str, runt: Runt, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a shell script in a mount namespace of its own, with `$RUNT`; it must succeed."""
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "RUNT": " ".join(runt.command())},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience.scaled(60),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until `condition` is true; fail if it does not become true."""
    deadline = time.monotonic() + patience.scaled(seconds)
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
