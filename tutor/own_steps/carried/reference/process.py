"""What the program gets before it runs: exercises `user`, `fifo` and `console`."""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import resource
import socket
import termios

from tutor.own_steps.carried.container import Container, ContainerError
from tutor.own_steps.carried.reference.cgroups import write_file
from tutor.own_steps.carried.reference.filesystem import make_target
from tutor.own_steps.carried.syscalls import (
    CAPABILITIES,
    MS_BIND,
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAP_AMBIENT_RAISE,
    PR_CAPBSET_DROP,
    PR_SET_KEEPCAPS,
    PR_SET_NO_NEW_PRIVS,
    SyscallError,
    capget,
    capset,
    mount,
    prctl,
)

# user


def set_user(c: Container) -> None:
    """Set limits, groups, ids and umask of `process` (config.md, User); keep the capabilities (PR_SET_KEEPCAPS)."""
    for limit in c.process.get("rlimits", []):
        resource.setrlimit(getattr(resource, limit["type"]), (limit["soft"], limit["hard"]))
    if "oomScoreAdj" in c.process:
        write_file("/proc/self/oom_score_adj", c.process["oomScoreAdj"])
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
    make_target("/dev/console", directory=False)
    mount(os.ttyname(slave), "/dev/console", None, MS_BIND)
    for descriptor in (0, 1, 2):
        os.dup2(slave, descriptor)
    os.close(slave)
    os.fchown(0, c.process.get("user", {}).get("uid", 0), -1)
