"""A private dockerd in a lab, on a containerd of its own: it does not see the machine's Docker, and ends with the lab.

Its sockets, state and images are in the usual places (`/run/docker`, `/var/lib/docker`), which are private to the lab
(`roots.DAEMONS`). Its containers' cgroups are below the lab's.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor import patience
from tutor.errors import TutorError
from tutor.lab.options import LabOptions
from tutor.lab.state_roots import DAEMONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tutor.lab.lab import Lab, LabProcess

SOCKET = "/run/docker/docker.sock"
PIDFILE = "/run/docker/docker.pid"
CONTAINERD = "/run/docker/containerd/containerd.sock"
_LOG = "/run/docker/dockerd.log"
_CONTAINERD_LOG = "/run/docker/containerd/containerd.log"
_CONTAINERD_CONFIG = "/run/docker/containerd/containerd.toml"
_START_SECONDS = 60.0  # after which a daemon that does not answer is taken not to work here
_ANSWER_SECONDS = 10.0
_LOOK_EVERY = 0.05

# podman has systemd move it to a scope of its own where that is process 1, also with `cgroup_manager = "cgroupfs"`: out of the lab, and to
# where the engine that it calls can't see its own cgroup.
_SYSTEMD = ("/run/systemd/private", "/run/dbus/system_bus_socket")

LAB_OPTIONS = LabOptions(
    covers=DAEMONS,
    environment={
        "DOCKER_HOST": f"unix://{SOCKET}",
        "CONTAINERD_ADDRESS": CONTAINERD,  # for ctr
        # overlayfs does not work everywhere (root filesystem on an overlay, old kernels); vfs, which copies, does.
        "CONTAINERD_SNAPSHOTTER": "native",
        "CONTAINERS_CONF": "/run/containers/containers.conf",
    },
    confined=True,
    hides=_SYSTEMD,
)
# Paths as dockerd gives them to a containerd that it starts itself. Since version 2.1, what `ctr image import` brings is unpacked by
# containerd, for the snapshotters named here only: by itself for overlayfs, and where that can't be used, nothing is imported.
_CONTAINERD_TOML = f"""\
version = 2
root = "/var/lib/docker/containerd/daemon"
state = "/run/docker/containerd/daemon"
disabled_plugins = ["io.containerd.grpc.v1.cri"]

[grpc]
address = "{CONTAINERD}"

[[plugins."io.containerd.transfer.v1.local".unpack_config]]
platform = "linux"
snapshotter = "native"
"""
# With systemd, podman would ask it for cgroups outside the lab; and podman's locks would be in the shared /dev/shm.
_CONTAINERS_CONF = """\
[containers]
netns = "none"
log_driver = "k8s-file"
default_ulimits = [{ulimits}]

