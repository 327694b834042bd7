"""The container's cgroups: made, joined, listed and removed (config-linux.md, Control groups).

They hold the container's processes together, so that all of them can be found and killed also where they have no PID
namespace of their own, and they carry its limits (`limits`, `devices`).
"""

from __future__ import annotations

import errno
import os
import time

from runtime.cgroups import hierarchies
from runtime.cgroups.membership import processes
from runtime.support import signals
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from runtime.state.container import Container

_GONE = (errno.ENOENT, errno.ENODEV)
"""The errors for a directory that does not exist, and for a file in one that has just been removed."""

_TRIES = 1000
"""How often a directory is made again that other processes remove."""

_GRACE = 1.0
"""How many seconds the cgroups that are to be removed may still have members before these count as another container's."""

_BUSY = 1.0
"""How many seconds a cgroup without members may be busy."""


def make_cgroup(c: Container) -> None:
    """Make the container's cgroup in every hierarchy, after recording its directories.

    config-linux.md, Cgroups Path: an absolute path is relative to the root of each hierarchy, a relative one to the
    caller's own cgroup; with v2 to the one above that, because a cgroup with processes can't have limits for others below
    it. Without a path it has the container's name, or a similar one if that is taken; where the caller may not
    make one, the container stays in the caller's. With `--systemd-cgroup` systemd makes it.
    """
    wanted = c.linux.get("cgroupsPath")
    if c.options.systemd_cgroup:
        from runtime.cgroups.systemd import make_scope

        leaves = make_scope(c)
    elif wanted is not None:
        leaves = _leaves(wanted)
        for leaf in leaves:
            if processes([leaf]):
                raise RuntError(f"container's cgroup is not empty: {leaf} has processes")
        _make(c, leaves)
    else:
        name = c.entry.record["id"]
        leaves = [leaf for leaf in _leaves(name) if os.access(os.path.dirname(leaf), os.W_OK)]
        if any(map(os.path.lexists, leaves)) or not _make(c, leaves, exclusively=True):
            suffix = os.urandom(4).hex()
            leaves = [f"{leaf}-{suffix}" for leaf in leaves]
            _make(c, leaves)
    if leaves and hierarchies.is_version2():
        # A process is cloned into it before the next change of the record.
        c.entry.save(cgroups=leaves)
        hierarchies.enable_controllers(leaves[0])
    else:
        # Written with the next change of the record: at the latest with that of init, which joins later.
        c.entry.record["cgroups"] = leaves
    open_cgroups(c, leaves)
    c.cgroup.directories = directories(leaves)
    c.cgroup.shown = _shown(c)


