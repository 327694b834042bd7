"""The model solution: every function of the course, in the plain style that a learner would write.

The functions stand in the order of the exercises. What a learner has not written yet is taken from here.
"""

from __future__ import annotations

import array
import contextlib
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
import sys
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
    """Make `c.directory` (mode 0711) for a new container (runtime.md, Create).

    ContainerError if another container has its id, or if it has more than letters, digits and _ + - . in it.
    """
    if not re.fullmatch(r"[\w+.-]+", c.id, re.ASCII) or c.id in (".", ".."):
        raise ContainerError(f"{c.id!r} is not an id: letters, digits and _ + - . may be in it")
    os.makedirs(c.root, mode=0o711, exist_ok=True)
    try:
        os.mkdir(c.directory, 0o711)
    except FileExistsError:
        raise ContainerError(f"container with given ID already exists: {c.id}") from None


def save_state(c: Container) -> None:
    """Write bundle, config, rootfs, pid, start_time and cgroups into `c.directory`, whole or not at all (rename(2))."""
    names = ("bundle", "config", "rootfs", "pid", "start_time", "cgroups")
    path = os.path.join(c.directory, "state.json")
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump({name: getattr(c, name) for name in names}, file)
    os.rename(path + ".new", path)


def read_state(c: Container) -> None:
    """Read back into `c` what save_state wrote. ContainerError if there is no container with this id."""
    try:
        with open(os.path.join(c.directory, "state.json"), encoding="utf-8") as file:
            for name, value in json.load(file).items():
                setattr(c, name, value)
    except FileNotFoundError:
        raise ContainerError(f"container does not exist: {c.id}") from None


# bundle