[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
"""


def _containers_conf() -> str:
    # Podman's default limits need CAP_SYS_RESOURCE, which is missing in some containers.
    wanted = (("nofile", resource.RLIMIT_NOFILE, 1024), ("nproc", resource.RLIMIT_NPROC, 4096))
    limits = [(name, resource.getrlimit(number)[1], enough) for name, number, enough in wanted]
    ulimits = [
        (name, enough if hard == resource.RLIM_INFINITY else min(hard, enough))
        for name, hard, enough in limits
    ]
    return _CONTAINERS_CONF.format(ulimits=", ".join(f'"{name}={limit}:{limit}"' for name, limit in ulimits))


def runtime_name(engine: str) -> str:
    """Return the name under which a lesson registers an engine with its Docker; Docker reserves `runc`."""
    return "my-runc" if engine == "runc" else engine


class PrivateDocker:
    """The dockerd of one lab. Call `start`, then `ask`; it ends with the lab."""

    def __init__(self, lab: Lab, config: Path) -> None:
        """Prepare a dockerd for a lab that was set up with LAB_OPTIONS, with the daemon.json at this path."""
        self._lab = lab
        self._config = config
        self._daemon: LabProcess | None = None

    @property
    def argv(self) -> tuple[str, ...]:
        """The command line of the daemon."""
        return (
            *("dockerd", "--config-file", str(self._config), "--host", f"unix://{SOCKET}", "--pidfile", PIDFILE),
            # Containers get no network, so that the host's network is not changed.
            *("--bridge=none", "--iptables=false", "--ip6tables=false", "--containerd", CONTAINERD),
            *("--storage-driver=vfs", "--exec-opt", "native.cgroupdriver=cgroupfs"),
        )  # fmt: skip

    def start(self) -> None:
        """Start containerd and dockerd, and wait until they answer.

        Raises:
            TutorError: `docker.private` with the end of a log (one does not work here); `lab.ended`.
        """
        (self._inside("/run/containers") / "containers.conf").write_text(_containers_conf(), encoding="utf-8")
        if not self._containerd_listens():  # it may outlive a dockerd
            config = self._inside(_CONTAINERD_CONFIG)
            config.parent.mkdir(parents=True, exist_ok=True)
            config.write_text(_CONTAINERD_TOML, encoding="utf-8")
            containerd = ("containerd", "--config", _CONTAINERD_CONFIG)
            self._start(containerd, _CONTAINERD_LOG, self._containerd_listens)
        self._daemon = self._start(self.argv, _LOG, lambda: self.ask("/_ping") is not None)

    def _start(self, argv: Sequence[str], log: str, answers: Callable[[], bool]) -> LabProcess:
        with self._streams(log) as (nowhere, output):
            try:
                daemon = self._lab.spawn(argv, cwd=Path("/"), stdin=nowhere, stdout=output, stderr=output)
            except TutorError as error:
                raise TutorError("docker.private", reason=error.values.get("reason", error.key)) from error
        deadline = time.monotonic() + patience.scaled(_START_SECONDS)
        while not answers():
            if self._status(daemon) is not None or time.monotonic() > deadline:
                raise TutorError("docker.private", reason=self._last_words(daemon, argv[0], log))
            time.sleep(_LOOK_EVERY)
        return daemon

    @contextmanager
    def _streams(self, log: str) -> Iterator[tuple[int, int]]:
        output = os.open(self._inside(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nowhere = os.open(os.devnull, os.O_RDONLY)
        try:
            yield nowhere, output
        finally:
            os.close(output)
            os.close(nowhere)

    @property
    def alive(self) -> bool:
        """Whether it has been started and is running."""
        return self._daemon is not None and self._status(self._daemon) is None

    def ask(self, path: str) -> Any:
        """Return the answer of its API (`/info`, `/containers/NAME/json`): see the function `ask`."""
        return ask(self._lab.keeper_pid, path)

    def _containerd_listens(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(patience.scaled(_ANSWER_SECONDS))
                connection.connect(str(self._inside(CONTAINERD)))
        except OSError:
            return False
        return True

    @staticmethod
    def _status(daemon: LabProcess) -> int | str | None:
        """Return its exit status; None while it runs, "" if it is unknown because the lab has ended."""
        try:
            return daemon.wait(0)
        except TimeoutError:
            return None
        except TutorError:
            return ""

    def _last_words(self, daemon: LabProcess, name: str, log: str) -> str:
        try:
            lines = self._inside(log).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1] if lines else f"{name}: exit status {self._status(daemon)}"

    def _inside(self, path: str) -> Path:
        return Path(f"/proc/{self._lab.keeper_pid}/root{path}")


def ask(keeper_pid: int, path: str) -> Any:
    """Return the answer of the API of a lab's dockerd: a document, {} if the object does not exist, None without an answer."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(patience.scaled(_ANSWER_SECONDS))
            connection.connect(f"/proc/{keeper_pid}/root{SOCKET}")
            # HTTP/1.0: the answer is not chunked, and ends with the connection. (http.client takes 25 ms to import.)
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
            with connection.makefile("rb") as stream:
                answer = stream.read()
    except OSError:
        return None
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    if status == [b"404"]:
        return {}
    if status != [b"200"]:
        return None
    return json.loads(body) if b"application/json" in head else {}
