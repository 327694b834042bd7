"""The argument of every function of the runtime: one container."""

from __future__ import annotations

import os
import socket
from typing import Any


class ContainerError(Exception):
    """A container that can't be made or used as asked; the text is one line for the user."""


class Container:
    """One container: what the command line says of it, and what the functions find out and make."""

    def __init__(self, root: str, container_id: str, bundle: str = ".") -> None:
        self.root = os.path.abspath(root)  # where the containers of this runtime are recorded
        self.id = container_id
        self.directory = os.path.join(self.root, container_id)  # where this one is recorded
        self.fifo = os.path.join(self.directory, "exec.fifo")  # what it waits at between create and start
        self.bundle = os.path.abspath(bundle)
        self.config: dict[str, Any] = {}  # config.json
        self.rootfs = ""  # the absolute path of its root, on the host
        self.pid = 0  # of its first process; 0 while it has none
        self.start_time = (
            ""  # of that process, in clock ticks since boot: a pid may be used again by another one
        )
        self.cgroups: list[str] = []  # the directories of its cgroups
        self.fifo_fd = -1  # exec.fifo opened by O_PATH: its name can't be reached any more from inside
        self.gate = -1  # exec.fifo opened for writing, once start has opened it for reading
        self.console: socket.socket | None = None  # where the master of its terminal is to be sent

    @property
    def process(self) -> dict[str, Any]:
        """Return `process` of config.json."""
        return dict(self.config["process"])

    @property
    def linux(self) -> dict[str, Any]:
        """Return `linux` of config.json, empty if there is none."""
        return dict(self.config.get("linux", {}))

    def namespace(self, kind: str) -> dict[str, str] | None:
        """Return the entry of `linux.namespaces` of a type (`mount` ...), None if the container shares the caller's."""
        for entry in self.linux.get("namespaces", []):
            if entry["type"] == kind:
                return dict(entry)
        return None


def inside(root: str, path: str) -> str:
    """Return where `path` of the container is on the host. No symbolic link on the way leads out of `root`."""
    done, todo, links = "", path.split("/"), 0
    while todo:
        name = todo.pop(0)
        if name in ("", "."):
            continue
        if name == "..":
            done = os.path.dirname(done)
            continue
        if os.path.islink(f"{root}{done}/{name}"):
            links += 1
            if links > 40:
                raise ContainerError(f"{path}: too many symbolic links")
            target = os.readlink(f"{root}{done}/{name}")
            done = "" if target.startswith("/") else done
            todo = target.split("/") + todo
        else:
            done = f"{done}/{name}"
    return f"{root}{done}" if done else root
