"""Namespaces: the container's own, those that it joins, and the user IDs in them (config-linux.md, Namespaces)."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from runtime.cgroups.lifecycle import clone_into_cgroup
from runtime.id_mappings import write_mappings
from runtime.kernel import process as kernel
from runtime.kernel import procfs
from runtime.lifecycle import interrupts
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.container import Container

CLONE_FLAGS = {
    "user": kernel.CLONE_NEWUSER,
    "mount": kernel.CLONE_NEWNS,
    "pid": kernel.CLONE_NEWPID,
    "network": kernel.CLONE_NEWNET,
    "ipc": kernel.CLONE_NEWIPC,
    "uts": kernel.CLONE_NEWUTS,
    "cgroup": kernel.CLONE_NEWCGROUP,
    "time": kernel.CLONE_NEWTIME,
}
"""Each type's flag for clone(2); the order is the one in which the kernel makes them: the user namespace owns the rest."""

_MADE_LATER = ("cgroup", "time")
"""Made after clone3: the first once init has joined its cgroup, the second because its clocks are set before it is entered."""

_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1


def open_namespaces(c: Container) -> None:
    """Open the namespaces to join and check their types.

    config-linux.md, Namespaces: "The runtime MUST generate an error if `path` is not associated with a namespace of
    type `type`."
    """
    for namespace in c.linux.get("namespaces", ()):
        if "path" not in namespace:
            continue
        kind, path = namespace["type"], namespace["path"]
        try:
            # Not blocking: the open of a named pipe would wait for a writer.
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise RuntError(f"cannot join the {kind} namespace: {describe(error)}") from None
        try:
            found = fcntl.ioctl(fd, kernel.NS_GET_NSTYPE)
        except OSError:
            raise RuntError(f"cannot join the {kind} namespace: {path} is not a namespace") from None
        if found != CLONE_FLAGS[kind]:
            names = [name for name, flag in CLONE_FLAGS.items() if flag == found]
            raise RuntError(
                f"cannot join the {kind} namespace: {path} is a namespace of type {''.join(names)}"
            )
        c.joined[kind] = fd


def clone_init(c: Container) -> None:
    """Make the init process, in its new namespaces.

    config-linux.md, Namespaces: "If `path` is not specified, the runtime MUST create a new container namespace of type
    `type`." Init is a child of the runtime, and number 1 in a new PID namespace.
    """
    flags = 0
    for kind, flag in CLONE_FLAGS.items():
        if c.has_new(kind) and kind not in _MADE_LATER:
            flags |= flag
    if c.joined or os.geteuid() == 0:
        # Processes in a namespace can't look into one that enters it: see `protection`. Not as another user than root, where
        # it does not matter: with it the process's own files in /proc belong to root (proc(5)).
        kernel.set_dumpable(False)
    # An interrupt must not be raised in the child before it runs its own code.
    interrupts.hold()
    if c.joined:
        c.init_pid = _clone_in_joined_namespaces(c, flags)
    else:
        try:
            pid = clone_into_cgroup(c, flags)
        except PermissionError as error:
            reason = describe(error)
            if os.geteuid() != 0 and not c.has_own("user"):
                reason += ': a user other than root also needs a new namespace of type "user"'
            raise RuntError(f"cannot make the namespaces: {reason}") from None
        if pid == 0:
            c.be_init(c)
        c.init_pid = pid
    c.sync.be_runtime()
    interrupts.release()


def _clone_in_joined_namespaces(c: Container, flags: int) -> int:
    """Join namespaces in a middle process, which clones init as a child of the runtime; return its pid.

    A PID namespace is entered by children only, and a process can't leave a user namespace again: hence the middle process.
    All others are joined before the user namespace, while the process still has the privileges.
    """
    answer, question = os.pipe2(os.O_CLOEXEC)
    middle = os.fork()
    if middle == 0:
        try:
            for kind in sorted(c.joined, key=lambda kind: kind == "user"):
                _join(c, kind)
            pid = kernel.clone3(flags | kernel.CLONE_PARENT)
            if pid == 0:
                os.close(question)
                c.be_init(c)
            os.write(question, b"%d" % pid)
        except RuntError as error:
            os.write(question, error.message.encode())
        except OSError as error:
            os.write(question, f"cannot make the namespaces: {describe(error)}".encode())
        finally:
            os._exit(0)
    os.close(question)
    text = os.read(answer, 4096).decode()
    os.close(answer)
    os.waitpid(middle, 0)
    if not text.isdigit():
        raise RuntError(text or "the process that joins the namespaces has died")
    return int(text)


