"""What is done with a container that was created: exercises `start`, `state`, `kill`, `delete` and `hooks`."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

from tutor.own_steps.carried.container import Container, ContainerError
from tutor.own_steps.carried.reference.bundle import read_state
from tutor.own_steps.carried.reference.cgroups import remove_cgroup

# start


def start(c: Container) -> None:
    """Let a created container run its program (runtime.md, Start): open the pipe, read to its end, remove it.

    What the process writes there is why it can't: ContainerError. It may also have died: never wait for ever.
    """
    status = status_of(c)
    if status != "created":
        raise ContainerError(f"cannot start a container that is {status}")
    process = os.pidfd_open(c.pid)
    gate = os.open(c.fifo, os.O_RDONLY | os.O_NONBLOCK)
    poll = select.poll()
    poll.register(gate, select.POLLIN)
    poll.register(process, select.POLLIN)
    said = b""
    while True:
        ready = [descriptor for descriptor, _ in poll.poll()]
        if gate not in ready:
            raise ContainerError("the container's process has died")
        data = os.read(gate, 4096)
        said += data
        if not data:
            break
    os.close(gate)
    os.close(process)
    os.unlink(c.fifo)
    if said:
        raise ContainerError(said.decode())


# state


def status_of(c: Container) -> str:
    """Return `created`, `running` or `stopped` (runtime.md, State), by the process and by the pipe."""
    try:
        with open(f"/proc/{c.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "stopped"
    if fields[0] in "ZX" or fields[19] != c.start_time:
        return "stopped"
    return "created" if os.path.exists(c.fifo) else "running"


def list_containers(root: str) -> list[dict[str, Any]]:
    """Return id, pid (0 once stopped), status and bundle of every container below `root`, by the id."""
    found = []
    for name in sorted(os.listdir(root)) if os.path.isdir(root) else []:
        c = Container(root, name)
        try:
            read_state(c)
        except ContainerError:
            continue  # it is being made, or being deleted
        status = status_of(c)
        found.append(
            {"id": name, "pid": c.pid if status != "stopped" else 0, "status": status, "bundle": c.bundle}
        )
    return found


# kill


def kill(c: Container, signum: int) -> None:
    """Send a signal to the container's process (runtime.md, Kill). ContainerError if it is stopped."""
    with contextlib.suppress(ProcessLookupError):
        process = os.pidfd_open(
            c.pid
        )  # opened before the look at it: what it stands for can't change any more
        if status_of(c) != "stopped":
            signal.pidfd_send_signal(process, signum)
            os.close(process)
            return
    raise ContainerError("container not running")


# delete


def delete(c: Container, *, force: bool) -> None:
    """Undo what `create` made (runtime.md, Delete). ContainerError if it is not stopped; with `force` kill it first."""
    status = status_of(c)
    if status != "stopped" and not force:
        raise ContainerError(f"cannot delete container {c.id} that is not stopped: {status}")
    if status != "stopped":
        kill(c, signal.SIGKILL)
        while status_of(c) != "stopped":
            time.sleep(0.01)
    remove_cgroup(c)
    shutil.rmtree(c.directory)
    run_hooks(c, "poststop", "stopped")


# hooks


def run_hooks(c: Container, name: str, status: str) -> None:
    """Run the hooks of a kind in their order, the state on their standard input (config.md, POSIX-platform Hooks).

    ContainerError if one fails, or takes longer than its `timeout`; after `poststop` a warning, and the next one.
    """
    for hook in c.config.get("hooks", {}).get(name, []):
        state = {"ociVersion": c.config["ociVersion"], "id": c.id, "status": status, "bundle": c.bundle}
        if c.pid and status != "stopped":
            state["pid"] = c.pid
        environment = dict(each.split("=", 1) for each in hook.get("env", []))
        path, text, timeout = hook["path"], json.dumps(state).encode(), hook.get("timeout")
        try:  # the program's own name is args[0], which need not be its path
            subprocess.run(
                hook.get("args", [path]),
                executable=path,
                input=text,
                env=environment,
                timeout=timeout,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            if name != "poststop":
                raise ContainerError(f"{name} hook {path}: {error}") from None
            print(
                f"warning: {name} hook {path}: {error}", file=sys.stderr
            )  # the others are called all the same
