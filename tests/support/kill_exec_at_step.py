"""Kill the runtime or the process at each step of an `exec`, delete the container, and say what was left.

`python kill_exec_at_step.py STATE_ROOT BUNDLE runtime|process`. Prints one line for each thing that was left behind, and at the
end how many moments there were.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from runtime.errors import RuntError
from runtime.exec_steps import EXEC_INIT_STEPS, EXEC_STEPS
from runtime.kernel.syscall import call
from runtime.operations.create import CreateOptions, create
from runtime.operations.delete import delete
from runtime.operations.exec import ExecOptions, execute
from runtime.operations.start import start
from runtime.program import ProgramOptions
from runtime.runner import Plan
from runtime.store import Store
from tests.support.kill_at_step import Killer

PR_SET_CHILD_SUBREAPER = 36
ID = f"exec-killed-{os.getpid()}"


def in_child(what: str, root: str, bundle: str, plan: Plan | None = None) -> None:
    """Do one operation in a process of its own, and wait for that, and for whoever is orphaned in the meantime."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
        try:
            if what == "create":
                create(CreateOptions(root=root, container_id=ID, bundle=bundle))
                start(root, ID)
            elif what == "delete":
                delete(root, ID, force=True)
            else:
                program = ProgramOptions(args=["sleep", "1000"])
                execute(ExecOptions(root=root, container_id=ID, program=program, detach=True), plan)
        except RuntError:
            os._exit(1)
        os._exit(0)
    while os.wait()[0] != child:
        pass


def attempt(root: str, bundle: str, step: str, moment: str) -> list[str]:
    """Execute a program with a Killer, delete the container, and return what was left."""
    in_child("create", root, bundle)
    record = Store(root).open(ID).record
    assert record["init"]
    mounts = Path(f"/proc/{record['init']['pid']}/ns/mnt").stat().st_ino
    in_child(
        "exec", root, bundle, Plan(runtime=EXEC_STEPS, init=EXEC_INIT_STEPS, observer=Killer(step, moment))
    )
    in_child("delete", root, bundle)
    left = [path for path in record["cgroups"] if os.path.lexists(path)]
    left += [f"state of {name}" for name in Path(root).iterdir() if name.name != "@locks"]
    left += [f"lock of {name}" for name in Path(root, "@locks").iterdir()]
    # Who has been killed with the runtime may need a moment to end.
    deadline = time.monotonic() + 5
    while (alive := processes_of(mounts)) and time.monotonic() < deadline:
        time.sleep(0.01)
    left += [f"process {pid}" for pid in alive]
    return [f"{moment} {step}: {what}" for what in left]


def processes_of(mount_namespace: int) -> list[str]:
    """Return the processes that have entered a mount namespace, or that this program has given birth to."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            entered = (place / "ns/mnt").stat().st_ino == mount_namespace
            ours = sys.argv[1] in (place / "cmdline").read_text() and place.name != str(os.getpid())
            ended = ") Z " in (place / "stat").read_text()
        except OSError:
            continue
        if (entered or ours) and not ended:
            found.append(place.name)
    return found


def main() -> None:
    """Do it for every step of one of the tables."""
    root, bundle, which = sys.argv[1:]
    # Orphans are ours, so that none has to wait for a busy process 1.
    call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    steps = {"runtime": EXEC_STEPS, "process": EXEC_INIT_STEPS}[which]
    moments = [(step.__name__, moment) for step in steps for moment in ("before", "after")]
    for step, moment in moments:
        for line in attempt(root, bundle, step, moment):
            sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(moments)} moments\n")


if __name__ == "__main__":
    main()
