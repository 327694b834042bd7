"""Container daemons that share nothing with the machine's: containerd and dockerd in namespaces of their own.

They run in a mount namespace (with their mounts and their `/run`) and in a PID namespace, whose end also ends whatever they have
started, even if the tests are killed. Only the cgroups are the machine's, below one that the tests create.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATIENCE = 60.0  # seconds until a daemon that does not answer is a failure
PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


# containerd must find every cgroup v1 hierarchy that /proc/PID/cgroup names, or it counts nothing and misses OOM kills. A
# hierarchy may be in use but not mounted here, and a test may mount another one at any time: so on a machine with cgroup v1,
# every controller without a hierarchy gets one while the daemons run. They are mounted where podman 4.3 expects each of them without a
# look: where none is, it makes a directory with a file on the machine's tmpfs, and fails to remove it.
_OWN_RUN = """
mount -t tmpfs -o mode=755 run /run
hierarchies() {
    while IFS=: read -r _ names _; do [ -z "$names" ] || echo "$names"; done </proc/self/cgroup
    if awk '$2 + 0 { found = 1 } END { exit !found }' /proc/cgroups; then
        awk '$2 == 0 && $4 == 1 { print $1 }' /proc/cgroups
    fi
}
missing=$(for names in $(hierarchies); do grep -q " - cgroup .*\\b$names\\b" /proc/self/mountinfo || echo "$names"; done)
if [ -n "$missing" ]; then
    mkdir /run/cgroup && mount -t tmpfs -o mode=755 cgroup /run/cgroup
    for each in /sys/fs/cgroup/*; do
        if [ -L "$each" ]; then
            cp -P "$each" /run/cgroup
        elif mountpoint -q "$each"; then
            mkdir "/run/cgroup/${each##*/}" && mount --move "$each" "/run/cgroup/${each##*/}"
        fi
    done
    for names in $missing; do
        mkdir -p "/run/cgroup/$names" && mount -t cgroup -o "$names" cgroup "/run/cgroup/$names"
    done
    mount --move /run/cgroup /sys/fs/cgroup
fi
"""
# dockerd before version 23 keeps a key in /etc/docker, wherever its data are.
_FIRST = f"{_OWN_RUN} mkdir -p /etc/docker; mount -t tmpfs docker /etc/docker; echo ready; exec tini -- sleep infinity"
_REMOVE_CGROUPS = f'{_OWN_RUN} find /sys/fs/cgroup/*"$1" -depth -type d -exec rmdir {{}} +'


class Quarters:
    """A folder, and a mount and a PID namespace in which daemons run: `with Quarters() as quarters`."""

    def __init__(self) -> None:
        # Short: a socket's path has 107 bytes at most, and daemons append to it.
        self.path = Path(tempfile.mkdtemp(prefix="oci-", dir="/tmp"))
        # Docker calls for cgroups by this name in every hierarchy.
        self.cgroup = f"/{self.path.name}"

    def __enter__(self) -> Self:
        self._unshare = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--propagation", "private", "--pid", "--fork",
             "--mount-proc", "--kill-child=KILL", "sh", "-c", _FIRST],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "PATH": PATH},
        )  # fmt: skip
        assert self._unshare.stdout is not None
        assert self._unshare.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._unshare.kill()
        self._unshare.communicate()
        until(lambda: not _processes_naming(str(self.path)), "the daemons have ended")
        for hierarchy in {Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir()}:
            _remove_cgroups(Path(f"{hierarchy}{self.cgroup}"))
        remove = [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            _REMOVE_CGROUPS,
            "sh",
            self.cgroup,
        ]
        subprocess.run(remove, stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.path)

    @property
    def pid(self) -> int:
        """The first process of the namespaces."""
        return _child_of(self._unshare.pid)

    def inside(self, argv: Sequence[str]) -> list[str]:
        """Return the command line that runs `argv` in the namespaces."""
        return ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--", *argv]

    def start(self, argv: Sequence[str], name: str) -> Daemon:
        """Start a daemon, whose output goes to the file `<name>.log`."""
        return Daemon(self.inside(argv), self.path / f"{name}.log")


class Daemon:
    """A running daemon, behind the `nsenter` that started it."""

    def __init__(self, argv: Sequence[str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._nsenter = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, "PATH": PATH}
            )

    @property
    def pid(self) -> int:
        """The daemon's process id, as seen from here."""
        return _child_of(self._nsenter.pid)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until the daemon answers; fail with the end of its log if it ends or takes too long."""
        deadline = time.monotonic() + patience.scaled(PATIENCE)
        while not condition():
            assert self._nsenter.poll() is None, self.log.read_text()[-4000:]
            assert time.monotonic() < deadline, self.log.read_text()[-4000:]
            time.sleep(0.05)

    def reload(self) -> None:
        """Make the daemon read its configuration again, as `systemctl reload` does."""
        os.kill(self.pid, signal.SIGHUP)

    def stop(self) -> None:
        """Ask the daemon to end, and wait until it has."""
        if self._nsenter.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
        self._nsenter.wait(timeout=patience.scaled(PATIENCE))


class Containerd(Daemon):
    """containerd with its socket at `address`; `handlers` are the runtimes that CRI knows, by name and path."""

    def __init__(self, quarters: Quarters, handlers: dict[str, str], sandbox_image: str) -> None:
        self._quarters = quarters
        self.root = quarters.path / "containerd"
        self.root.mkdir()
        self.address = self.root / "sock"
        config = self.root / "config.toml"
        config.write_text(_containerd_config(self.root, handlers, sandbox_image))
        super().__init__(quarters.inside(["containerd", "--config", str(config)]), self.root / "log")
        version = self.command("version")
        self.wait_until(lambda: subprocess.run(version, capture_output=True, check=False).returncode == 0)

    def command(self, *words: str, namespace: str = "default") -> list[str]:
        """Return a command line of ctr(8), containerd's own client."""
        # In the same namespaces: it makes the pipes for standard streams below /run.
        return self._quarters.inside(
            ["ctr", "--address", str(self.address), "--namespace", namespace, *words]
        )

    def ctr(self, *words: str, namespace: str = "default") -> str:
        """Run a command that must succeed; return what it printed."""
        done = subprocess.run(
            self.command(*words, namespace=namespace),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patience.scaled(PATIENCE), check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout


_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "riscv64": "riscv64"}
"""What an image's platform calls a machine."""


def _containerd_config(root: Path, handlers: dict[str, str], sandbox_image: str) -> str:
    """Return a config.toml; the runtimes are what a Kubernetes RuntimeClass names as its handler."""
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    lines = [
        "version = 2",
        f'root = "{root}/root"',
        f'state = "{root}/state"',
        f'[grpc]\naddress = "{root}/sock"',
        f'[{cri}]\nsandbox_image = "{sandbox_image}"\nrestrict_oom_score_adj = true',
        f'[{cri}.containerd]\ndefault_runtime_name = "runc"\nsnapshotter = "native"',
        # Since version 2 the daemon unpacks what `ctr images import` brings, for overlayfs alone unless it is told more.
        '[[plugins."io.containerd.transfer.v1.local".unpack_config]]',
        f'platform = "linux/{_ARCHITECTURES[os.uname().machine]}"\nsnapshotter = "native"',
    ]
    for name, path in handlers.items():
        lines += [
            f'[{cri}.containerd.runtimes.{name}]\nruntime_type = "io.containerd.runc.v2"',
            f'[{cri}.containerd.runtimes.{name}.options]\nBinaryName = "{path}"\nRoot = "/run/{name}-cri"',
        ]
    return "\n".join(lines) + "\n"


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait until `condition` is true; fail with `what` in the message if it does not become true."""
    deadline = time.monotonic() + patience.scaled(seconds)
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.05)


def _child_of(pid: int) -> int:
    """Return the only child of a process that exists only to start it."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    until(children.read_text, f"{pid} has a child")
    return int(children.read_text().split()[0])


def _processes_naming(path: str) -> list[int]:
    """Return the processes with a path on their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if path.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has just ended
            continue
    return found


def _remove_cgroups(path: Path) -> None:
    """Remove a cgroup and all below it, deepest first."""
    for folder, _, _ in os.walk(path, topdown=False):
        until(partial(_gone, folder), f"{folder} can be removed", 10)


def _gone(cgroup: str) -> bool:
    try:
        Path(cgroup).rmdir()
    except FileNotFoundError:
        return True
    except OSError:  # its processes are still ending
        return False
    return True
