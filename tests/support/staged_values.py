"""Answers of a kernel and a runtime for the pictures of the TUI, as a real `runt` in a real lab gave them on Debian 12, cgroup v2."""

from __future__ import annotations

import shlex
from dataclasses import replace

from tests.support.tui import HOST, mount
from tutor.observe import (
    CgroupFile,
    ContainerView,
    HostView,
    IdRange,
    Mount,
    Namespace,
    NamespaceView,
    Process,
    Snapshot,
    Wait,
)

LABS = "/root/labs"
PID = 29017
PYTHON = ("/usr/bin/python3.11", "-I", "-S", "-X", "runt-protected", "-c", "import gc, sys…")
"""The command line with which the launcher of `runt` calls its interpreter; the arguments follow."""
GENERATED = """\
{
  "ociVersion": "1.0.0",
  "process": {
    "terminal": true,
    "user": {
      "uid": 0,
      "gid": 0
    },
    "args": [
      "/bin/sh"
    ],
    "env": [
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    ],
    "cwd": "/"
  },
  "root": {
    "path": "rootfs"
  },
  "linux": {}
}
"""
ECHO = (
    GENERATED.replace("true", "false")
    .replace('"/bin/sh"', '"echo",\n      "alpine"')
    .replace(
        '"linux": {}\n',
        '"linux": {},\n  "mounts": [\n    {\n      "destination": "/proc",\n      "type": "proc",\n'
        '      "source": "proc"\n    }\n  ]\n',
    )
)
STATE = """\
{{
  "ociVersion": "1.3.0",
  "id": "alpine-test",
  "pid": {pid},
  "status": "created",
  "bundle": "{bundle}",
  "rootfs": "{bundle}/rootfs",
  "created": "2026-04-01T09:30:00.000000000Z",
  "owner": "root"
}}"""
LISTED = """\
ID            PID         STATUS      BUNDLE{blank}   CREATED                          OWNER
alpine-test   {pid}       created     {bundle}   2026-04-01T09:30:00.000000000Z   root
"""

ROOT = mount(700, 1, "/", "ext4", "/dev/vda1", "rw", "relatime")
PROC = mount(701, 700, "/proc", "proc", "proc", "rw", "relatime")
DEV = mount(702, 700, "/dev", "tmpfs", "tmpfs", "rw", "nosuid", "noexec")
_PTS = mount(703, 702, "/dev/pts", "devpts", "devpts", "rw", "nosuid", "noexec", "relatime")
_SHM = mount(704, 702, "/dev/shm", "tmpfs", "shm", "rw", "nosuid", "nodev", "noexec")
_SYS = mount(705, 700, "/sys", "sysfs", "sysfs", "ro", "nosuid", "nodev", "noexec")
MOUNTS_BEFORE = (ROOT, PROC, DEV, _PTS, _SHM, _SYS)
MOUNTS_AFTER = (
    replace(ROOT, options=("ro", "relatime")),
    PROC,
    DEV,
    _PTS,
    mount(706, 700, "/tmp", "tmpfs", "tmpfs", "rw", "nosuid", "nodev", "size=65536k"),
    mount(707, 700, "/data", "ext4", "/dev/vda1", "ro", "nosuid", "nodev", "relatime"),
    mount(708, 700, "/etc/resolv.conf", "ext4", "/dev/vda1", "rw", "relatime"),
    _SYS,
)
_CGROUP = mount(30, 1, "/sys/fs/cgroup", "cgroup2", "cgroup2", "rw", "nosuid", "nodev", "noexec", "relatime")
HOST_VIEW = HostView(1, tuple(Namespace(kind, inode) for kind, inode in HOST.items()), (_CGROUP,))  # type: ignore[arg-type]  # the keys are kinds

WAITS_FOR_START = Wait(
    PID,
    "openat",
    257,
    ("AT_FDCWD", '"exec.fifo"', "O_WRONLY"),
    'openat("exec.fifo", O_WRONLY)',
    "/run/runt/alpine-test/exec.fifo",
    None,
    "wait_for_partner",
    "observe.wait.openat_exec_fifo",
)
CREATED = Process(
    PID, PID, 1, "S", "runt", (*PYTHON, "create", "alpine-test"), PYTHON[0], 1, 0, WAITS_FOR_START
)


def process(
    pid: int, ns_pid: int, words: str, wait: tuple[str, str] | None = None, state: str = "S", depth: int = 0
) -> Process:
    """Return a process; `wait` is the summary of the system call, and the catalogue's key of its explanation."""
    command = tuple(shlex.split(words))
    waits = wait and Wait(
        pid, wait[0].partition("(")[0], 0, (), wait[0], None, None, "", f"observe.wait.{wait[1]}"
    )
    return Process(pid, ns_pid, 1, state, command[0], command, f"/bin/{command[0]}", 1, depth, waits)


def cgroup_files(oom_kills: int | None) -> tuple[CgroupFile, ...]:
    """Return the files of a cgroup of version 2 with a limit of memory; none if `oom_kills` is None."""
    if oom_kills is None:
        return ()
    said = {
        "memory.max": "33554432", "memory.swap.max": "0", "memory.current": "331776",
        "memory.events oom_kill": str(oom_kills), "pids.max": "max", "pids.current": "1", "pids.events max": "0",
        "cpu.max": "max 100000", "cpu.stat nr_throttled": "0", "cgroup.freeze": "0",
    }  # fmt: skip
    place = "/sys/fs/cgroup/oci-tutor-5b2c1f0e9a7d/keeper/alpine-test"
    parted = ((*name.partition(" "), value) for name, value in said.items())
    return tuple(CgroupFile(2, place, name, key, value) for name, _, key, value in parted)


def seen(
    *processes: Process,
    own: tuple[str, ...] = (),
    mounts: tuple[Mount, ...] = (ROOT, PROC),
    uids: IdRange | None = None,
    oom_kills: int | None = None,
) -> Snapshot:
    """Return what the kernel shows about a container; `own` names its own namespaces, the others are the host's.

    `oom_kills`: how often the limit of its cgroup has killed; None: it has no cgroup of its own.
    """
    namespaces = tuple(
        NamespaceView(kind, 4026532201 + at if kind in own else inode, inode, shared=kind not in own)  # type: ignore[arg-type]  # the keys are kinds
        for at, (kind, inode) in enumerate(HOST.items())
    )
    maps = (uids,) if uids is not None else ()
    view = ContainerView(
        PID, alive=True, namespaces=namespaces, mounts=mounts, processes=processes or (CREATED,),
        uid_map=maps, gid_map=maps, root="/", cwd="/", cgroup_files=cgroup_files(oom_kills),
    )  # fmt: skip
    return Snapshot(0.0, HOST_VIEW, view)


UIDS = IdRange(0, 100000, 65536)
NOTHING = Snapshot(0.0, HOST_VIEW, None)
ENDED = Snapshot(0.0, HOST_VIEW, ContainerView(PID, alive=False))
