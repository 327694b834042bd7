"""The parts of a snapshot as values: frozen, comparable, of tuples only, so that two snapshots can be compared.

Field names are the kernel's (proc(5), namespaces(7), capabilities(7)). What could not be read is `None` or empty, and
`ContainerView.unreadable` names the file and the errno, so that a panel can say why.
"""

from __future__ import annotations

from typing import Literal, get_args

from tutor.lazy_dataclass import dataclass, field
from tutor.text import visible

NamespaceKind = Literal["mnt", "pid", "net", "ipc", "uts", "user", "cgroup", "time"]
NAMESPACE_KINDS: tuple[NamespaceKind, ...] = get_args(NamespaceKind)


@dataclass(frozen=True, slots=True)
class Namespace:
    """One namespace that the reference process is in; `inode` is what `readlink /proc/PID/ns/KIND` shows.

    `inode` is None where the link may not be read (`reason`, an errno name such as `EACCES`) or the kernel has no such
    kind (`ENOENT`).
    """

    kind: NamespaceKind
    inode: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NamespaceView:
    """One namespace of the container's process, beside the reference process's of the same kind.

    `shared` is True when both are the same namespace and False when the container has its own; it is also False when
    either could not be read (`inode` or `host_inode` is None, and `reason` says why). `for_children` is the inode that the
    next child gets (`pid_for_children`, `time_for_children`), None for the other kinds.
    """

    kind: NamespaceKind
    inode: int | None
    host_inode: int | None
    shared: bool
    for_children: int | None = None
    reason: str = ""

    @property
    def known(self) -> bool:
        """Tell whether both sides could be read, that is whether `shared` says anything."""
        return self.inode is not None and self.host_inode is not None


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of `/proc/PID/mountinfo` (proc_pid_mountinfo(5)), its octal escapes undone.

    `root` is the part of the filesystem that is mounted, `target` the mount point as seen from the process's root.
    `propagation` holds the optional fields (`shared:1`, `master:2`, `propagate_from:3`, `unbindable`), or `private` when
    there are none.
    """

    id: int
    parent: int
    major_minor: str
    root: str
    target: str
    options: tuple[str, ...]
    propagation: tuple[str, ...]
    fstype: str
    source: str
    super_options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdRange:
    """One line of `uid_map` or `gid_map`: `count` ids from `inside` are those from `outside` (user_namespaces(7))."""

    inside: int
    outside: int
    count: int


@dataclass(frozen=True, slots=True)
class CapabilitySet:
    """One capability set of a process: the bit mask of `/proc/PID/status` and the names of its bits, in bit order."""

    raw: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The five capability sets of a thread (capabilities(7))."""

    effective: CapabilitySet
    permitted: CapabilitySet
    inheritable: CapabilitySet
    bounding: CapabilitySet
    ambient: CapabilitySet


@dataclass(frozen=True, slots=True)
class Credentials:
    """The effective ids and the supplementary groups of a process, as the reader's user namespace counts them."""

    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CgroupMembership:
    """One line of `/proc/PID/cgroup` (cgroups(7)): hierarchy 0 without controllers is version 2."""

    hierarchy: int
    controllers: tuple[str, ...]
    path: str


