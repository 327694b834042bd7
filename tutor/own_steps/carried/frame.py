"""The frame: the command line that Docker calls, and the order in which the functions are called.

create                                       the container's process
claim_id, load_config, make_fifo
clone_init                             -->   waits
make_cgroup, prestart and createRuntime
"go"                                   -->   prepare_root, mount_filesystems, make_devices, createContainer,
                                             set_hostname, switch_root, sysctls, protect_paths, open_console
waits                                  <--   "ready" (or what went wrong)
save_state                                   wait_for_start ... until start: startContainer, set_user,
                                             set_capabilities, then the program
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import sys
import time
from typing import NoReturn

from tutor.own_steps.carried.container import Container, ContainerError
from tutor.own_steps.carried.reference.bundle import claim_id, load_config, read_state, save_state
from tutor.own_steps.carried.reference.cgroups import make_cgroup, remove_cgroup
from tutor.own_steps.carried.reference.filesystem import make_devices, mount_filesystems, protect_paths
from tutor.own_steps.carried.reference.lifecycle import (
    delete,
    kill,
    list_containers,
    run_hooks,
    start,
    status_of,
)
from tutor.own_steps.carried.reference.namespaces import clone_init, prepare_root, set_hostname, switch_root
from tutor.own_steps.carried.reference.process import (
    make_fifo,
    open_console,
    set_capabilities,
    set_user,
    wait_for_start,
)
from tutor.own_steps.carried.syscalls import CLONE_NEWCGROUP, PR_SET_PDEATHSIG, prctl, unshare

VERSION = "1.0"


def create(c: Container, pid_file: str, console_socket: str) -> None:
    """Do everything but run the program: `start` does that. A failure undoes what was made."""
    claim_id(c)
    child = 0
    try:
        load_config(c)
        save_state(c)
        make_fifo(c)
        if console_socket:
            c.console = socket.socket(socket.AF_UNIX)
            c.console.connect(console_socket)
        ours, theirs = socket.socketpair()
        child = new_process(c, theirs)
        theirs.close()
        c.pid, c.start_time = child, start_time_of(child)
        make_cgroup(c)
        save_state(c)
        run_hooks(c, "prestart", "creating")
        run_hooks(c, "createRuntime", "creating")
        ours.sendall(json.dumps([c.pid, c.cgroups]).encode())
        said = ours.recv(65536).decode()
        if said != "ready":
            raise ContainerError(said or "the container's process has died")
        save_state(c)
        if pid_file:
            with open(pid_file + ".new", "w", encoding="utf-8") as file:
                file.write(str(c.pid))
            os.rename(pid_file + ".new", pid_file)
    except BaseException:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        remove_cgroup(c)
        shutil.rmtree(c.directory, ignore_errors=True)
        raise


def new_process(c: Container, runtime: socket.socket) -> int:
    """Make the first process; return its pid. What goes wrong in it is told: it never returns into the runtime."""
    before = os.getpid()
    try:
        child = clone_init(c)
        if child == 0:
            be_init(c, runtime)
    except BaseException as error:
        if os.getpid() == before:
            raise
        runtime.sendall(describe(error).encode())
        os._exit(1)
    return child


def be_init(c: Container, runtime: socket.socket) -> NoReturn:
    """Be the container's first process until the program takes its place."""
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # no orphan, should the runtime be killed meanwhile
        c.pid, c.cgroups = json.loads(runtime.recv(65536) or "[0, []]")
        os.setsid()
        os.umask(0)
        if c.namespace("cgroup") is not None:
            unshare(CLONE_NEWCGROUP)
        prepare_root(c)
        mount_filesystems(c)
        make_devices(c)
        run_hooks(c, "createContainer", "creating")
        set_hostname(c)
        switch_root(c)
        for name, value in c.linux.get("sysctl", {}).items():
            with open(f"/proc/sys/{name.replace('.', '/')}", "w", encoding="utf-8") as file:
                file.write(value)
        protect_paths(c)
        open_console(c)
        close_all_but(0, 1, 2, c.fifo_fd, runtime.fileno())
        prctl(PR_SET_PDEATHSIG, 0)
        runtime.sendall(b"ready")
        runtime.close()
    except BaseException as error:
        runtime.sendall(describe(error).encode())
        os._exit(1)
    try:
        wait_for_start(c)
        run_hooks(c, "startContainer", "created")
        set_user(c)
        set_capabilities(c)
        os.makedirs(c.process["cwd"], exist_ok=True)
        os.chdir(c.process["cwd"])
        for number in signal.valid_signals():
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                signal.signal(number, signal.SIG_DFL)
        environment = dict(each.split("=", 1) for each in c.process.get("env", []))
        os.environ["PATH"] = environment.get("PATH", os.defpath)
        os.execvpe(c.process["args"][0], c.process["args"], environment)
    except BaseException as error:
        if c.gate >= 0:
            os.write(c.gate, describe(error).encode())
        os._exit(1)


