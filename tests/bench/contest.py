"""The measurements of each runtime: whole command lines, as a caller runs them, on the same bundle."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from runtime.install.interpreter import PLACES
from tests.bench.stopwatch import milliseconds
from tests.support.daemons import PATH, Containerd, Quarters
from tests.support.docker import Dockerd
from tests.support.runt import make_rootfs
from tutor.images.mini import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.stopwatch import Measure


def runtimes(launcher: str) -> dict[str, str]:
    """Return the runtimes of this machine by name; `launcher` is runt's."""
    found = {"runt": launcher}
    for name in ("runc", "crun"):
        path = shutil.which(name, path=PATH)
        if path is None:
            raise SystemExit(f"{name} is not installed")
        found[name] = path
    return found


def make_bundles(directory: Path) -> tuple[Path, Path]:
    """Make two bundles with the configuration of `runc spec`: one whose program ends at once, one whose sleeps."""
    made = []
    for name, program in (("short", ["/bin/true"]), ("long", ["/bin/sleep", "1000"])):
        bundle = directory / name
        make_rootfs(bundle / "rootfs")
        subprocess.run(["runc", "spec", "--bundle", bundle], check=True, env={"PATH": PATH})
        path = bundle / "config.json"
        config: dict[str, Any] = json.loads(path.read_text())
        config["process"]["terminal"] = False
        config["process"]["args"] = program
        path.write_text(json.dumps(config))
        made.append(bundle)
    return made[0], made[1]


class Contestant:
    """One runtime with a state directory of its own, on a tmpfs as /run is."""

    def __init__(self, name: str, program: str, state: Path, bundles: tuple[Path, Path]) -> None:
        self.id = f"bench-{name}"
        self.command = [program, "--root", str(state / name)]
        self.short, self.long = bundles

    def run(self) -> float:
        """`run` of a program that ends at once."""
        return milliseconds([*self.command, "run", "--bundle", str(self.short), self.id])

    def life(self) -> float:
        """`create`, `start`, `state` and `delete`; the program ends in between, which is not counted."""
        took = milliseconds([*self.command, "create", "--bundle", str(self.short), self.id])
        state = subprocess.run([*self.command, "state", self.id], capture_output=True, check=True)
        took += milliseconds([*self.command, "start", self.id])
        os.waitpid(json.loads(state.stdout)["pid"], 0)
        took += milliseconds([*self.command, "state", self.id])
        return took + milliseconds([*self.command, "delete", self.id])

    def exec(self) -> float:
        """`exec` of a program that ends at once, in a container that is there already."""
        return milliseconds([*self.command, "exec", f"{self.id}-long", "/bin/true"])

    def __enter__(self) -> Self:
        """Start the container that `exec` goes to."""
        milliseconds([*self.command, "run", "--detach", "--bundle", str(self.long), f"{self.id}-long"])
        return self

    def __exit__(self, *_: object) -> None:
        """Delete it."""
        for container in (self.id, f"{self.id}-long"):
            subprocess.run([*self.command, "delete", "--force", container], capture_output=True, check=False)


@contextmanager
def docker_runs(launcher: str, directory: Path) -> Iterator[dict[str, Measure]]:
    """Yield what runs `docker run --rm` of the mini image, with the runtime runt and with runc, on a private dockerd."""
    with Quarters() as quarters:
        containerd = Containerd(quarters, {}, "none")
        try:
            dockerd = Dockerd(quarters, containerd.address, {"runt": launcher})
            try:
                image = directory / "mini.tar"
                build(image)
                dockerd.ok("load", "--input", image)
                yield {name: _docker_run(dockerd, name) for name in ("runt", "runc")}
            finally:
                dockerd.stop()
        finally:
            containerd.stop()


def _docker_run(dockerd: Dockerd, runtime: str) -> Measure:
    words = ("run", "--rm", f"--runtime={runtime}", "--network=none", "mini:latest", "true")
    program, *arguments = dockerd.command(*words)
    path = shutil.which(program)
    assert path, "the docker client is not installed"
    return lambda: milliseconds([path, *arguments])


@contextmanager
def installed_launcher() -> Iterator[str]:
    """Yield runt's launcher, for the interpreter that users have: the system's where it is new enough. It is removed again."""
    before = set(Path(PLACES).glob("*")) if Path(PLACES).exists() else set()
    said = ""
    for python in ("/usr/bin/python3", sys.executable):
        command = [python, "-m", "runtime.install.launcher"]
        done = subprocess.run([*command, "install"], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            launcher = Path(done.stdout.strip())
            try:
                yield str(launcher)
            finally:
                if launcher.parent not in before:
                    subprocess.run([*command, "uninstall"], check=True)
            return
        said += done.stderr
    raise SystemExit(said)
