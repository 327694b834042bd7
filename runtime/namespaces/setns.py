"""The steps of `exec`: another process enters a container (setns(2), namespaces(7)).

It enters the namespaces, the cgroups and the root that the container's init process is in. The processes inside are not
trusted: once they can see the new one, it can't be traced (PR_SET_DUMPABLE) and has no descriptor of the host
(CVE-2016-9962, CVE-2024-21626).

Nothing needs to be journalled. Until the process is in the container's cgroup it ends with the runtime, and from then on
with the container: with its PID namespace, or with the processes of its cgroup.
"""

from __future__ import annotations

import errno
import os

from runtime.cgroups import hierarchies
from runtime.cgroups.lifecycle import clone_into_cgroup, open_cgroups, to_join
from runtime.kernel import process as kernel
from runtime.lifecycle import interrupts
from runtime.namespaces.clone import CLONE_FLAGS
from runtime.process import console
from runtime.process.descriptors import close_others
from runtime.process.foreground import forward_signals
from runtime.state import liveness
from runtime.state.sync import PeerGoneError
from runtime.support import signals
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.container import Container

STOPPED = "cannot exec in a stopped container"


def find_init(c: Container) -> None:
    """Open the container's init process: from here on no other process can be mistaken for it (pidfd_open(2))."""
    pidfd = liveness.open_pidfd(c.entry.record["init"])
    if pidfd is None:
        raise RuntError(STOPPED)
    c.entering.init_pidfd = pidfd
    # Without root the right to enter the PID namespace comes with the user namespace: too late for the first clone3.
    c.entering.clones_twice = os.geteuid() != 0 and c.has_own("pid")


