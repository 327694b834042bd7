"""The model solution: every function of the course, in the plain style that a learner would write.

The functions stand in the order of the exercises. What a learner has not written yet is taken from here.
"""

from __future__ import annotations

import array
import fcntl
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import stat
import subprocess
import termios
import time
from typing import Any

from tutor.own_steps.carried.container import Container, ContainerError, inside
from tutor.own_steps.carried.syscalls import (
    CAPABILITIES,
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    MNT_DETACH,
    MS_BIND,
    MS_DIRSYNC,
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_RELATIME,
    MS_REMOUNT,
    MS_SHARED,
    MS_SLAVE,
    MS_STRICTATIME,
    MS_SYNCHRONOUS,
    MS_UNBINDABLE,
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAP_AMBIENT_RAISE,
    PR_CAPBSET_DROP,
    PR_CAPBSET_READ,
    PR_SET_KEEPCAPS,
    PR_SET_NO_NEW_PRIVS,
    SyscallError,
    capget,
    capset,
    clone,
    mount,
    pivot_root,
    prctl,
    setdomainname,
    sethostname,
    setns,
    umount,
)

# ids


def claim_id(c: Container) -> None:
    """Make the directory `c.directory` for a new container, with mode 0711.

    The id is unique: if the directory is there already, another container has it (runtime.md, Create). An id is a name and not a
    path: refuse one with anything but letters, digits and `_ + - .`, and `.` and `..`. Raise ContainerError.
    """
    if not re.fullmatch(r"[\w+.-]+", c.id, re.ASCII) or c.id in (".", ".."):
        raise ContainerError(f"{c.id!r} is not an id: letters, digits and _ + - . may be in it")
    os.makedirs(c.root, mode=0o711, exist_ok=True)
    try:
        os.mkdir(c.directory, 0o711)
    except FileExistsError:
        raise ContainerError(f"container with given ID already exists: {c.id}") from None


def save_state(c: Container) -> None:
    """Write down what later commands need in `c.directory`: bundle, config, rootfs, pid, start_time and cgroups.

    A command that reads at the same time must find the old file or the new one, and never half of one (rename(2)).
    """
    names = ("bundle", "config", "rootfs", "pid", "start_time", "cgroups")
    path = os.path.join(c.directory, "state.json")
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump({name: getattr(c, name) for name in names}, file)
    os.rename(path + ".new", path)


def read_state(c: Container) -> None:
    """Read back into `c` what save_state wrote. Raise ContainerError if there is no container with this id."""
    try:
        with open(os.path.join(c.directory, "state.json"), encoding="utf-8") as file:
            for name, value in json.load(file).items():
                setattr(c, name, value)
    except FileNotFoundError:
        raise ContainerError(f"container does not exist: {c.id}") from None


# bundle


def load_config(c: Container) -> None:
    """Read `config.json` of the bundle into `c.config`, and set `c.rootfs` (bundle.md; config.md, Root and Process).

    Raise ContainerError, naming the file, if it is missing or no JSON object, if `ociVersion`, `root` or `process` is missing, if the root
    is no directory, if `process.args` is empty or `process.cwd` is not absolute.
    """
    path = os.path.join(c.bundle, "config.json")
    try:
        with open(path, encoding="utf-8") as file:
            c.config = json.load(file)
    except FileNotFoundError:
        raise ContainerError(f"{path}: no such file; a bundle has a config.json") from None
    except ValueError as error:
        raise ContainerError(f"{path}: not JSON: {error}") from None
    if not isinstance(c.config, dict):
        raise ContainerError(f"{path}: not a JSON object")
    for member in ("ociVersion", "root", "process"):
        if member not in c.config:
            raise ContainerError(f"{path}: {member} is missing")
    c.rootfs = os.path.realpath(os.path.join(c.bundle, c.config["root"].get("path", "")))
    if not os.path.isdir(c.rootfs):
        raise ContainerError(f"{path}: root.path: {c.rootfs} is not a directory")
    if not c.process.get("args"):
        raise ContainerError(f"{path}: process.args is empty: there is no program to run")
    if not c.process.get("cwd", "").startswith("/"):
        raise ContainerError(f"{path}: process.cwd must be an absolute path")


