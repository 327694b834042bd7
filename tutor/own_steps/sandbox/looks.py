"""Reads, as process 1 of a sandbox, what the kernel says of the container and of what stands for the host; nothing is judged here."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import struct
import termios
from typing import TYPE_CHECKING, Any

from tutor.lab import kernel
from tutor.own_steps.sandbox import limits
from tutor.own_steps.sandbox.places import CGROUP, STATE

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS = ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup")
_TEXTS = ("status", "stat", "mountinfo", "limits", "cgroup", "uid_map", "gid_map", "oom_score_adj")
_MOST_NAMES = 100  # of a directory


def others() -> list[int]:
    """Return every process of the sandbox but this one that lives, the oldest first."""
    return [pid for _start, pid, _parent in _living()]


def orphans() -> list[int]:
    """Return the children of this process that live, the oldest first: containers, whose runtime has ended."""
    own = os.getpid()
    return [pid for _start, pid, parent in _living() if parent == own]


def _living() -> list[tuple[int, int, int]]:
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208  (starts fast)
        if name.isdecimal() and int(name) != os.getpid():
            fields = limits.read(f"/proc/{name}/stat").rpartition(") ")[2].split()
            if len(fields) > 19 and fields[0] not in "ZX":
                found.append((int(fields[19]), int(name), int(fields[1])))
    return sorted(found)


def host(namespace: int) -> dict[str, Any]:
    """Return what has become of that which stands for the host: its mounts, host name, cgroups and the runtime's state root."""
    return {
        "host_mounts": _joined(_mountinfo, namespace),
        "host_name": os.uname().nodename,
        "cgroups": _cgroup_tree(),
        "state": _names(STATE),
    }


