"""The running dockerd: its daemon.json, its flags, and reloading it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tutor import patience
from tutor.lazy_dataclass import dataclass
from tutor.paths import search_path

_PATIENCE = 5.0
"""The seconds after which a dockerd that does not know a runtime is taken to have refused it."""
_CLIENT_SECONDS = 20.0
CONFIG = Path("/etc/docker/daemon.json")
PIDFILE = Path("/var/run/docker.pid")


def installed() -> bool:
    """Tell whether this machine has a dockerd."""
    return shutil.which("dockerd", path=search_path()) is not None


@dataclass(frozen=True, slots=True)
class Daemon:
    """A running dockerd: its process and its command line."""

    pid: int
    argv: tuple[str, ...]

    @classmethod
    def find(cls, pidfile: Path) -> Daemon | None:
        """Return the dockerd with the process id in the file; None if it has ended, or the id is another program's."""
        try:
            pid = int(pidfile.read_text(encoding="ascii"))
            comm = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
            argv = os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).rstrip("\0").split("\0")
        except (OSError, ValueError):
            return None
        return cls(pid, tuple(argv)) if comm == "dockerd" else None

    def flags(self, *names: str) -> list[str]:
        """Return the values of a flag, by all of its names (`--host`, `-H`), in the order of the command line."""
        values = []
        for index, word in enumerate(self.argv):
            name, equals, value = word.partition("=")
            if name in names:
                values.append(value if equals else "".join(self.argv[index + 1 : index + 2]))
        return values

    def config(self) -> Path:
        """Return the daemon.json that it reads."""
        return Path([str(CONFIG), *self.flags("--config-file")][-1])

    def host(self) -> str:
        """Return the socket that its clients use; empty for the default one."""
        return next((host for host in self.flags("--host", "-H") if host.startswith("unix://")), "")

    def reload(self) -> str:
        """Make it read daemon.json again; return the command that did so, as a person would type it."""
        if _is_service(self.pid):
            subprocess.run(["systemctl", "reload", "docker"], capture_output=True, check=False)
            return "systemctl reload docker"
        os.kill(self.pid, signal.SIGHUP)
        return f"kill -HUP {self.pid}"

    def wait_until(self, runtime: str, *, known: bool) -> bool | None:
        """Wait until it knows a runtime, or no longer knows it; return False if that takes too long, None if it cannot be asked."""
        deadline = time.monotonic() + patience.scaled(_PATIENCE)
        while (runtimes := self.runtimes()) is not None:
            if (runtime in runtimes) == known:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return None

    def runtimes(self) -> dict[str, object] | None:
        """Return the runtimes that it knows; None if it cannot be asked (no client, no permission)."""
        answer = self._ask("info", "--format", "{{json .Runtimes}}")
        return None if answer is None else dict(json.loads(answer))

    def containers(self, runtime: str) -> dict[str, bool]:
        """Return the containers that were made with a runtime, by name, and whether each is running."""
        every = (self._ask("ps", "--all", "--quiet") or "").split()
        if not every:
            return {}
        shown = "{{.HostConfig.Runtime}} {{.State.Running}} {{.Name}}"
        lines = (self._ask("inspect", "--format", shown, *every) or "").splitlines()
        rows = [line.split(" ", 2) for line in lines]
        return {name.lstrip("/"): running == "true" for used, running, name in rows if used == runtime}

    def command(self, *words: str) -> list[str]:
        """Return the command line of a client of this dockerd."""
        host = self.host()
        return ["docker", *(["--host", host] if host else []), *words]

    def _ask(self, *words: str) -> str | None:
        try:
            done = subprocess.run(
                self.command(*words), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=patience.scaled(_CLIENT_SECONDS), check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None


def _is_service(pid: int) -> bool:
    """Tell whether a process is the main process of docker.service, which systemd must reload."""
    if not Path("/run/systemd/system").is_dir():
        return False
    try:
        shown = subprocess.run(
            ["systemctl", "show", "--property=MainPID", "--value", "docker"],
            capture_output=True, text=True, timeout=patience.scaled(_CLIENT_SECONDS), check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return shown.stdout.strip() == str(pid)
