"""The argument of every step of `create` and `exec`: the container, with the data that the steps share."""

from __future__ import annotations

import os

from runtime.state.sync import Sync

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from runtime.config.types import Config, Linux, Namespace, ProcessConfig
    from runtime.state.options import ProcessOptions
    from runtime.state.store import Entry


_FIRST_CGROUP_NAMESPACE = 0xEFFFFFFB
"""The inode of the first cgroup namespace on every machine (linux/nsfs.h, CGROUP_NS_INIT_INO)."""


class Cgroup:
    """The container's cgroup: what a process needs to join it."""

    __slots__ = ("clone_into", "directories", "files", "placeholder", "shown", "to_move_into")

    def __init__(self) -> None:
        self.directories: dict[str, str] = {}
        """Its directory by the name of the hierarchy; `""` is the name of v2 alone."""
        self.shown: dict[str, str] = {}
        """The directory from which down a mount of type `cgroup` shows a hierarchy, by the hierarchy's name."""
        self.files: list[int] = []
        """Files to write a `0` into: the writer becomes a member of that cgroup."""
        self.clone_into: int | None = None
        """With v2, the directory in which a process can be cloned (CLONE_INTO_CGROUP, clone(2)); its file is the last."""
        self.placeholder: int | None = None
        """The pid of the process that is in systemd's scope until init is; see `cgroups.systemd`."""
        self.to_move_into: str | None = None
        """The directory of the cgroup into which only systemd may move a process."""

    def descriptors(self) -> list[int]:
        """Return what is open for joining it."""
        return self.files if self.clone_into is None else [*self.files, self.clone_into]

    def close(self) -> None:
        """Close what is open for joining it."""
        for fd in self.descriptors():
            os.close(fd)
        self.files, self.clone_into = [], None

    def close_version2(self) -> None:
        """Close what is open for joining the cgroup of v2: the process has been cloned into it."""
        if self.clone_into is not None:
            os.close(self.clone_into)
            os.close(self.files.pop())
            self.clone_into = None


class Entering:
    """How `exec` enters a container. An attribute without a default is set by a step."""

    __slots__ = ("clones_twice", "init_pidfd", "pidfd", "root_fd", "sub_cgroups")

    init_pidfd: int
    """The container's init process, whose namespaces are entered."""
    clones_twice: bool
    """Whether the PID namespace can be entered only from inside the user namespace, and so only by a second clone(2)."""
    pidfd: int
    """In the foreground: the process that signals are passed on to (`pass_signals_on`)."""

    def __init__(self, sub_cgroups: dict[str, str]) -> None:
        self.sub_cgroups = sub_cgroups
        """Paths below the container's cgroups by the controller, empty for all, instead of these themselves."""
        self.root_fd: int | None = None
        """The container's root, where it shares the caller's mount namespace."""


class SeccompFilter:
    """The BPF program that filters system calls."""

    __slots__ = ("agent", "flags", "program")

    def __init__(self, program: bytearray, flags: int) -> None:
        self.program = program
        self.flags = flags
        """The flags of seccomp(2)."""
        self.agent: int | None = None
        """The socket of the agent that is notified of system calls."""