def open_cgroups(c: Container, leaves: list[str]) -> None:
    """Open what a process needs to join the cgroups `leaves`, which it may not be able to see later."""
    if c.entry.record.get("users_systemd") and not hierarchies.may_move_into(leaves[0]):
        c.cgroup.to_move_into = leaves[0]
        return
    c.cgroup.files = [hierarchies.open_for_joining(leaf) for leaf in leaves]
    version2 = hierarchies.version2_leaf(leaves)
    if version2:
        c.cgroup.clone_into = os.open(version2, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def to_join(leaves: list[str], init_pid: int) -> list[str]:
    """Return the cgroups that another process of the container can join: with v2 that of init, once the container is divided.

    Docker in Docker and systemd divide it. admin-guide/cgroup-v2, No Internal Process Constraint: a cgroup that gives
    controllers to those below it can't have processes itself. Raises OSError if init has ended.
    """
    own = hierarchies.version2_leaf(leaves)
    if own:
        with open(f"{own}/cgroup.subtree_control", encoding="utf-8") as file:
            is_divided = bool(file.read().strip())
        directory = hierarchies.directory_of(init_pid) if is_divided else ""
        if directory.startswith(f"{own}/"):
            return [directory if leaf == own else leaf for leaf in leaves]
    return leaves


def clone_into_cgroup(c: Container, flags: int) -> int:
    """Call clone3(2): return the pid of the new process, and 0 in it, which with v2 is in its cgroup from the beginning.

    Joining it later takes the kernel ten milliseconds more.
    """
    # Here, because `delete` loads this module too and does not need it.
    from runtime.kernel import process as kernel

    if c.cgroup.clone_into is not None:
        try:
            pid = kernel.clone3(flags, c.cgroup.clone_into)
        except OSError:
            # Such as a limit of 0 tasks, which does not hold for a process that joins: clone and join.
            pass
        else:
            c.cgroup.close_version2()
            return pid
    return kernel.clone3(flags)


def end_placeholder(c: Container) -> None:
    """End the process that has kept the container's scope for init, which is in it now (`systemd`)."""
    if c.cgroup.placeholder is not None:
        # It is a child that has not been waited for: its pid can't be reused.
        os.kill(c.cgroup.placeholder, signals.SIGKILL)
        os.waitpid(c.cgroup.placeholder, 0)
        c.cgroup.placeholder = None


def move_by_systemd(c: Container) -> None:
    """Have systemd move the new process into the container's cgroup, where the user may not do that."""
    if c.cgroup.to_move_into is not None:
        from runtime.cgroups.systemd import move_process

        move_process(c.entry, c.cgroup.to_move_into, c.init_pid)
        c.sync.send("moved")


def join_cgroup(c: Container) -> None:
    """Put the init process, which is this one, into the container's cgroups (cgroups(7)).

    Done by init itself, thread by thread with cgroup v1: for another process the kernel waits much longer. The files
    were opened by the runtime, because init may not be able to see them.
    """
    if c.cgroup.to_move_into is not None:
        c.sync.expect("moved")
    for fd in c.cgroup.files:
        os.write(fd, b"0")
        os.close(fd)
    c.cgroup.files.clear()


def remove(paths: Iterable[str]) -> None:
    """Remove the cgroup directories `paths`, the deepest first, and empty ones that the container made below them.

    A directory that is removed already, or is used by others, is skipped. Of the directories above a container's own, those
    below them are not removed: other containers may have just made them. Raises RuntError for a directory that stays.
    """
    began = time.monotonic()
    below: set[str] = set()
    for path in sorted(set(paths), key=lambda path: path.count("/"), reverse=True):
        is_above = path in below
        below.add(os.path.dirname(path))
        try:
            os.rmdir(path)
        except FileNotFoundError:
            continue
        except OSError:
            if not is_above:
                _remove_tree(path, began)


def _remove_tree(path: str, began: float) -> None:
    """Remove a container's cgroup and those that it made below it."""
    for directory, _, _ in os.walk(path, topdown=False):
        _remove_directory(directory, path, began)


def directories(leaves: list[str]) -> dict[str, str]:
    """Return the container's directory in each hierarchy that it is shown, by the hierarchy's name.

    It is its own cgroup or the caller's.
    """
    found = {}
    for hierarchy in hierarchies.mounted():
        if hierarchy.name == hierarchies.UNIFIED:
            continue
        found[hierarchy.name] = hierarchy.mountpoint + hierarchy.own
        for leaf in leaves:
            if leaf.startswith(f"{hierarchy.mountpoint}/"):
                found[hierarchy.name] = leaf
    return found


def _shown(c: Container) -> dict[str, str]:
    """Return the directory from which down the container is shown each hierarchy, by the hierarchy's name.

    cgroup_namespaces(7): with v2 it is the root of the cgroup namespace, and without one of its own that is the runtime's. With
    v1 it is the container's own cgroup. Both as with runc.
    """
    if hierarchies.is_version2() and not c.has_new("cgroup") and not c.joins_cgroup_namespace():
        return {"": hierarchies.mounted()[0].mountpoint}
    return c.cgroup.directories


def existing(path: str) -> list[str]:
    """Return the directories that a cgroups path stands for, as far as they exist."""
    return [leaf for leaf in _leaves(path) if os.path.isdir(leaf)]


def existing_beside(name: str) -> list[str]:
    """Return the directories that `make_cgroup` may have made for `name` because that name was taken."""
    import re

    found: list[str] = []
    for leaf in _leaves(name):
        parent = os.path.dirname(leaf)
        pattern = re.compile(re.escape(name) + "-[0-9a-f]{8}")
        found += [f"{parent}/{other}" for other in os.listdir(parent) if pattern.fullmatch(other)]
    return found


def _leaves(path: str) -> list[str]:
    """Return the directories of a cgroups path, one in each hierarchy, and none outside of it."""
    found = []
    for hierarchy in hierarchies.mounted():
        base = hierarchy.own if hierarchy.name else os.path.dirname(hierarchy.own)
        base = "" if path.startswith("/") else base.rstrip("/")
        if hierarchy.own:
            found.append(hierarchy.mountpoint + base + os.path.normpath(f"/{path.lstrip('/')}"))
    return found


def _make(c: Container, leaves: list[str], *, exclusively: bool = False) -> bool:
    """Make the cgroups `leaves`, after recording which directories will be the container's.

    With `exclusively`, make nothing and return False if one of them turns out to exist. Raises RuntError.
    """
    made = [path for leaf in leaves for path in _missing(leaf)]
    c.entry.save(cgroups_made=made)
    for path in reversed(made):
        try:
            _make_directory(c, path)
        except FileExistsError:
            if exclusively:
                remove(path for path in made[made.index(path) + 1 :])
                return False
        except OSError as error:
            raise RuntError(f"cannot make the container's cgroup: {path}: {describe(error)}") from None
    return True


def _make_directory(c: Container, path: str) -> None:
    """Make a directory, and make those above it again: they are removed with another container once they are empty.

    Raises OSError.
    """
    for _ in range(_TRIES):
        try:
            os.mkdir(path, 0o755)
            hierarchies.prepare(path)
        except OSError as error:
            if error.errno not in _GONE:
                raise
            _make_above(c, path)
        else:
            return
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _make_above(c: Container, path: str) -> None:
    """Make the missing directories above one, after recording them; other processes may make or remove them at the same time."""
    above = _missing(os.path.dirname(path))
    journalled = c.entry.record["cgroups_made"]
    if not set(above) <= set(journalled):
        c.entry.save(cgroups_made=[*journalled, *above])
    for directory in reversed(above):
        try:
            os.mkdir(directory, 0o755)
            hierarchies.prepare(directory)
        except OSError as error:
            if error.errno not in (*_GONE, errno.EEXIST):
                raise
            return


def _missing(leaf: str) -> list[str]:
    """Return those of `leaf` and the directories above it that do not exist, the deepest first."""
    missing = []
    while not os.path.isdir(leaf):
        missing.append(leaf)
        leaf = os.path.dirname(leaf)
    return missing


def _remove_directory(directory: str, top: str, began: float) -> None:
    # A cgroup whose last process has just ended may be busy for a few milliseconds more.
    busy_since = time.monotonic()
    while True:
        try:
            os.rmdir(directory)
        except FileNotFoundError:
            return
        except OSError as error:
            now = time.monotonic()
            # The process of an `exec` ends at once when it finds the container stopped; processes of others stay.
            if now - began > _GRACE and (processes([top]) or _has_children(directory)):
                return
            if now - busy_since > _BUSY:
                raise RuntError(f"cannot remove cgroup {directory}: {describe(error)}") from None
            time.sleep(0.005)
        else:
            return


def _has_children(directory: str) -> bool:
    try:
        with os.scandir(directory) as entries:
            return any(entry.is_dir() for entry in entries)
    except FileNotFoundError:
        return False