def process(pid: int, host_namespace: int, paths: list[str]) -> dict[str, Any]:
    """Return what /proc says of a process, and what is at some paths below its root; what can't be read is empty."""
    base = f"/proc/{pid}"
    record: dict[str, Any] = {name: limits.read(f"{base}/{name}") for name in _TEXTS}
    for name in ("environ", "cmdline"):
        record[name] = limits.read(f"{base}/{name}").split("\0")[:-1]
    for name in ("exe", "cwd", "root"):
        record[name] = _link(f"{base}/{name}")
    own = {kind: _link(f"/proc/self/ns/{kind}") for kind in _KINDS}
    own["mnt"] = _namespace_of(host_namespace)
    record["namespaces"] = {
        kind: "shared" if _link(f"{base}/ns/{kind}") == own[kind] else "own" for kind in _KINDS
    }
    record["namespace_links"] = {kind: [_link(f"{base}/ns/{kind}"), own[kind]] for kind in _KINDS}
    record["descriptors"] = _descriptors(f"{base}/fd")
    record["window"] = _window(f"{base}/fd/0")
    record["host_name"] = _uts(base)
    try:
        mounts = os.open(f"{base}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return record
    record["namespace_mounts"] = _joined(_mountinfo, mounts)
    os.close(mounts)
    record["paths"] = listing(f"{base}/root", paths)
    record["limits_set"] = {
        controllers: {
            name: value for name in _LIMITS if (value := limits.read(f"{CGROUP}/{place}/{name}").strip())
        }
        for controllers, place in _cgroups(record["cgroup"])
    }
    return record


_LIMITS = (
    *("pids.max", "memory.max", "memory.limit_in_bytes", "cpu.weight", "cpu.shares", "cpu.max"),
    *("cpu.cfs_quota_us", "cpu.cfs_period_us", "cpuset.cpus"),
)


def listing(base: str, paths: list[str]) -> dict[str, Any]:
    """Return what is at each path below a directory: type, mode, owner, numbers, target, names, flags of its mount; links are not followed."""
    return {path: _entry(f"{base}/{path.lstrip('/')}") for path in paths}


def _entry(path: str) -> dict[str, Any]:
    try:
        status = os.lstat(path)
    except OSError as error:
        return {"kind": "nothing", "errno": error.errno}
    found: dict[str, Any] = {
        "kind": _kind(status.st_mode),
        "mode": f"{stat.S_IMODE(status.st_mode):04o}",
        "owner": f"{status.st_uid}:{status.st_gid}",
    }
    if found["kind"] in ("char", "block"):
        found["numbers"] = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    if found["kind"] == "link":
        found["target"] = _link(path)
        return found
    if found["kind"] == "dir":
        found["names"] = _names(path)
    if found["kind"] == "file":
        found["text"] = limits.read(path)[:4000]
    found["read_only"] = bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    return found


def _kind(mode: int) -> str:
    tests = {
        "dir": stat.S_ISDIR,
        "file": stat.S_ISREG,
        "link": stat.S_ISLNK,
        "char": stat.S_ISCHR,
        "block": stat.S_ISBLK,
        "fifo": stat.S_ISFIFO,
        "socket": stat.S_ISSOCK,
    }
    return next((name for name, test in tests.items() if test(mode)), "?")


def _names(path: str) -> list[str]:
    try:
        return sorted(os.listdir(path))[:_MOST_NAMES]  # noqa: PTH208
    except OSError:
        return []


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115
    except OSError:
        return ""


def _namespace_of(descriptor: int) -> str:
    return f"mnt:[{os.fstat(descriptor).st_ino}]"


def _descriptors(folder: str) -> dict[str, str]:
    return {name: _link(f"{folder}/{name}") for name in _names(folder)}


def _window(path: str) -> list[int]:
    try:
        terminal = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        return list(struct.unpack("HHHH", fcntl.ioctl(terminal, termios.TIOCGWINSZ, b"\0" * 8))[:2])
    except OSError:
        return []
    finally:
        os.close(terminal)


def _uts(base: str) -> list[str]:
    try:
        namespace = os.open(f"{base}/ns/uts", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return []
    found: list[str] = json.loads(
        _joined(lambda: json.dumps([os.uname().nodename, _domain_name()]), namespace) or "[]"
    )
    os.close(namespace)
    return found


def _domain_name() -> str:
    return limits.read("/proc/sys/kernel/domainname").strip()


def _mountinfo(directory: int = -1) -> str:
    return _read_at(directory, "mountinfo") if directory >= 0 else limits.read("/proc/self/mountinfo")


def _read_at(directory: int, name: str) -> str:
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        return file.read()


def _joined(read: Callable[..., str], namespace: int) -> str:
    """Return what `read` returns in a child process that has joined a namespace; empty if it fails."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            # Below another root there may be no /proc.
            own = os.open("/proc/self/", os.O_PATH | os.O_DIRECTORY)
            kernel.join_namespace(namespace)
            text = read(own) if read is _mountinfo else read()
            with os.fdopen(writing, "wb") as file:
                file.write(text.encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        data = file.read()
    os.waitpid(child, 0)
    return data.decode()


def _cgroups(text: str) -> list[tuple[str, str]]:
    """Return the directory below the mount of each of a process's cgroups, by controllers (`` in v2)."""
    found = []
    unified = os.path.exists(f"{CGROUP}/cgroup.controllers")  # noqa: PTH110
    for line in text.splitlines():
        _number, controllers, path = line.split(":", 2)
        if unified == (controllers == ""):
            folder = controllers.removeprefix("name=")
            found.append((controllers, path if unified else f"{folder}{path}"))
    return found


def _cgroup_tree() -> list[str]:
    """Return the directories of cgroups, relative to the root of the view; without that of the runtimes."""
    found = []
    for folder, _folders, _files in os.walk(CGROUP):
        relative = os.path.relpath(folder, CGROUP)
        if relative != "." and os.path.basename(folder) != "runtime":  # noqa: PTH119
            found.append(relative)
    return sorted(found)[:_MOST_NAMES]