# namespaces

_NAMESPACES = {
    "mount": CLONE_NEWNS,
    "uts": CLONE_NEWUTS,
    "ipc": CLONE_NEWIPC,
    "pid": CLONE_NEWPID,
    "network": CLONE_NEWNET,
    "user": CLONE_NEWUSER,
    "cgroup": CLONE_NEWCGROUP,
}


def clone_init(c: Container) -> int:
    """Make the container's first process in the namespaces of `linux.namespaces`; return 0 in it, and its pid in the runtime.

    An entry with a `path` is entered, any other is made anew. A PID namespace is entered by the parent: setns(2) lets only later
    children be in it. The cgroup namespace is left to later: its root is where the process is when it is made.
    """
    entries = [entry for entry in c.linux.get("namespaces", []) if entry["type"] != "cgroup"]
    flags = 0
    for entry in entries:
        if entry["type"] not in _NAMESPACES:
            raise ContainerError(f"unknown namespace: {entry['type']}")
        if "path" not in entry:
            flags |= _NAMESPACES[entry["type"]]
        elif entry["type"] == "pid":
            setns(entry["path"], CLONE_NEWPID)
    pid = clone(flags)
    if pid == 0:
        for entry in entries:
            if "path" in entry and entry["type"] != "pid":
                setns(entry["path"], _NAMESPACES[entry["type"]])
    return pid


# hostname


def set_hostname(c: Container) -> None:
    """Set the host name, and the domain name, to what config.json says, if it says so (config.md, Hostname).

    Without a UTS namespace of the container's own that would be the host's name: raise ContainerError.
    """
    for member, call in (("hostname", sethostname), ("domainname", setdomainname)):
        if c.config.get(member):
            if c.namespace("uts") is None:
                raise ContainerError(f"{member} needs a uts namespace in linux.namespaces")
            call(c.config[member])


# root


def prepare_root(c: Container) -> None:
    """Take the mounts out of the host's hands, and make the root a mount of its own.

    A new mount namespace is a copy whose mounts are still tied to the host's ("shared"): make them all MS_SLAVE, or what the container
    mounts appears outside (mount_namespaces(7)). pivot_root(2) wants a mount point: bind `c.rootfs` onto itself. Without
    a mount namespace raise ContainerError.
    """
    if c.namespace("mount") is None:
        raise ContainerError("without a mount namespace the container would mount into the host")
    mount(None, "/", None, MS_REC | MS_SLAVE)
    mount(c.rootfs, c.rootfs, None, MS_BIND | MS_REC)


def switch_root(c: Container) -> None:
    """Make `c.rootfs` the root, take the old root away, and stand in the new one (config.md, Root; pivot_root(2), notes)."""
    os.chdir(c.rootfs)
    pivot_root(".", ".")
    umount(".", MNT_DETACH)
    os.chdir("/")


# mounts

_FLAGS = {
    "ro": MS_RDONLY,
    "nosuid": MS_NOSUID,
    "nodev": MS_NODEV,
    "noexec": MS_NOEXEC,
    "sync": MS_SYNCHRONOUS,
    "dirsync": MS_DIRSYNC,
    "noatime": MS_NOATIME,
    "nodiratime": MS_NODIRATIME,
    "relatime": MS_RELATIME,
    "strictatime": MS_STRICTATIME,
    "bind": MS_BIND,
    "rbind": MS_BIND | MS_REC,
}
_CLEARS = {
    "rw": MS_RDONLY,
    "suid": MS_NOSUID,
    "dev": MS_NODEV,
    "exec": MS_NOEXEC,
    "atime": MS_NOATIME,
    "defaults": 0,
}
_PROPAGATION = {"private": MS_PRIVATE, "slave": MS_SLAVE, "shared": MS_SHARED, "unbindable": MS_UNBINDABLE}


