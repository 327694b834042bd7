"""Try in child processes what a container needs from the kernel; print each result as a line of JSON.

Run as a program of its own (`python -I -S trial.py SECONDS [NAME...]`), standard library only: unshare(2) and mount(2) change the
process that calls them, so each trial has a process of its own, and a mount namespace with private propagation if it mounts.
A trial that has not ended after SECONDS is killed.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import select
import signal
import struct
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# <sched.h>, by the names below /proc/PID/ns
NAMESPACES = {
    "mnt": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "time": 0x00000080,
}
# A new time or pid namespace is that of the next child, not of the caller (namespaces(7)); the pid namespace's link is
# dangling until there is a child.
LINKS = {"time": "time_for_children"}

MS_REC, MS_PRIVATE = 0x4000, 0x40000  # <sys/mount.h>
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2  # <linux/prctl.h>, <linux/seccomp.h>
ALLOW_EVERYTHING = struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)  # BPF_RET | BPF_K, SECCOMP_RET_ALLOW

# A folder that every machine has; only the child sees what is mounted on it.
PLACE = Path("/tmp")  # noqa: S108  (nothing is written into the real one)

libc = ctypes.CDLL(None, use_errno=True)
stage = ""


def call(name: str, *arguments: object) -> None:
    """Call a libc function that returns 0 on success; keep its name for the report."""
    global stage
    stage = name
    if getattr(libc, name)(*arguments) != 0:
        fail(ctypes.get_errno())


def write(path: str, text: str) -> None:
    """Write to a file of /proc; keep its name for the report."""
    global stage
    stage = path.rpartition("/")[2]
    Path(path).write_text(text, encoding="ascii")


def enter_user_namespace() -> None:
    """Become root of a new user namespace (user_namespaces(7)): one id, this user's, is 0 in it."""
    uid, gid = os.geteuid(), os.getegid()
    call("unshare", NAMESPACES["user"])
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"0 {uid} 1")
    write("/proc/self/gid_map", f"0 {gid} 1")


def try_pid_namespace() -> None:
    """Fork a child in a new pid namespace, and check that it is process 1 there."""
    call("unshare", NAMESPACES["pid"])
    wait_well(fork(lambda: None if os.getpid() == 1 else fail(errno.ENOSYS)))


def try_namespace(kind: str) -> None:
    """Enter a new namespace and check that it is a different one."""
    link = Path("/proc/self/ns", LINKS.get(kind, kind))
    before = link.readlink()
    if kind == "user":
        enter_user_namespace()
    else:
        call("unshare", NAMESPACES[kind])
    if link.readlink() == before:
        fail(errno.ENOSYS)


def mount(source: str, target: Path, fstype: str, data: str = "") -> None:
    """Mount without flags (mount(2))."""
    call("mount", source.encode(), os.fsencode(target), fstype.encode(), 0, data.encode())


def own_mounts() -> None:
    """Enter a mount namespace with private propagation."""
    call("unshare", NAMESPACES["mnt"])
    call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)


def try_tmpfs() -> None:
    """Mount a tmpfs."""
    own_mounts()
    mount("tmpfs", PLACE, "tmpfs")


def try_proc() -> None:
    """Mount a /proc for a new pid namespace; a container inside a container may not (mount_too_revealing)."""
    call("unshare", NAMESPACES["mnt"] | NAMESPACES["pid"])
    call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
    wait_well(fork(lambda: mount("proc", PLACE, "proc")))


def fail(number: int) -> None:
    """Raise the OSError of an errno."""
    raise OSError(number, os.strerror(number))


def fork(work: Callable[[], object]) -> int:
    """Fork a child that calls `work` and exits with the errno of its failure, 0 for none; return its pid."""
    pid = os.fork()
    if pid == 0:
        code = errno.EIO
        try:
            work()
            code = 0
        except OSError as error:
            code = error.errno or errno.EIO
        finally:
            os._exit(code)
    return pid