def find_root(c: Container) -> None:
    """Without a mount namespace of its own: find the directory that is the container's root (proc(5), /proc/PID/root)."""
    init = c.entry.record["init"]
    if c.has_own("mount") or init is None:
        return
    c.entering.root_fd = os.open(f"/proc/{init['pid']}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    if not liveness.is_alive(init):
        # It may have been the root of a later process with the same pid.
        raise RuntError(STOPPED)


def find_cgroups(c: Container) -> None:
    """Open the container's cgroups, or those below them that the caller asks for, for the process to join them."""
    leaves, init = c.entry.record["cgroups"], c.entry.record["init"]
    try:
        if init is not None and not c.entering.sub_cgroups:
            leaves = to_join(leaves, init["pid"])
        open_cgroups(c, _chosen_cgroups(leaves, c.entering.sub_cgroups))
    except OSError as error:
        raise RuntError(f"error adding pid of exec to the container's cgroup: {describe(error)}") from None


def clone_process(c: Container) -> None:
    """Make the process, in the container's PID namespace.

    setns(2): the caller of setns does not enter a PID namespace, only its children do; hence before.
    """
    interrupts.hold()
    if c.has_own("pid") and not c.entering.clones_twice:
        kernel.set_dumpable(False)
        _enter(c, kernel.CLONE_NEWPID)
    try:
        pid = clone_into_cgroup(c, 0)
    except OSError as error:
        # In a PID namespace whose first process has ended, no more can be made (pid_namespaces(7)).
        raise RuntError(STOPPED if error.errno == errno.ENOMEM else describe(error)) from None
    if pid == 0:
        c.be_init(c)
    c.init_pid = pid
    c.sync.be_runtime()
    interrupts.release()


def stay_with_runtime(c: Container) -> None:
    """Make sure that the runtime was alive when its death was made to end this process (PR_SET_PDEATHSIG of prctl(2))."""
    c.sync.check_peer()


def close_host_descriptors(c: Container) -> None:
    """Close the descriptors of the host before the container can see this process: see `Container.kept_descriptors`."""
    close_others(c)


def enter_namespaces(c: Container) -> None:
    """Enter all of the container's namespaces at once, the user namespace among them, and its root (setns(2))."""
    kernel.set_dumpable(False)
    if not liveness.is_alive(c.entry.record["init"]):
        # Checked from inside the container's cgroup: if init ends after this, this process is found there and ends with it.
        raise RuntError(STOPPED)
    flags = 0
    for namespace in c.linux.get("namespaces", ()):
        flags |= CLONE_FLAGS[namespace["type"]]
    if flags:
        _enter(c, flags)
    os.close(c.entering.init_pidfd)
    if c.entering.root_fd is not None:
        os.fchdir(c.entering.root_fd)
        os.chroot(".")
        os.close(c.entering.root_fd)
    os.chdir("/")
    # Entering a user namespace changes the credentials, which resets it (prctl(2)).
    kernel.set_parent_death_signal(signals.SIGKILL)


def clone_again(c: Container) -> None:
    """Enter the PID namespace by a second clone, without root: only a child of the caller of setns(2) is in it."""
    if not c.entering.clones_twice:
        return
    pid = kernel.clone3(kernel.CLONE_PARENT)
    if pid != 0:
        c.sync.send("cloned", pid=pid)
        os._exit(0)
    kernel.set_parent_death_signal(signals.SIGKILL)
    c.sync.expect("known")
    c.sync.check_peer()


def wait_for_second_clone(c: Container) -> None:
    """Learn the pid of the process, if the first one has cloned it in the PID namespace."""
    if not c.entering.clones_twice:
        return
    pid = c.sync.expect("cloned")["pid"]
    os.waitpid(c.init_pid, 0)
    c.init_pid = pid
    c.sync.send("known")


def open_exec_terminal(c: Container) -> None:
    """Open a terminal of the container's devpts for the process, and hand its master out (config.md, `terminal`)."""
    if c.console_connection is None:
        return
    master, slave = console.open_console(c.process.get("consoleSize"))
    if not c.options.console_socket:
        console.keep_newlines(slave)
    console.send_master(c.console_connection, master)
    console.attach(slave, c.process["user"]["uid"])
    for fd in (master, slave, c.console_connection):
        os.close(fd)


def pass_signals_on(c: Container) -> None:
    """In the foreground: from here on pass signals on to the program, also those that come before it runs."""
    if not c.options.detach:
        c.entering.pidfd = os.pidfd_open(c.init_pid)
        forward_signals(c.entering.pidfd)


def wait_for_go_ahead(c: Container) -> None:
    """Wait until the runtime has no more to do for the process, which ends if the runtime ends before.

    The connection stays open until execve.
    """
    c.sync.expect("hand over")


def wait_until_executed(c: Container) -> None:
    """Wait until the process has executed the program: that closes its end of the connection."""
    try:
        c.sync.expect("executed")
    except PeerGoneError:
        pass


def _chosen_cgroups(leaves: list[str], chosen: dict[str, str]) -> list[str]:
    """Return `leaves` with the paths of `chosen` appended: one for a controller's hierarchy, or for all. Raises RuntError."""
    if not chosen:
        return leaves
    found = dict.fromkeys(leaves, chosen.get("", ""))
    mounted = hierarchies.mounted()
    for controller in filter(None, chosen):
        mountpoints = [m.mountpoint for m in mounted if controller in m.name.split(",")]
        matching = [leaf for leaf in leaves if any(leaf.startswith(f"{m}/") for m in mountpoints)]
        if not matching:
            raise RuntError(f"unknown controller {controller} in --cgroup")
        found[matching[0]] = chosen[controller]
    paths = []
    for leaf, path in found.items():
        joined = os.path.normpath(f"{leaf}/{path}")
        if joined != leaf and not joined.startswith(f"{leaf}/"):
            raise RuntError(f"bad sub cgroup path: {path}")
        paths.append(joined)
    return paths


def _enter(c: Container, flags: int) -> None:
    """Enter namespaces of the container's init process. Raises RuntError."""
    try:
        kernel.setns(c.entering.init_pidfd, flags)
    except ProcessLookupError:
        raise RuntError(STOPPED) from None
    except OSError as error:
        raise RuntError(f"cannot enter the container's namespaces: {describe(error)}") from None