def mount_filesystems(c: Container) -> None:
    """Mount what `mounts` of config.json lists, in its order, below `c.rootfs` (config.md, Mounts; mount(8)).

    Make the target if it is missing: a directory, or an empty file if a file is bound. Options are flags, propagation, or data for the filesystem.
    A bind mount takes its flags only by a second call (MS_REMOUNT | MS_BIND). Find the target by `inside`: a link in the image
    must not lead to the host.
    """
    for entry in c.config.get("mounts", []):
        target = inside(c.rootfs, entry["destination"])
        flags, propagation, data = _options(entry.get("options", []))
        source, kind = entry.get("source", "none"), entry.get("type", "none")
        if kind == "bind":
            flags |= MS_BIND
        if flags & MS_BIND:
            source = os.path.join(c.bundle, source)
            _make_target(target, directory=os.path.isdir(source))
            mount(source, target, None, flags & (MS_BIND | MS_REC))
            if flags & ~(MS_BIND | MS_REC):
                mount(None, target, None, MS_REMOUNT | flags & ~MS_REC)
        elif kind == "cgroup":
            _make_target(target, directory=True)
            _mount_cgroups(c, target, flags)
        else:
            _make_target(target, directory=True)
            mount(source, target, kind, flags, data)
        for each in propagation:
            mount(None, target, None, each)


def _options(options: list[str]) -> tuple[int, list[int], str]:
    flags, propagation, data = 0, [], []
    for option in options:
        if option in _FLAGS:
            flags |= _FLAGS[option]
        elif option in _CLEARS:
            flags &= ~_CLEARS[option]
        elif option in _PROPAGATION:
            propagation.append(_PROPAGATION[option])
        elif option[:1] == "r" and option[1:] in _PROPAGATION:
            propagation.append(MS_REC | _PROPAGATION[option[1:]])
        else:
            data.append(option)
    return flags, propagation, ",".join(data)


def _make_target(target: str, *, directory: bool) -> None:
    if directory:
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "w").close()


def _mount_cgroups(c: Container, target: str, flags: int) -> None:
    """Show the container its own cgroups: with v2 one directory, with v1 one a controller in a tmpfs."""
    if len(c.cgroups) == 1 and "/unified" not in c.cgroups[0]:
        mount(c.cgroups[0], target, None, MS_BIND)
        mount(None, target, None, MS_REMOUNT | MS_BIND | flags)
        return
    mount("cgroup", target, "tmpfs", flags & ~MS_RDONLY, "mode=755")
    for directory in c.cgroups:
        place = os.path.join(target, directory.split("/")[4])
        os.makedirs(place, exist_ok=True)
        mount(directory, place, None, MS_BIND)
        mount(None, place, None, MS_REMOUNT | MS_BIND | flags)
    mount(None, target, None, MS_REMOUNT | MS_BIND | flags)


def protect_paths(c: Container) -> None:
    """Hide `linux.maskedPaths`, make `linux.readonlyPaths` and, if config.json says so, the root read-only (called after switch_root).

    A file is hidden by /dev/null bound onto it, a directory by an empty read-only tmpfs. What is not there needs nothing.
    """
    for path in c.linux.get("readonlyPaths", []):
        if os.path.exists(path):
            mount(path, path, None, MS_BIND | MS_REC)
            mount(None, path, None, MS_REMOUNT | MS_BIND | MS_RDONLY | _flags_of(path))
    for path in c.linux.get("maskedPaths", []):
        if os.path.isdir(path):
            mount("tmpfs", path, "tmpfs", MS_RDONLY)
        elif os.path.exists(path):
            mount("/dev/null", path, None, MS_BIND)
    if c.config["root"].get("readonly"):
        mount(None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY)


def _flags_of(path: str) -> int:
    """Return the flags that a mount has already: changing it must name them again."""
    names = {
        os.ST_NOSUID: MS_NOSUID,
        os.ST_NODEV: MS_NODEV,
        os.ST_NOEXEC: MS_NOEXEC,
        os.ST_RELATIME: MS_RELATIME,
    }
    present = os.statvfs(path).f_flag
    return sum(flag for name, flag in names.items() if present & name)


# devices

_DEVICES = {
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "tty": (5, 0),
}
_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}