def wait_well(pid: int) -> None:
    """Wait for a child of `fork`, and raise its error."""
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        fail(status if status > 0 else errno.EINTR)


def try_overlay() -> None:
    """Mount an overlay with all layers on a tmpfs."""
    try_tmpfs()
    for name in ("lower", "upper", "work", "merged"):
        (PLACE / name).mkdir()
    layers = f"lowerdir={PLACE}/lower,upperdir={PLACE}/upper,workdir={PLACE}/work"
    mount("overlay", PLACE / "merged", "overlay", layers)


def try_pivot_root() -> None:
    """Change the root; not possible where / is the initial ramfs (pivot_root(2))."""
    try_tmpfs()
    os.chdir(PLACE)
    Path("old").mkdir()
    call("pivot_root", b".", b"old")


def try_seccomp() -> None:
    """Install a filter that allows everything (seccomp(2))."""
    code = ctypes.create_string_buffer(ALLOW_EVERYTHING, len(ALLOW_EVERYTHING))
    program = struct.pack("HxxxxxxP" if struct.calcsize("P") == 8 else "HxxP", 1, ctypes.addressof(code))
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    call("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(program), 0, 0)


def try_looking() -> None:
    """Read the system call of a process that is not a child of the reader (ptrace(2), Yama)."""
    global stage
    stage = "/proc/PID/syscall"
    reading, writing = os.pipe()
    ready, sleeping = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        os.write(sleeping, b".")
        os.read(reading, 1)  # until the parent has closed its end
        os._exit(0)
    os.close(reading)
    os.read(ready, 1)

    try:
        wait_well(fork(lambda: Path(f"/proc/{pid}/syscall").read_text(encoding="ascii")))
    finally:
        os.close(writing)
        os.waitpid(pid, 0)


TRIALS: dict[str, Callable[[], object]] = {
    **{kind: partial(try_namespace, kind) for kind in NAMESPACES},
    "pid": try_pid_namespace,
    "tmpfs": try_tmpfs,
    "proc": try_proc,
    "overlay": try_overlay,
    "pivot_root": try_pivot_root,
    "seccomp": try_seccomp,
    "looking": try_looking,
}
WITHOUT_USER_NAMESPACE = ("user", "seccomp", "looking")


def attempt(name: str, seconds: int, *, in_user_namespace: bool) -> dict[str, str]:
    """Run one trial in a child, for so many seconds at most; return its way, error and stage."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        os.setpgid(0, 0)
        answer = ["", ""]
        try:
            if in_user_namespace:
                enter_user_namespace()
            TRIALS[name]()
        except OSError as error:
            answer = [errno.errorcode.get(error.errno or 0, "EIO"), stage]
        except AttributeError:  # libc lacks the function
            answer = ["ENOSYS", stage]
        os.write(writing, " ".join(answer).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="ascii") as pipe:
        if not select.select([pipe], [], [], seconds)[0]:
            end_group(pid)
        text = pipe.read()
    os.waitpid(pid, 0)
    if not text:
        return {"way": "timeout", "error": "", "stage": ""}
    name, _, where = text.partition(" ")
    way = "failed" if name else "userns" if in_user_namespace else "direct"
    return {"way": way, "error": name, "stage": where}


def end_group(pid: int) -> None:
    """End a trial and the children that it has made."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:  # it has not come as far as to make its group
        os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Run the trials, each as this user, and again in a user namespace if it was not permitted."""
    seconds = int(sys.argv[1])
    for name in sys.argv[2:] or TRIALS:
        answer = attempt(name, seconds, in_user_namespace=False)
        if answer["way"] == "failed" and name not in WITHOUT_USER_NAMESPACE:
            again = attempt(name, seconds, in_user_namespace=True)
            answer = again if again["way"] == "userns" else answer | {"way": again["way"]}
        print(json.dumps([name, answer]), flush=True)


if __name__ == "__main__":
    main()
