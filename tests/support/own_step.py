"""Create a container with one step replaced, and write down which steps each process walked.

`python own_step.py create|run STATE_ROOT BUNDLE ID`: the host name becomes "mine" whatever the configuration says.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from runtime.kernel.process import sethostname
from runtime.operations.create import create
from runtime.operations.run import run
from runtime.state.options import CreateOptions
from runtime.steps.runner import Observer, Plan

if TYPE_CHECKING:
    from runtime.state.container import Container
    from runtime.steps.runner import Step


class Teller(Observer):
    """An observer that writes down what it is told."""

    def __init__(self, path: str) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.runtime = os.getpid()

    def before(self, step: Step, _c: Container) -> None:
        if self.file:
            self._write(step, "before")

    def after(self, step: Step, _c: Container) -> None:
        if step.__name__ == "close_descriptors":
            self.file = 0
        if self.file:
            self._write(step, "after")

    def _write(self, step: Step, moment: str) -> None:
        process = "runtime" if os.getpid() == self.runtime else "init"
        os.write(self.file, f"{process} {moment} {step.__name__}\n".encode())


def set_hostname(c: Container) -> None:
    """Set another host name."""
    sethostname("mine")


if __name__ == "__main__":
    operation, root, bundle, container_id = sys.argv[1:]
    options = CreateOptions(root=root, container_id=container_id, bundle=bundle)
    plan = Plan(replace={"set_hostname": set_hostname}, observer=Teller(f"{bundle}/steps"))
    if operation == "create":
        create(options, plan)
    else:
        sys.exit(run(options, plan))