def close_all_but(*kept: int) -> None:
    """Close every descriptor but these: what leads to the host must not stay open in the container."""
    ends = [*sorted(kept), os.sysconf("SC_OPEN_MAX")]
    for low, high in zip(ends, ends[1:], strict=False):
        os.closerange(low + 1, high)


def start_time_of(pid: int) -> str:
    """Return when a process began, as proc_pid_stat(5) says it."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rpartition(")")[2].split()[19]


def describe(error: BaseException) -> str:
    """Return what went wrong in one line."""
    return str(error) if isinstance(error, ContainerError) else f"{type(error).__name__}: {error}"


def print_state(c: Container) -> None:
    """Print what runtime.md, State asks for."""
    status = status_of(c)
    state = {"ociVersion": c.config["ociVersion"], "id": c.id, "status": status, "bundle": c.bundle}
    if status != "stopped":
        state["pid"] = c.pid
    if c.config.get("annotations"):
        state["annotations"] = c.config["annotations"]
    print(json.dumps(state, indent=2))


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(prog="my_runtime", description="A container runtime of my own.")
    parser.add_argument("--root", default="/run/my_runtime")
    parser.add_argument("--log")
    parser.add_argument("--log-format", default="text")
    parser.add_argument("--version", action="version", version=f"my_runtime version {VERSION}\nspec: 1.3.0")
    for ignored in ("--debug", "--systemd-cgroup"):
        parser.add_argument(ignored, action="store_true")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("create", "start", "state", "kill", "delete", "list"):
        command = commands.add_parser(name)
        if name == "create":
            command.add_argument("--bundle", "-b", default=".")
            command.add_argument("--pid-file", default="")
            command.add_argument("--console-socket", default="")
        if name == "delete":
            command.add_argument("--force", "-f", action="store_true")
        if name == "kill":
            command.add_argument("--all", "-a", action="store_true")
        if name == "list":
            command.add_argument("--format", default="table")
        else:
            command.add_argument("id")
        if name == "kill":
            command.add_argument("signal", nargs="?", default="TERM")
    asked = parser.parse_args(arguments)
    try:
        run(asked)
    except (ContainerError, OSError, ValueError) as error:
        print(f"my_runtime: {describe(error)}", file=sys.stderr)
        if asked.log:
            entry = {
                "level": "error",
                "msg": describe(error),
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            }
            with open(asked.log, "a", encoding="utf-8") as log:
                log.write((json.dumps(entry) if asked.log_format == "json" else describe(error)) + "\n")
        return 1
    return 0


def run(asked: argparse.Namespace) -> None:
    """Run one command of the command line."""
    if asked.command == "list":
        found = list_containers(asked.root)
        if asked.format == "json":
            print(json.dumps(found))
            return
        print(f"{'ID':<20}{'PID':<10}{'STATUS':<10}BUNDLE")
        for each in found:
            print(f"{each['id']:<20}{each['pid']:<10}{each['status']:<10}{each['bundle']}")
        return
    c = Container(asked.root, asked.id, getattr(asked, "bundle", "."))
    if asked.command == "create":
        create(c, asked.pid_file, asked.console_socket)
        return
    read_state(c)
    if asked.command == "start":
        start(c)
        try:
            run_hooks(c, "poststart", "running")
        except ContainerError:
            kill(c, signal.SIGKILL)  # runtime.md, Lifecycle, since 1.3: the container must be stopped
            raise
    elif asked.command == "state":
        print_state(c)
    elif asked.command == "kill":
        name = asked.signal.upper().removeprefix("SIG")
        kill(c, int(name) if name.isdigit() else signal.Signals[f"SIG{name}"])
    else:
        delete(c, force=asked.force)


if __name__ == "__main__":
    sys.exit(main())