def make_devices(c: Container) -> None:
    """Make the devices that every container has, those of `linux.devices`, and the links in /dev (config-linux.md, Default Devices).

    The mode is exact (0666 for the default ones) whatever the umask is. Called before switch_root: the paths are below `c.rootfs`.
    """
    devices = [
        {"path": f"/dev/{name}", "type": "c", "major": major, "minor": minor, "fileMode": 0o666}
        for name, (major, minor) in _DEVICES.items()
    ]
    kinds = {"c": stat.S_IFCHR, "u": stat.S_IFCHR, "b": stat.S_IFBLK, "p": stat.S_IFIFO}
    os.makedirs(inside(c.rootfs, "/dev"), exist_ok=True)
    for device in devices + c.linux.get("devices", []):
        path = inside(c.rootfs, device["path"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.lexists(path):
            os.unlink(path)
        number = os.makedev(device.get("major", 0), device.get("minor", 0))
        os.mknod(path, kinds[device["type"]], number)
        os.chmod(path, device.get("fileMode", 0o666))
        os.chown(path, device.get("uid", 0), device.get("gid", 0))
    links = dict(_LINKS)
    if os.path.exists(inside(c.rootfs, "/dev/pts/ptmx")):
        links["ptmx"] = "pts/ptmx"
    for name, target in links.items():
        path = os.path.join(inside(c.rootfs, "/dev"), name)
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink(target, path)


# user


def set_user(c: Container) -> None:
    """Give the process its resource limits, groups, ids and umask (config.md, POSIX process and User).

    The order matters: only root may change groups and ids, so the user id comes last. PR_SET_KEEPCAPS keeps the capabilities
    for set_capabilities, which is called next.
    """
    for limit in c.process.get("rlimits", []):
        resource.setrlimit(getattr(resource, limit["type"]), (limit["soft"], limit["hard"]))
    user = c.process.get("user", {})
    prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups(user.get("additionalGids", []))
    os.setgid(user.get("gid", 0))
    os.setuid(user.get("uid", 0))
    os.umask(user.get("umask", 0o022))


def set_capabilities(c: Container) -> None:
    """Set the five capability sets to what `process.capabilities` says, then `noNewPrivileges` (config.md; capabilities(7)).

    setuid has emptied the effective set: take it back from the permitted one first. The bounding set can only be made smaller.
    """
    wanted = {name: _mask(names) for name, names in c.process.get("capabilities", {}).items()}
    _, permitted, inheritable = capget()
    capset(permitted, permitted, inheritable)
    for number in range(len(CAPABILITIES)):
        if not wanted.get("bounding", 0) >> number & 1:
            try:
                if prctl(PR_CAPBSET_READ, number):
                    prctl(PR_CAPBSET_DROP, number)
            except SyscallError:
                break  # a number that this kernel does not know: the last one was before it
    capset(wanted.get("effective", 0), wanted.get("permitted", 0), wanted.get("inheritable", 0))
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for number in range(len(CAPABILITIES)):
        if wanted.get("ambient", 0) >> number & 1:
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number)
    if c.process.get("noNewPrivileges"):
        prctl(PR_SET_NO_NEW_PRIVS, 1)


def _mask(names: list[str]) -> int:
    return sum(1 << CAPABILITIES.index(name.removeprefix("CAP_")) for name in names)


# fifo


def make_fifo(c: Container) -> None:
    """Make the named pipe `c.fifo`, and open it by O_PATH as `c.fifo_fd`: its name can't be reached after switch_root (fifo(7))."""
    os.mkfifo(c.fifo, 0o622)
    c.fifo_fd = os.open(c.fifo, os.O_PATH | os.O_CLOEXEC)


def wait_for_start(c: Container) -> None:
    """Wait until `start` opens the other end of the pipe: open it for writing, as `c.gate` (fifo(7): the open blocks until then).

    Its descriptor is closed by execve (O_CLOEXEC), so that `start` reads the end of file when the program runs.
    """
    c.gate = os.open(f"/proc/self/fd/{c.fifo_fd}", os.O_WRONLY | os.O_CLOEXEC)
    os.close(c.fifo_fd)


# start


def start(c: Container) -> None:
    """Open the pipe for reading, which lets the container's process go on, and read what it says until the end of file.

    It says nothing if the program runs, else why not: raise ContainerError with that, and with one if the status is not `created`
    (runtime.md, Start). Remove the pipe. A process that has died must not make this wait for ever.
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
    """Return `created`, `running` or `stopped` (runtime.md, State): by the process and by the pipe that it waits at.

    A process that has ended and was not waited for (Z, X) does not run any more. One with another start time is another process.
    """
    try:
        with open(f"/proc/{c.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "stopped"
    if fields[0] in "ZX" or fields[19] != c.start_time:
        return "stopped"
    return "created" if os.path.exists(c.fifo) else "running"


def list_containers(root: str) -> list[dict[str, Any]]:
    """Return id, pid, status and bundle of every container that is recorded below `root`, by the id's order."""
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
    """Send a signal to the container's process. If it is neither created nor running, raise ContainerError (runtime.md, Kill).

    The pid may have been taken by another process meanwhile: open the process first (pidfd_open(2)), then look at its status.
    """
    try:
        process = os.pidfd_open(c.pid)
    except ProcessLookupError:
        raise ContainerError("container not running") from None
    try:
        if status_of(c) == "stopped":
            raise ContainerError("container not running")
        signal.pidfd_send_signal(process, signum)
    finally:
        os.close(process)


# delete


def delete(c: Container, *, force: bool) -> None:
    """Undo everything that `create` made: the cgroups, then the directory with the state (runtime.md, Delete).

    A container that is not stopped is an error, unless `force` is set: then its process is killed, and waited for.
    """
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
    """Run the hooks of one kind (`prestart`, `createRuntime` ...) in their order (config.md, POSIX-platform Hooks).

    Each gets the container's state as JSON on its standard input, and only the environment that its `env` says. One that fails, or takes longer
    than its `timeout` in seconds, stops the others: raise ContainerError.
    """
    for hook in c.config.get("hooks", {}).get(name, []):
        state = {"ociVersion": c.config["ociVersion"], "id": c.id, "status": status, "bundle": c.bundle}
        if c.pid and status != "stopped":
            state["pid"] = c.pid
        environment = dict(each.split("=", 1) for each in hook.get("env", []))
        try:
            done = subprocess.run(
                hook.get("args", [hook["path"]]),
                executable=hook["path"],
                input=json.dumps(state).encode(),
                env=environment,
                timeout=hook.get("timeout"),
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ContainerError(f"{name} hook {hook['path']}: {error}") from None
        if done.returncode != 0:
            raise ContainerError(f"{name} hook {hook['path']}: exit status {done.returncode}")


# cgroups

_CGROUPS = "/sys/fs/cgroup"
_CONTROLLERS = ("memory", "pids", "cpu", "cpuset", "freezer")


def make_cgroup(c: Container) -> None:
    """Make the container's cgroup, write its limits, and move the process `c.pid` into it (config-linux.md, Control groups).

    Its path is `linux.cgroupsPath`, or /ID. With v2 it is one directory, and a controller must be switched on in each parent
    (cgroup.subtree_control); with v1 it is one directory in each controller's hierarchy. Append each directory to `c.cgroups`.
    """
    path = c.linux.get("cgroupsPath", c.id)
    if path.count(":") == 2:  # systemd's form, slice:prefix:name
        path = "{}/{}-{}.scope".format(*path.split(":"))
    path = os.path.normpath("/" + path)
    if os.path.exists(f"{_CGROUPS}/cgroup.controllers"):
        _make_cgroup(c, _CGROUPS, path, _v2_limits(c))
    else:
        for controller in _CONTROLLERS:
            if os.path.isdir(f"{_CGROUPS}/{controller}"):
                _make_cgroup(c, f"{_CGROUPS}/{controller}", path, _v1_limits(c).get(controller, {}))


def _make_cgroup(c: Container, top: str, path: str, limits: dict[str, object]) -> None:
    directory = top
    for name in path.strip("/").split("/"):
        parent, directory = directory, os.path.join(directory, name)
        if os.path.exists(f"{parent}/cgroup.subtree_control"):
            for controller in ("cpu", "memory", "pids"):
                try:
                    _write(f"{parent}/cgroup.subtree_control", f"+{controller}")
                except OSError:
                    pass  # not there, or not ours to give: a limit that needs it fails below
        os.makedirs(directory, exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):  # with v1 empty at first, and then nothing can be in it
            if os.path.exists(f"{parent}/tasks") and os.path.exists(f"{parent}/{file}"):
                with open(f"{parent}/{file}", encoding="utf-8") as values:
                    _write(f"{directory}/{file}", values.read())
    c.cgroups.append(directory)
    for file, value in limits.items():
        _write(f"{directory}/{file}", value)
    _write(f"{directory}/cgroup.procs", c.pid)


def _v1_limits(c: Container) -> dict[str, dict[str, object]]:
    wanted = c.linux.get("resources", {})
    cpu = wanted.get("cpu", {})
    return {
        "memory": _given({"memory.limit_in_bytes": wanted.get("memory", {}).get("limit")}),
        "pids": _given({"pids.max": _or_max(wanted.get("pids", {}).get("limit"))}),
        "cpu": _given(
            {
                "cpu.shares": cpu.get("shares"),
                "cpu.cfs_period_us": cpu.get("period"),
                "cpu.cfs_quota_us": cpu.get("quota"),
            }
        ),
        "cpuset": _given({"cpuset.cpus": cpu.get("cpus"), "cpuset.mems": cpu.get("mems")}),
    }


def _v2_limits(c: Container) -> dict[str, object]:
    wanted = c.linux.get("resources", {})
    cpu, shares = wanted.get("cpu", {}), wanted.get("cpu", {}).get("shares")
    quota = _or_max(cpu.get("quota"))
    return _given(
        {
            "memory.max": _or_max(wanted.get("memory", {}).get("limit")),
            "pids.max": _or_max(wanted.get("pids", {}).get("limit")),
            "cpu.max": f"{quota} {cpu.get('period', 100000)}" if quota else None,
            "cpu.weight": 1 + (shares - 2) * 9999 // 262142 if shares else None,
        }
    )


def _or_max(limit: int | None) -> int | str | None:
    return "max" if limit is not None and limit <= 0 else limit


def _given(limits: dict[str, Any]) -> dict[str, object]:
    return {file: value for file, value in limits.items() if value not in (None, "")}


def _write(path: str, value: object) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(str(value))


def remove_cgroup(c: Container) -> None:
    """Remove the directories in `c.cgroups`: by rmdir, for their files are the kernel's. End what still runs in them first.

    The last process leaves its cgroup a moment after its end: try again while the kernel says EBUSY.
    """
    for directory in c.cgroups:
        for attempt in range(500):
            try:
                with open(f"{directory}/cgroup.procs", encoding="utf-8") as file:
                    for pid in file.read().split():
                        os.kill(int(pid), signal.SIGKILL)
                os.rmdir(directory)
                break
            except (FileNotFoundError, ProcessLookupError):
                break
            except OSError:
                if attempt == 499:
                    raise
                time.sleep(0.01)


# console


def open_console(c: Container) -> None:
    """Give the process a new terminal, and send its master to `c.console` (config.md, process.terminal; pty(7)).

    Called after switch_root: the terminal comes from the container's own /dev/pts. The slave becomes standard input, output and
    error, the controlling terminal, and /dev/console. The master is sent by SCM_RIGHTS (unix(7)).
    """
    if not c.process.get("terminal"):
        return
    if c.console is None:
        raise ContainerError("process.terminal needs --console-socket")
    master, slave = os.openpty()
    size = c.process.get("consoleSize", {})
    if size:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, array.array("H", [size["height"], size["width"], 0, 0]))
    socket.send_fds(c.console, [b"console"], [master])
    os.close(master)
    c.console.close()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    _make_target("/dev/console", directory=False)
    mount(os.ttyname(slave), "/dev/console", None, MS_BIND)
    for descriptor in (0, 1, 2):
        os.dup2(slave, descriptor)
    os.close(slave)
    os.fchown(0, c.process.get("user", {}).get("uid", 0), -1)
