"""An ordinary user of the machine, with a systemd of its own, and `runt` and podman as that user calls them."""

from __future__ import annotations

import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.podman import runt_of_everybody
from tests.support.runt import Bundle, Runt, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "learner"


class Learner:
    """The user; `home` is a directory that the user has, `program` a `runt` that every user can run."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.uid = pwd.getpwnam(NAME).pw_uid
        self.program = runt_of_everybody(home)
        self.environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(home),
            "XDG_RUNTIME_DIR": f"/run/user/{self.uid}",
        }

    @property
    def slice(self) -> Path:
        """The cgroup in which the user's systemd makes scopes."""
        return Path(f"/sys/fs/cgroup/user.slice/user-{self.uid}.slice/user@{self.uid}.service/user.slice")

    def __call__(self, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as the user, from a cgroup that is not the user's."""
        options = {"capture_output": True, "timeout": 300, **options}
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        person = ["setpriv", f"--reuid={NAME}", f"--regid={NAME}", "--init-groups", *command]
        environment = {**self.environment, **options.pop("env", {})}
        return subprocess.run(person, check=False, text=True, env=environment, cwd=self.home, **options)

    def ok(self, *command: str, **options: Any) -> str:
        """Run a command that must succeed; return what it printed."""
        done = self(*command, **options)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return str(done.stdout).strip()

    def shows(self, unit: str, *names: str) -> dict[str, str]:
        """Return properties of a unit as the user's systemd tells them."""
        wanted = [f"--property={name}" for name in names]
        lines = self.ok("systemctl", "--user", "show", unit, *wanted).splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def scopes(self) -> list[str]:
        """Return the scopes of containers and of labs that the user's systemd knows, in any state."""
        said = self.ok("systemctl", "--user", "list-units", "--all", "--plain", "--no-legend", "--type=scope")
        names = (line.split()[0] for line in said.splitlines())
        return [name for name in names if name.startswith(("runt-", "libpod-", "oci-tutor-"))]

    def bundle(self, name: str) -> Bundle:
        """Return a bundle that sleeps, in a user namespace with the user alone."""
        bundle = Bundle(self.home / name).namespaces("pid", "cgroup", "user")
        bundle.process["args"] = ["sleep", "1000"]
        for kind in ("uid", "gid"):
            bundle.linux[f"{kind}Mappings"] = [{"containerID": 0, "hostID": self.uid, "size": 1}]
        for path in (bundle.path, *bundle.path.rglob("*")):
            shutil.chown(path, NAME, NAME) if not path.is_symlink() else None
        return bundle


class RuntOfLearner(Runt):
    """`runt --systemd-cgroup` of the user."""

    def __init__(self, learner: Learner) -> None:
        super().__init__(learner.home / "state")
        self.learner = learner

    def command(self, *words: str) -> list[str]:
        """Return the whole command line for some arguments."""
        return [self.learner.program, "--root", str(self.root), "--systemd-cgroup", *words]

    def __call__(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return self.learner(*self.command(*words), **options)


@contextmanager
def learner() -> Iterator[Learner]:
    """Yield the user, whose systemd runs; at the end it is stopped, with all of the user's processes."""
    with tempfile.TemporaryDirectory(dir="/home") as name:
        subprocess.run(["useradd", "--home-dir", name, "--user-group", NAME], check=True)
        Path(name).chmod(0o755)
        shutil.chown(name, NAME, NAME)
        subprocess.run(["loginctl", "enable-linger", NAME], check=True)
        user = Learner(Path(name))
        try:
            wait_for(Path(f"/run/user/{user.uid}/systemd/private").exists, 120)
            yield user
        finally:
            subprocess.run(["loginctl", "disable-linger", NAME], check=True)
            subprocess.run(["systemctl", "stop", f"user@{user.uid}.service"], check=True)
            subprocess.run(["userdel", NAME], check=True)