class Container:
    """The container that the steps build, one step after the other.

    The same object serves both processes: init has its own copy from clone(2) on, and from then on what one of the two
    changes the other does not see. An attribute without a default is set by the step that its docstring names; reading it
    before raises AttributeError.
    """

    __slots__ = (
        "be_init",
        "bind_trees",
        "caller_umask",
        "capabilities",
        "cgroup",
        "config",
        "console_connection",
        "device_source",
        "entering",
        "entry",
        "environment",
        "fifo",
        "fifo_place",
        "inherited_fds",
        "init_pid",
        "joined",
        "link_targets",
        "listen_fds",
        "observer_connection",
        "options",
        "own_descriptors",
        "pidfd_connection",
        "program",
        "readonly_mounts",
        "root_fd",
        "seccomp_filter",
        "sync",
        "warnings",
    )

    init_pid: int
    """The pid of the process that the steps make, in the runtime's PID namespace: init's, or that of `exec` (`clone_init`)."""
    fifo_place: int
    """`exec.fifo`, not opened for anything (O_PATH), which init will not see any more (`make_exec_fifo`)."""
    own_descriptors: int
    """The directory of init's own descriptors, where the container has no procfs at /proc (`keep_own_descriptors`)."""
    root_fd: int
    """The container's root directory: every path of the container is resolved beneath it (`bind_root`)."""
    caller_umask: int
    """The file mode creation mask of the caller (`be_init`)."""
    entering: Entering
    """How `exec` enters the container; a container that is created has none (`is_entered`)."""
    program: str
    """The path of the program to execute, as seen in the container (`find_program`)."""

    def __init__(
        self,
        config: Config,
        entry: Entry,
        options: ProcessOptions,
        be_init: Callable[[Container], NoReturn],
        *,
        inherited_fds: int = 0,
        listen_fds: int = 0,
        console_connection: int | None = None,
        pidfd_connection: int | None = None,
        entering: Entering | None = None,
    ) -> None:
        self.config = config
        self.entry = entry
        self.options = options
        self.be_init = be_init
        """Runs in the new process, and does not return."""
        if entering is not None:
            self.entering = entering
        self.sync = Sync()
        """The connection between the two processes."""
        self.inherited_fds = inherited_fds
        """How many descriptors of the caller, from 3 on, the program gets besides the standard streams."""
        self.listen_fds = listen_fds
        """How many of these are sockets that the caller got from systemd (sd_listen_fds(3))."""
        self.console_connection = console_connection
        """The socket that the master of the container's terminal is sent to."""
        self.pidfd_connection = pidfd_connection
        """The socket that a pidfd of the process is sent to."""

        self.cgroup = Cgroup()
        self.joined: dict[str, int] = {}
        """Descriptors of the namespaces to join by path, by their type."""
        self.bind_trees: dict[int, int] = {}
        """Detached copies of the sources of bind mounts, by the index of the mount; see `bind_sources`."""
        self.link_targets: dict[int, str] = {}
        """The targets of the symbolic links that are copied and not mounted, by the index of the mount; see `bind_sources`."""
        self.device_source = -1
        """A detached filesystem with the devices made for a user namespace, by their index (`make_device_sources`)."""
        self.readonly_mounts: list[int] = []
        """Mounts that become read-only once everything in them has been made."""
        self.seccomp_filter: SeccompFilter | None = None
        self.capabilities: dict[str, int] = {}
        """The five sets as bit masks, by the names that they have in the configuration."""
        self.environment: dict[str, str] = {}
        """The program's environment."""
        self.fifo: int | None = None
        """The writing end of `exec.fifo` from the moment when `start` opened the other end."""
        self.observer_connection: int | None = None
        """The connection of the container's process to an observer of its steps (`--observe`), which closes it."""
        self.warnings: list[str] = []
        """Warnings for the runtime to log."""

    def close(self) -> None:
        """Close what the runtime's process has open for the container, once the steps are over."""
        descriptors = [*self.joined.values(), *self.bind_trees.values(), *self.cgroup.descriptors()]
        descriptors += [getattr(self, name) for name in ("fifo_place", "root_fd") if hasattr(self, name)]
        optional = [self.console_connection, self.pidfd_connection]
        optional.append(self.device_source if self.device_source >= 0 else None)
        if self.seccomp_filter is not None:
            optional.append(self.seccomp_filter.agent)
        if self.is_entered:
            optional += [getattr(self.entering, "init_pidfd", None), self.entering.root_fd]
        for fd in (*descriptors, *optional):
            if fd is not None:
                os.close(fd)
        self.sync.close()

    @property
    def kept_descriptors(self) -> list[int]:
        """The descriptors that the container's process keeps when it closes those of the host.

        The connection to the runtime, that to an observer, and what a later step needs and closes: for init what leads to
        `exec.fifo`; for `exec` the namespaces, the root and the console socket. Besides them only what the program gets stays
        open.
        """
        if not self.is_entered:
            init_optional = (getattr(self, "own_descriptors", None), self.observer_connection)
            return [self.sync.fd, self.fifo_place, *(fd for fd in init_optional if fd is not None)]
        optional = (self.entering.root_fd, self.console_connection, self.observer_connection)
        return [self.sync.fd, self.entering.init_pidfd, *(fd for fd in optional if fd is not None)]

    @property
    def is_entered(self) -> bool:
        """Whether the steps are those of `exec`: the container exists, and a further process enters it."""
        return hasattr(self, "entering")

    @property
    def new_keyring(self) -> bool:
        """Whether the container has a session keyring of its own (`--no-new-keyring`)."""
        return self.entry.record.get("new_keyring", True)

    @property
    def keeps_groups(self) -> bool:
        """Whether the program has the additional groups of the caller, as with crun, in place of the configuration's.

        podman writes this annotation for `--group-add keep-groups`: an ordinary user's container so reaches files of a group that
        its user namespace has no ID for.
        """
        return bool(self.config.get("annotations", {}).get("run.oci.keep_original_groups"))

    @property
    def refuses_unknown_calls(self) -> bool:
        """Whether an unknown name in `linux.seccomp` is an error, as with crun: for profiles in which each rule counts."""
        wanted = self.config.get("annotations", {}).get("run.oci.seccomp_fail_unknown_syscall", "0")
        return wanted != "0"

    @property
    def linux(self) -> Linux:
        """The `linux` section of the configuration."""
        return self.config["linux"]

    @property
    def process(self) -> ProcessConfig:
        """The `process` section of the configuration."""
        return self.config["process"]

    @property
    def bundle(self) -> str:
        """The absolute path of the bundle."""
        return self.entry.record["bundle"]

    @property
    def rootfs(self) -> str:
        """The absolute path of the root filesystem on the host."""
        return self.entry.record["rootfs"]

    def namespace(self, kind: str) -> Namespace | None:
        """Return the entry of `linux.namespaces` of a type, or None if the container shares the caller's."""
        for namespace in self.linux.get("namespaces", ()):
            if namespace["type"] == kind:
                return namespace
        return None

    def has_new(self, kind: str) -> bool:
        """Tell whether the container gets a new namespace of a type."""
        namespace = self.namespace(kind)
        return namespace is not None and "path" not in namespace

    def joins_cgroup_namespace(self) -> bool:
        """Tell whether the container enters a cgroup namespace that there is, unless it is the first one of the machine."""
        namespace = self.joined.get("cgroup")
        return namespace is not None and os.fstat(namespace).st_ino != _FIRST_CGROUP_NAMESPACE

    def has_own(self, kind: str) -> bool:
        """Tell whether the configuration names a namespace of a type, new or joined."""
        return self.namespace(kind) is not None