def _join(c: Container, kind: str) -> None:
    """Enter a namespace that has been opened. Raises RuntError."""
    try:
        kernel.setns(c.joined[kind], CLONE_FLAGS[kind])
    except OSError as error:
        reason = describe(error)
        if kind == "user" and error.errno == errno.EINVAL:
            reason += ": it may be the one that runt is in already (setns(2))"
        raise RuntError(f"cannot join the {kind} namespace: {reason}") from None


def map_user_ids(c: Container) -> None:
    """Write the ID mappings of a new user namespace.

    config-linux.md, User namespace mappings; user_namespaces(7): written once, from outside, before init goes on.
    """
    if not c.has_new("user"):
        return
    write_mappings(c.init_pid, c.linux["uidMappings"], c.linux["gidMappings"])


def become_root_of_user_namespace(c: Container) -> None:
    """Become user and group 0 of the container's user namespace, so that what init makes belongs to its root.

    user_namespaces(7): until then init is a user without an ID in its own namespace.
    """
    if not c.has_own("user"):
        return
    was_dumpable = kernel.is_dumpable()
    try:
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
    except OSError as error:
        raise RuntError(
            f"cannot become root in the user namespace: {describe(error)}: is ID 0 mapped?"
        ) from None
    try:
        if not c.keeps_groups:
            os.setgroups([])
    except PermissionError:
        # A user namespace of an unprivileged user may forbid it: /proc/PID/setgroups says "deny".
        pass
    if was_dumpable:
        # Else the caller, who is not root, would not find it in a /proc that hides processes (proc(5), hidepid).
        kernel.set_dumpable(True)


def unshare_cgroup_namespace(c: Container) -> None:
    """Enter a new cgroup namespace, whose root is the cgroup that init has just joined (cgroup_namespaces(7))."""
    if c.has_new("cgroup"):
        kernel.unshare(kernel.CLONE_NEWCGROUP)


def enter_time_namespace(c: Container) -> None:
    """Make a new time namespace, set its clocks, and enter it.

    config-linux.md, Offset for Time Namespace; time_namespaces(7): the offsets are writable only while no process is in it.
    Done while init still is the user that owns its files in /proc, before it becomes root of its user namespace.
    """
    if not c.has_new("time"):
        return
    kernel.unshare(kernel.CLONE_NEWTIME)
    offsets = c.linux.get("timeOffsets", {})
    lines = [f"{clock} {o.get('secs', 0)} {o.get('nanosecs', 0)}\n" for clock, o in offsets.items()]
    if lines:
        procfs.write_own("timens_offsets", "".join(lines))
    fd = os.open("/proc/self/ns/time_for_children", os.O_RDONLY | os.O_CLOEXEC)
    kernel.setns(fd, kernel.CLONE_NEWTIME)
    os.close(fd)


def bring_loopback_up(c: Container) -> None:
    """Switch the loopback interface of a new network namespace on: it is down at first (network_namespaces(7), netdevice(7))."""
    if not c.has_new("network"):
        return
    control = kernel.socket()
    request = struct.pack("16sh22x", b"lo", 0)
    (flags,) = struct.unpack_from("h", fcntl.ioctl(control, _SIOCGIFFLAGS, request), 16)
    fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | _IFF_UP))
    os.close(control)


def move_net_devices(c: Container) -> None:
    """Move the network devices that the container gets from the host (config-linux.md, Network Devices).

    After all other changes to the host, right before the hooks: a virtual device is lost when the creation fails later.
    """
    devices = c.linux.get("netDevices")
    if devices:
        from runtime.namespaces import net_devices

        net_devices.move(devices, c.init_pid)
