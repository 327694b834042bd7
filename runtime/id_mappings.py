"""The mappings of user and group IDs of a user namespace (config-linux.md, User namespace mappings).

user_namespaces(7): root may map any ID. Other users may map their own, alone, and for the ranges that the administrator gave
them in /etc/subuid and /etc/subgid there are two set-user-ID programs, newuidmap(1) and newgidmap(1).
"""

from __future__ import annotations

import os

from runtime.kernel import process as kernel
from runtime.lifecycle import interrupts
from runtime.support import files, signals
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import IdMapping


def write_mappings(pid: int, uid_mappings: list[IdMapping], gid_mappings: list[IdMapping]) -> None:
    """Map the IDs of the new user namespace of process `pid`. Raises RuntError."""
    if os.geteuid() != 0 and _is_only(os.getegid(), gid_mappings):
        # A process that left a group here could read what the host forbids to that group: hence the kernel's condition for
        # letting an unprivileged user map its own group.
        _write_once(pid, "setgroups", "deny")
    _map(pid, "uid_map", "newuidmap", uid_mappings)
    _map(pid, "gid_map", "newgidmap", gid_mappings)


def user_namespace(uid_mappings: list[IdMapping], gid_mappings: list[IdMapping]) -> int:
    """Return the descriptor of a new user namespace that is there for its mappings only. Raises OSError, RuntError."""
    gate, end = os.pipe2(os.O_CLOEXEC)
    interrupts.hold()
    pid = kernel.clone3(kernel.CLONE_NEWUSER)
    if pid == 0:
        os.close(end)
        # A process has to live in it until it is open: until the parent closes its end, or dies.
        os.read(gate, 1)
        os._exit(0)
    os.close(gate)
    interrupts.release()
    try:
        write_mappings(pid, uid_mappings, gid_mappings)
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(end)
        os.waitpid(pid, 0)


def _is_only(number: int, mappings: list[IdMapping]) -> bool:
    """Tell whether `number` is all that is mapped."""
    return len(mappings) == 1 and mappings[0]["hostID"] == number and mappings[0]["size"] == 1


def _map(pid: int, name: str, tool: str, mappings: list[IdMapping]) -> None:
    """Map users or groups: directly, or by the set-user-ID program where that is not allowed. Raises RuntError."""
    numbers = [(str(m["containerID"]), str(m["hostID"]), str(m["size"])) for m in mappings]
    try:
        _write_once(pid, name, "".join(f"{' '.join(line)}\n" for line in numbers))
    except PermissionError as error:
        if os.geteuid() == 0:
            raise RuntError(f"cannot write {name} of the user namespace: {describe(error)}") from None
        _call_tool(tool, [str(pid), *(number for line in numbers for number in line)])
    except OSError as error:
        raise RuntError(f"cannot write {name} of the user namespace: {describe(error)}") from None


def _write_once(pid: int, name: str, text: str) -> None:
    """Write a file of a new user namespace, which the kernel takes in a single write only."""
    fd = os.open(f"/proc/{pid}/{name}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _call_tool(name: str, arguments: list[str]) -> None:
    """Map by newuidmap(1) or newgidmap(1). Raises RuntError with what it prints."""
    path = files.find_program(name, "/usr/bin")
    if path is None:
        raise RuntError(
            f"cannot map the IDs of the user namespace: operation not permitted: user {os.geteuid()} may map only "
            f"user {os.geteuid()} and group {os.getegid()}, size 1; other IDs need {name}, which is not installed"
        )
    answer, output = os.pipe2(os.O_CLOEXEC)
    streams = [(os.POSIX_SPAWN_DUP2, output, stream) for stream in (1, 2)]
    child = os.posix_spawn(
        path,
        [path, *arguments],
        os.environ,
        file_actions=streams,
        # Python ignores it, and what is ignored stays so across exec.
        setsigdef=[signals.SIGPIPE],
    )
    os.close(output)
    with open(answer, encoding="utf-8", errors="replace") as file:
        said = " ".join(file.read().split())
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        raise RuntError(
            f"cannot map the IDs of the user namespace: {said or name + ' failed'}: "
            f"/etc/sub{name[3:6]} lists the other IDs that user {os.geteuid()} may map"
        )
