"""podman with its own storage, in its own namespaces: what it leaves running ends with them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.support.daemons import PATH
from tests.support.runt import REPOSITORY
from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.daemons import Quarters

USER = 54_321
"""The user of the rootless podman, with the 65536 UIDs and GIDs from 10 times that number on."""
HOME = "podman"

# Only the namespaces know the user and the ranges: other files are mounted over the machine's there.
_USERS = """
cp /etc/passwd /etc/group {place} && cd {place}
echo "learner:x:{user}:{user}::{place}/{home}:/bin/sh" >>passwd
echo "learner:x:{user}:" >>group
echo "learner:{user}0:65536" >subids
mount --bind passwd /etc/passwd && mount --bind group /etc/group
mount --bind subids /etc/subuid && mount --bind subids /etc/subgid
mkdir -p {home} /run/user/{user} && chown {user}:{user} {home} /run/user/{user} && chmod 755 .
"""


def runt_of_everybody(place: Path) -> str:
    """Make a `runt` that every user can run, wherever checkout and interpreter are; return its path."""
    python = next(each for each in (sys.executable, "/usr/bin/python3") if _can_run(each))
    shutil.copytree(REPOSITORY / "runtime", place / "everybody/runtime")
    program = place / "everybody/runt"
    install = [python, "-m", "runtime.install.launcher", "install-plain", str(program)]
    subprocess.run(install, cwd=program.parent, env={"PATH": PATH}, check=True)
    return str(program)


def _can_run(python: str) -> bool:
    """Tell whether an interpreter is new enough, and whether users other than root can run it."""
    command = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    try:
        return subprocess.run(command, user=USER, group=USER, extra_groups=[], check=False).returncode == 0
    except PermissionError:
        return False


class Podman:
    """podman, as root or as the ordinary user `learner`; a container has no network unless its options say so."""

    IMAGE = "localhost/mini:latest"

    def __init__(self, quarters: Quarters, runtime: str, *, rootless: bool = False) -> None:
        self.quarters = quarters
        self.runtime = runtime
        self.rootless = rootless
        self.root = quarters.path / (HOME if rootless else "podman-root")
        if rootless:
            users = _USERS.format(place=quarters.path, user=USER, home=HOME)
            subprocess.run(quarters.inside(["sh", "-ec", users]), check=True)

    def command(self, *words: object) -> list[str]:
        """Return the command line that runs podman."""
        person = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if self.rootless else []
        storage = [f"--root={self.root}/data", f"--runroot={self.root}/run", f"--tmpdir={self.root}/tmp"]
        return self.quarters.inside(
            [*person, "podman", *storage, "--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--events-backend=file",
             f"--runtime={self.runtime}", *map(str, words)]
        )  # fmt: skip

    def environment(self) -> dict[str, str]:
        """Return the environment of podman's user."""
        own = {"HOME": str(self.root), "XDG_RUNTIME_DIR": f"/run/user/{USER}"} if self.rootless else {}
        # podman 5 says on every call, on standard error, that it will do without cgroup v1.
        ignored = {"PODMAN_IGNORE_CGROUPSV1_WARNING": "1"}
        return {"TERM": "xterm", **os.environ, "PATH": PATH, **ignored, **own}

    def __call__(self, *words: object, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        options = {
            "stdin": subprocess.DEVNULL,
            "capture_output": True,
            "text": True,
            "timeout": patience.scaled(120),
            **options,
        }
        return subprocess.run(
            self.command(*words), check=False, env=self.environment(), cwd=self.quarters.path, **options
        )

    def ok(self, *words: object, **options: Any) -> str:
        """Run a command that must succeed; return what it printed."""
        done = self(*words, **options)
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return str(done.stdout)

    def arguments(self, *options: object) -> list[object]:
        """Return `podman run`, the options, and the image."""
        parent = [] if self.rootless or "--pod" in options else [f"--cgroup-parent={self.quarters.cgroup}"]
        said = "--pod" in options or any(str(option).startswith("--network") for option in options)
        network = [] if said else ["--network=none"]
        return ["run", "--log-driver=k8s-file", *network, *parent, *options, self.IMAGE]

    def run(self, *options: object, command: Sequence[object]) -> str:
        """Run `podman run --rm OPTIONS mini COMMAND`, which must succeed; return what it printed."""
        return self.ok(*self.arguments("--rm", *options), *command)

    def start(self, *options: object, command: Sequence[object] = ("sleep", "1000")) -> str:
        """Run `podman run --detach`; return the container's id."""
        return self.ok(*self.arguments("--detach", *options), *command).strip()

    def load(self, archive: Path) -> None:
        """Load the mini image; the user may lack permission to read it where it is."""
        with archive.open("rb") as file:
            self.ok("load", stdin=file)

    def remove_all(self) -> None:
        """Remove every container and pod."""
        self.ok("rm", "--all", "--force", "--time=0")
        self.ok("pod", "rm", "--all", "--force", "--time=0")
