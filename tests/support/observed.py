"""An operation of runt under an observer that speaks the wire of `tutor.debugger.protocol`: each process with a connection of its own.

`python observed.py create STATE_ROOT BUNDLE ID SOCKET`. It tells of init until the step that closes its descriptors.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

from runtime.operations.create import create
from runtime.state.options import CreateOptions
from runtime.steps.create import INIT_STEPS, RUNTIME_STEPS
from runtime.steps.runner import Plan
from runtime.support.errors import RuntError

if TYPE_CHECKING:
    from runtime.state.container import Container
    from runtime.steps.runner import Step

LAST = "close_own_descriptors"
TABLES = {"runtime": RUNTIME_STEPS, "init": INIT_STEPS}


class Wire:
    def __init__(self, path: str, container: str) -> None:
        self.path, self.container = path, container
        self.pid, self.runtime = 0, os.getpid()
        self.quiet = False

    def before(self, step: Step, _c: Container) -> None:
        if self.pid != os.getpid():
            self._begin()
        self._tell(step, "before")
        self.began = time.perf_counter_ns()

    def after(self, step: Step, _c: Container) -> None:
        self._tell(step, "after", nanoseconds=time.perf_counter_ns() - self.began, calls=[])
        if self.process == "init" and step.__name__ == LAST:
            self.socket.close()
            self.quiet = True

    def _begin(self) -> None:
        self.pid = os.getpid()
        self.process = "runtime" if self.pid == self.runtime else "init"
        self.steps = [each.__name__ for each in TABLES[self.process]]
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(self.path)
        self._send(type="hello", version=1, operation="create", container=self.container, bundle="")
        assert self._answer() == "step"
        self._send(type="table", table=self.process.upper(), steps=self.steps)

    def _tell(self, step: Step, kind: str, **more: Any) -> None:
        if self.quiet:
            return
        name = step.__name__
        self._send(type=kind, table=self.process.upper(), step=name, position=self.steps.index(name), **more)
        if self._answer() != "go":
            raise RuntError("the observer has given up")

    def _send(self, **members: Any) -> None:
        self.socket.send(json.dumps({"process": self.process, **members}).encode())

    def _answer(self) -> str:
        data = self.socket.recv(4096)
        return str(json.loads(data)["type"]) if data else "abort"


if __name__ == "__main__":
    _, root, bundle, container_id, path = sys.argv[1:]
    try:
        create(
            CreateOptions(root=root, container_id=container_id, bundle=bundle),
            Plan(observer=Wire(path, container_id)),
        )
    except RuntError as error:
        sys.exit(error.message)
