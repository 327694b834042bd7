"""A dockerd only for the tests, and its client."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from tests.support.daemons import Daemon, until
from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.daemons import Quarters


class Dockerd:
    """dockerd on its own containerd. It can be stopped and started again on the same data."""

    def __init__(
        self,
        quarters: Quarters,
        containerd: Path,
        runtimes: dict[str, str],
        options: Sequence[str] = (),
        name: str = "docker",
        config: str = "{}\n",
    ) -> None:
        self.root = quarters.path / name
        self.root.mkdir(exist_ok=True)
        self.socket = self.root / "sock"
        self.config = self.root / "daemon.json"
        self.config.write_text(config)
        self.quarters = quarters
        self._argv = [
            *("dockerd", "--host", f"unix://{self.socket}", "--containerd", str(containerd)),
            *("--data-root", f"{self.root}/data", "--exec-root", f"{self.root}/exec", "--pidfile", f"{self.root}/pid"),
            *("--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"),
            *("--config-file", str(self.config), f"--cgroup-parent={quarters.cgroup}"),
            *(f"--add-runtime={name}={path}" for name, path in runtimes.items()),
            *options,
        ]  # fmt: skip
        self.start()

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        self.daemon = Daemon(self.quarters.inside(self._argv), self.root / "log")
        self.daemon.wait_until(lambda: self("version").returncode == 0)

    def stop(self) -> None:
        """Stop the daemon."""
        self.daemon.stop()

    def restart(self) -> None:
        """Stop the daemon and start it again."""
        self.stop()
        self.start()

    def command(self, *words: object) -> list[str]:
        """Return the command line that a user would type, for this daemon."""
        return ["docker", "--host", f"unix://{self.socket}", *map(str, words)]

    def __call__(self, *words: object, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command of the client to its end."""
        options = {
            "stdin": subprocess.DEVNULL,
            "capture_output": True,
            "text": True,
            "timeout": patience.scaled(120),
            **options,
        }
        return subprocess.run(self.command(*words), check=False, **options)

    def ok(self, *words: object, **options: Any) -> str:
        """Run a command that must succeed; return what it printed."""
        done = self(*words, **options)
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return str(done.stdout)


class Docker:
    """A client of a Dockerd. All its containers have the same runtime, and no network unless the options say so."""

    IMAGE = "mini:latest"

    def __init__(self, dockerd: Dockerd, runtime: str) -> None:
        self.dockerd = dockerd
        self.runtime = runtime
        self.ok = dockerd.ok

    def __call__(self, *words: object, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command of the client to its end."""
        return self.dockerd(*words, **options)

    def arguments(self, *options: object) -> list[object]:
        """Return `docker run`, the options, and the image."""
        network = [] if any(str(option).startswith("--network") for option in options) else ["--network=none"]
        return ["run", f"--runtime={self.runtime}", *network, *options, self.IMAGE]

    def try_run(
        self, *options: object, command: Sequence[object], **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run `docker run --rm OPTIONS mini COMMAND`; it may fail."""
        return self(*self.arguments("--rm", *options), *command, **more)

    def run(self, *options: object, command: Sequence[object], **more: Any) -> str:
        """Run `docker run --rm OPTIONS mini COMMAND`, which must succeed; return what it printed."""
        done = self.try_run(*options, command=command, **more)
        assert done.returncode == 0, f"{options} {command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def sh(self, script: str, *options: object, **more: Any) -> str:
        """Run a shell script in a container and return what it printed."""
        return self.run(*options, command=["sh", "-c", script], **more)

    def start(self, *options: object, command: Sequence[object] = ("sleep", "1000")) -> str:
        """Run `docker run --detach`; return the container's id."""
        return self.ok(*self.arguments("--detach", *options), *command).strip()

    def inspect(self, container: str) -> Any:
        """Return what `docker inspect` prints about a container."""
        return json.loads(self.ok("inspect", container))[0]

    def state(self, container: str) -> Any:
        """Return `State` of `docker inspect`."""
        return self.inspect(container)["State"]

    def wait_for_status(self, container: str, status: str) -> None:
        """Wait until a container has a status."""
        until(lambda: self.state(container)["Status"] == status, f"{container} is {status}", 30)

    def remove_all(self) -> None:
        """Remove every container; fail if one cannot be removed."""
        if containers := self.ok("ps", "--all", "--quiet").split():
            self.ok("rm", "--force", "--volumes", *containers)