@dataclass(frozen=True, slots=True)
class CgroupFile:
    """A file of the container's own cgroup.

    Attributes:
        version: of the hierarchy, 1 or 2.
        directory: the cgroup, as the reference process sees it.
        name: the file.
        key: of a file with a key and a value in each line, the key; else empty.
        value: what the kernel says, in one line.
    """

    version: int
    directory: str
    name: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Wait:
    """The system call in which a process is blocked.

    Attributes:
        tid: the thread that waits; of several, the one whose call says most.
        syscall: the call's name (`openat`), or `syscall_N` if it has no name here; empty where the kernel does not tell the call.
        number: the call's number on this architecture; -1 where the kernel does not tell it.
        arguments: the arguments in strace's notation; one that could not be read is `...`.
        summary: the call, shortened for a narrow panel: `openat("exec.fifo", O_WRONLY)`; without it, `wchan`.
        path: the file that the call is about, with directory descriptors and `/proc/self/fd/N` resolved; None if none.
        fd: the descriptor that the call is about; None if none.
        wchan: the kernel function in which it sleeps (proc(5)); empty if the kernel does not tell it.
        key: the message catalogue's entry that explains it (`observe.wait.openat_exec_fifo`); `observe.describe` fills it in.
    """

    tid: int
    syscall: str
    number: int
    arguments: tuple[str, ...]
    summary: str
    path: str | None
    fd: int | None
    wchan: str
    key: str


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the container.

    Attributes:
        pid: as the reader's pid namespace counts it.
        ns_pid: as the process's own (innermost) pid namespace counts it (`NSpid`).
        ppid: its parent, as the reader counts; 0 when the parent is outside the reader's pid namespace.
        state: the letter of proc(5): R running, S sleeping, D disk sleep, T stopped, t traced, Z zombie, I idle, X dead.
        comm: its short name; exe: its program's path, empty if unreadable; control characters are escapes in both.
        cmdline: its arguments, with control characters (`words` is for the screen); empty for a zombie.
        threads: their number.
        depth: its depth in the tree: 0 for the container's init and for a process that entered from outside (`exec`).
        waits_for: the blocking system call; None while it runs, for a zombie, and if it may not be read.
    """

    pid: int
    ns_pid: int
    ppid: int
    state: str
    comm: str
    cmdline: tuple[str, ...]
    exe: str
    threads: int
    depth: int
    waits_for: Wait | None

    @property
    def words(self) -> tuple[str, ...]:
        """Its arguments for one line; of an argument of several lines, as after `sh -c`, the first line and an ellipsis."""
        return tuple(
            f"{visible(first.rstrip())}…" if newline else visible(word)
            for word in self.cmdline
            for first, newline, _ in [word.partition("\n")]
        )


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file of `/proc/PID` that could not be read: its name (`mountinfo`) and the errno's name (`EACCES`)."""

    what: str
    reason: str


NO_CAPABILITIES = Capabilities(*(CapabilitySet(0, ()),) * 5)


@dataclass(frozen=True, slots=True)
class ContainerView:
    """What the kernel says about a container's init process and the other processes of the container.

    `alive` is False in these cases; then everything is empty but `pid` and a zombie's own entry in `processes`:
    - there is no such process any more
    - it is a zombie
    - its pid belongs to another process by now

    `processes` is in the order of a tree: each parent before its children.
    """

    pid: int
    alive: bool
    start_time: int = 0
    namespaces: tuple[NamespaceView, ...] = ()
    uid_map: tuple[IdRange, ...] = ()
    gid_map: tuple[IdRange, ...] = ()
    mounts: tuple[Mount, ...] = ()
    processes: tuple[Process, ...] = ()
    root: str = ""
    cwd: str = ""
    credentials: Credentials | None = None
    capabilities: Capabilities = NO_CAPABILITIES
    cgroups: tuple[CgroupMembership, ...] = ()
    cgroup_files: tuple[CgroupFile, ...] = ()
    no_new_privs: bool = False
    seccomp: int = 0
    unreadable: tuple[Unreadable, ...] = ()

    def namespace(self, kind: NamespaceKind) -> NamespaceView | None:
        """Return the view of one kind of namespace; None if the process has ended."""
        return next((view for view in self.namespaces if view.kind == kind), None)

    def process(self, pid: int) -> Process | None:
        """Return one process of the container; None if there is no such process."""
        return next((process for process in self.processes if process.pid == pid), None)


@dataclass(frozen=True, slots=True)
class HostView:
    """The reference process: its namespaces are those of the host, and its mount table shows mounts that leave the container."""

    pid: int
    namespaces: tuple[Namespace, ...]
    mounts: tuple[Mount, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything read at one moment. `taken` is `time.monotonic()` in seconds; comparisons ignore it."""

    taken: float = field(compare=False)
    host: HostView
    container: ContainerView | None