def load_config(c: Container) -> None:
    """Read `config.json` of the bundle into `c.config`, and set `c.rootfs` (bundle.md; config.md, Root).

    ContainerError if it can't be read, or lacks `ociVersion`, `root`, `process.args` or an absolute `process.cwd`.
    """
    path = os.path.join(c.bundle, "config.json")
    try:
        with open(path, encoding="utf-8") as file:
            c.config = json.load(file)
        c.rootfs = os.path.realpath(os.path.join(c.bundle, c.config["root"]["path"]))
        if not c.config["ociVersion"] or not c.process["args"]:
            raise ContainerError(f"{path}: ociVersion or process.args is empty")
        if not c.process["cwd"].startswith("/"):
            raise ContainerError(f"{path}: process.cwd must be an absolute path")
    except OSError as error:
        raise ContainerError(f"cannot read the bundle's configuration: {error}") from None
    except ValueError as error:
        raise ContainerError(f"{path}: not JSON: {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ContainerError(f"{path}: a member is missing, or of another type: {error}") from None
    if not os.path.isdir(c.rootfs):
        raise ContainerError(f"{path}: root.path: {c.rootfs} is not a directory")


# namespaces

_NAMESPACES = {
    "mount": CLONE_NEWNS, "uts": CLONE_NEWUTS, "ipc": CLONE_NEWIPC, "pid": CLONE_NEWPID,
    "network": CLONE_NEWNET, "user": CLONE_NEWUSER, "cgroup": CLONE_NEWCGROUP,
}  # fmt: skip


def clone_init(c: Container) -> int:
    """Make the first process in the namespaces of `linux.namespaces`; return 0 in it, its pid in the runtime.

    An entry with a `path` is entered, any other is made anew; `cgroup` comes later (config-linux.md, Namespaces).
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
    """Set host name and domain name, if config.json has them (config.md). ContainerError without a UTS namespace."""
    for member, call in (("hostname", sethostname), ("domainname", setdomainname)):
        if c.config.get(member):
            if c.namespace("uts") is None:
                raise ContainerError(f"{member} needs a uts namespace in linux.namespaces")
            call(c.config[member])


# root


def prepare_root(c: Container) -> None:
    """Untie all mounts from the host's (MS_SLAVE), and bind `c.rootfs` onto itself (mount_namespaces(7)).

    ContainerError without a mount namespace: the host's mounts would change.
    """
    if c.namespace("mount") is None:
        raise ContainerError("without a mount namespace the container would mount into the host")
    mount(None, "/", None, MS_REC | MS_SLAVE)
    mount(c.rootfs, c.rootfs, None, MS_BIND | MS_REC)


def switch_root(c: Container) -> None:
    """Make `c.rootfs` the root, take the old root away, and stand in the new one (pivot_root(2), notes)."""
    os.chdir(c.rootfs)
    pivot_root(".", ".")
    umount(".", MNT_DETACH)
    os.chdir("/")


# mounts

_FLAGS = {
    "ro": MS_RDONLY, "nosuid": MS_NOSUID, "nodev": MS_NODEV, "noexec": MS_NOEXEC, "sync": MS_SYNCHRONOUS,
    "dirsync": MS_DIRSYNC, "noatime": MS_NOATIME, "nodiratime": MS_NODIRATIME, "relatime": MS_RELATIME,
    "strictatime": MS_STRICTATIME, "bind": MS_BIND, "rbind": MS_BIND | MS_REC,
}  # fmt: skip
_CLEARS = {
    "rw": MS_RDONLY, "suid": MS_NOSUID, "dev": MS_NODEV, "exec": MS_NOEXEC, "atime": MS_NOATIME, "defaults": 0,
}  # fmt: skip
_PROPAGATION = {
    "private": MS_PRIVATE, "slave": MS_SLAVE, "shared": MS_SHARED, "unbindable": MS_UNBINDABLE,
    "rprivate": MS_REC | MS_PRIVATE, "rslave": MS_REC | MS_SLAVE, "rshared": MS_REC | MS_SHARED,
    "runbindable": MS_REC | MS_UNBINDABLE,
}  # fmt: skip


def mount_filesystems(c: Container) -> None:
    """Mount what `mounts` of config.json lists, in its order, below `c.rootfs` (config.md, Mounts; mount(8))."""
    for entry in c.config.get("mounts", []):
        target = inside(c.rootfs, entry["destination"])
        flags, propagation, data = _options(entry.get("options", []))
        source, kind = entry.get("source", "none"), entry.get("type", "none")
        if kind == "bind" or flags & MS_BIND:
            source = os.path.join(c.bundle, source)
            _make_target(target, directory=os.path.isdir(source))
            mount(source, target, None, MS_BIND | flags & MS_REC)
            _remount(target, flags)
        elif kind == "cgroup":
            _mount_cgroups(c, target, flags)
        else:
            _make_target(target)
            mount(source, target, kind, flags, data)
        for each in propagation:
            mount(None, target, None, each)


def _options(options: list[str]) -> tuple[int, list[int], str]:
    flags = 0
    for option in options:
        flags = (flags | _FLAGS.get(option, 0)) & ~_CLEARS.get(option, 0)
    known = {**_FLAGS, **_CLEARS, **_PROPAGATION}
    data = [each for each in options if each not in known]
    return flags, [_PROPAGATION[each] for each in options if each in _PROPAGATION], ",".join(data)


def _make_target(target: str, *, directory: bool = True) -> None:
    os.makedirs(target if directory else os.path.dirname(target), exist_ok=True)
    if not directory and not os.path.exists(target):
        open(target, "w").close()


def _remount(target: str, flags: int) -> None:
    """Give a bind mount flags; those that it has already must be named again (mount(2))."""
    has = os.statvfs(target).f_flag
    for name, flag in ((os.ST_NOSUID, MS_NOSUID), (os.ST_NODEV, MS_NODEV), (os.ST_NOEXEC, MS_NOEXEC)):
        flags |= flag if has & name else 0
    mount(None, target, None, MS_REMOUNT | MS_BIND | flags & ~MS_REC)


def _mount_cgroups(c: Container, target: str, flags: int) -> None:
    """Show the container its own cgroups: with v2 one directory, with v1 one for each controller in a tmpfs."""
    places = dict.fromkeys(c.cgroups, target)
    if len(places) > 1:
        _make_target(target)
        mount("cgroup", target, "tmpfs", 0, "mode=755")
        places = {directory: os.path.join(target, directory.split("/")[4]) for directory in c.cgroups}
    for directory, place in places.items():
        _make_target(place)
        mount(directory, place, None, MS_BIND)
        _remount(place, flags)
    if len(places) > 1:
        _remount(target, flags)


def protect_paths(c: Container) -> None:
    """Hide `linux.maskedPaths`, make `linux.readonlyPaths` and, where asked for, the root read-only."""
    for path in filter(os.path.exists, c.linux.get("readonlyPaths", [])):
        mount(path, path, None, MS_BIND | MS_REC)
        _remount(path, MS_RDONLY)
    for path in filter(os.path.exists, c.linux.get("maskedPaths", [])):
        if os.path.isdir(path):
            mount("tmpfs", path, "tmpfs", MS_RDONLY)
        else:
            mount("/dev/null", path, None, MS_BIND)
    if c.config["root"].get("readonly"):
        _remount("/", MS_RDONLY)


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
    "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
}  # fmt: skip


def make_devices(c: Container) -> None:
    """Make the default devices, those of `linux.devices`, and the links in /dev (config-linux.md, Default Devices)."""
    devices = [
        {"path": f"/dev/{name}", "type": "c", "major": at[0], "minor": at[1]} for name, at in _DEVICES.items()
    ]
    for device in devices + c.linux.get("devices", []):
        path = _vacant(inside(c.rootfs, device["path"]))
        number = os.makedev(device.get("major", 0), device.get("minor", 0))
        kind = {"b": stat.S_IFBLK, "p": stat.S_IFIFO}.get(device["type"], stat.S_IFCHR)
        try:
            os.mknod(path, kind, number)
        except PermissionError:  # root of a user namespace can make none: show the host's there
            open(path, "w").close()
            mount(device["path"], path, None, MS_BIND)
            continue
        os.chmod(path, device.get("fileMode", 0o666))  # mknod's mode would lose what the umask forbids
        os.chown(path, device.get("uid", 0), device.get("gid", 0))
    links = {**_LINKS, "ptmx": "pts/ptmx"} if os.path.exists(inside(c.rootfs, "/dev/pts/ptmx")) else _LINKS
    for name, target in links.items():
        os.symlink(target, _vacant(os.path.join(inside(c.rootfs, "/dev"), name)))


def _vacant(path: str) -> str:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.unlink(path)
    return path


# user


def set_user(c: Container) -> None:
    """Set limits, groups, ids and umask of `process` (config.md, User); keep the capabilities (PR_SET_KEEPCAPS)."""
    for limit in c.process.get("rlimits", []):
        resource.setrlimit(getattr(resource, limit["type"]), (limit["soft"], limit["hard"]))
    if "oomScoreAdj" in c.process:
        _write("/proc/self/oom_score_adj", c.process["oomScoreAdj"])
    user = c.process.get("user", {})
    prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups(user.get("additionalGids", []))
    os.setgid(user.get("gid", 0))
    os.setuid(user.get("uid", 0))
    os.umask(user.get("umask", 0o022))


def set_capabilities(c: Container) -> None:
    """Set the five capability sets of `process.capabilities`, then `noNewPrivileges` (config.md; capabilities(7))."""
    wanted = {name: _mask(names) for name, names in c.process.get("capabilities", {}).items()}
    _, permitted, inheritable = capget()
    capset(permitted, permitted, inheritable)  # setuid has emptied the effective set
    for number in range(len(CAPABILITIES)):
        if not wanted.get("bounding", 0) >> number & 1:
            with contextlib.suppress(SyscallError):  # a number that this kernel does not know yet
                prctl(PR_CAPBSET_DROP, number)
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
    """Make the named pipe `c.fifo`, and open it by O_PATH as `c.fifo_fd`: later its name is out of reach (fifo(7))."""
    os.mkfifo(c.fifo, 0o622)
    c.fifo_fd = os.open(c.fifo, os.O_PATH | os.O_CLOEXEC)


def wait_for_start(c: Container) -> None:
    """Open the pipe for writing, as `c.gate`: that blocks until `start` opens the other end (fifo(7))."""
    c.gate = os.open(f"/proc/self/fd/{c.fifo_fd}", os.O_WRONLY | os.O_CLOEXEC)
    os.close(c.fifo_fd)


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


# cgroups

_CGROUPS = "/sys/fs/cgroup"
_CONTROLLERS = ("memory", "pids", "cpu", "cpuset", "freezer")


def make_cgroup(c: Container) -> None:
    """Make the container's cgroup, set its limits, and move `c.pid` into it (config-linux.md, Control groups).

    Append each directory to `c.cgroups`: one with v2, one for each controller with v1.
    """
    path = c.linux.get("cgroupsPath", c.id)
    if path.count(":") == 2:  # systemd's form, slice:prefix:name
        path = "{}/{}-{}.scope".format(*path.split(":"))
    is_v2 = os.path.exists(f"{_CGROUPS}/cgroup.controllers")
    for top in [_CGROUPS] if is_v2 else [f"{_CGROUPS}/{each}" for each in _CONTROLLERS]:
        directory = top
        for name in os.path.normpath("/" + path).strip("/").split("/") if os.path.isdir(top) else []:
            parent, directory = directory, os.path.join(directory, name)
            if is_v2:  # a controller is there only if the parent passes it on
                for controller in ("cpu", "memory", "pids"):
                    with contextlib.suppress(OSError):
                        _write(f"{parent}/cgroup.subtree_control", f"+{controller}")
            os.makedirs(directory, exist_ok=True)
            for file in ("cpuset.cpus", "cpuset.mems") if top.endswith("/cpuset") else []:
                with open(
                    f"{parent}/{file}", encoding="utf-8"
                ) as values:  # empty at first: nothing can be in it
                    _write(f"{directory}/{file}", values.read())
        if directory != top:
            c.cgroups.append(directory)
            for file, value in _limits(c, is_v2=is_v2).items():
                if is_v2 or file.partition(".")[0] == os.path.basename(top):
                    _write(f"{directory}/{file}", value)
            _write(f"{directory}/cgroup.procs", c.pid)


def _limits(c: Container, *, is_v2: bool) -> dict[str, object]:
    """Return what is to be written, by the file's name: v1 and v2 have other names and scales for the same limits."""
    resources = c.linux.get("resources", {})
    cpu, memory = resources.get("cpu", {}), resources.get("memory", {}).get("limit")
    pids, quota, shares = resources.get("pids", {}).get("limit"), cpu.get("quota"), cpu.get("shares")
    limits: dict[str, object] = {"pids.max": "max" if pids is not None and pids <= 0 else pids}
    if is_v2:
        limits["memory.max"] = "max" if memory == -1 else memory
        limits["cpu.weight"] = 1 + (shares - 2) * 9999 // 262142 if shares else None
        limits["cpu.max"] = f"{quota if quota > 0 else 'max'} {cpu.get('period', 100000)}" if quota else None
    else:
        limits |= {
            "memory.limit_in_bytes": memory,
            "cpu.shares": shares,
            "cpu.cfs_period_us": cpu.get("period"),
        }
        limits |= {"cpu.cfs_quota_us": quota, "cpuset.cpus": cpu.get("cpus"), "cpuset.mems": cpu.get("mems")}
    return {file: value for file, value in limits.items() if value not in (None, "")}


def _write(path: str, value: object) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(str(value))


def remove_cgroup(c: Container) -> None:
    """End what still runs in the directories of `c.cgroups`, and remove them (rmdir)."""
    for directory in filter(os.path.isdir, c.cgroups):
        with open(f"{directory}/cgroup.procs", encoding="utf-8") as file:
            for pid in file.read().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        for _ in range(500):  # EBUSY: a process leaves its cgroup a moment after its end
            with contextlib.suppress(OSError):
                os.rmdir(directory)
                break
            time.sleep(0.01)


# console


def open_console(c: Container) -> None:
    """If `process.terminal` is set, give the process a terminal, and send its master to `c.console` (pty(7))."""
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
