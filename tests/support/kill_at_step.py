"""Kill the runtime or the init process at each step of a container's creation, delete it, and say what was left.

Run in a mount namespace of its own: `python kill_at_step.py STATE_ROOT BUNDLE runtime|init`. Prints one line for each
thing that was left behind, and at the end how many moments there were.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.errors import RuntError
from runtime.operations.create import CreateOptions, create
from runtime.operations.delete import delete
from runtime.rootfs import mounts_at
from runtime.steps import INIT_STEPS, RUNTIME_STEPS, Plan
from runtime.store import Store

if TYPE_CHECKING:
    from runtime.container import Container
    from runtime.steps import Step


class Killer:
    """An observer that ends the process that it is in before or after one step, as nothing else can."""

    def __init__(self, step: str, moment: str) -> None:
        self.step, self.moment = step, moment

    def before(self, step: Step, c: Container) -> None:  # noqa: ARG002 - the protocol of observers
        self._kill(step, "before")

    def after(self, step: Step, c: Container) -> None:  # noqa: ARG002 - the protocol of observers
        self._kill(step, "after")

    def _kill(self, step: Step, moment: str) -> None:
        if (step.__name__, moment) == (self.step, self.moment):
            os.kill(os.getpid(), signal.SIGKILL)
            # In a PID namespace of its own a process can't kill itself.
            os._exit(9)


def attempt(root: str, bundle: str, step: str, moment: str) -> list[str]:
    """Create a container with a Killer, delete it, and return what was left."""
    container_id = f"killed-{os.getpid()}"
    child = os.fork()
    if child == 0:
        os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
        try:
            options = CreateOptions(root=root, container_id=container_id, bundle=bundle)
            create(options, Plan(observer=Killer(step, moment)))
        except RuntError:
            os._exit(1)
        os._exit(0)
    os.waitpid(child, 0)
    store = Store(root)
    init = None
    if container_id in store.ids():
        entry = store.open(container_id)
        assert entry.status() in ("created", "stopped")
        init = entry.record["init"]
    delete(root, container_id, force=True)
    # os.walk and not glob: the cgroups of others come and go meanwhile.
    left = [path for path, _, _ in os.walk("/sys/fs/cgroup") if container_id in path]
    left += [f"mount {number}" for number in mounts_at(f"{bundle}/rootfs")]
    left += [f"state of {name}" for name in Path(root).iterdir() if name.name != "@locks"]
    left += [f"lock of {name}" for name in Path(root, "@locks").iterdir()]
    if init is not None and Path(f"/proc/{init['pid']}/exe").exists() and not is_zombie(init["pid"]):
        left.append(f"process {init['pid']}")
    return [f"{moment} {step}: {what}" for what in left]


def is_zombie(pid: int) -> bool:
    """Tell whether a process waits to be waited for."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


def main() -> None:
    """Do it for every step of one of the tables."""
    root, bundle, which = sys.argv[1:]
    steps = {"runtime": RUNTIME_STEPS, "init": INIT_STEPS}[which]
    moments = [(step.__name__, moment) for step in steps for moment in ("before", "after")]
    for step, moment in moments:
        for line in attempt(root, bundle, step, moment):
            sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(moments)} moments\n")


if __name__ == "__main__":
    main()
