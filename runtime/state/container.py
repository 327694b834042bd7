"""What every step is handed: the container that is being created, as far as this process knows it."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from runtime.config.types import Config, Linux, Namespace, ProcessConfig
    from runtime.state.store import Entry
    from runtime.state.sync import Sync


class Container:
    """The container that the steps build, one step after the other.

    The same object serves both processes: init has its own copy from the moment of its birth, and from then on what one
    of the two changes the other does not see. Descriptors are -1 while they are not open.
    """

    __slots__ = (
        "be_init",
        "bind_trees",
        "born_twice",
        "caller_umask",
        "capabilities",
        "cgroup_directories",
        "cgroup_files",
        "cgroup_placeholder",
        "cgroup_to_be_born_in",
        "config",
        "console_connection",
        "entry",
        "environment",
        "fifo",
        "foreground",
        "init_pid",
        "init_pidfd",
        "joined",
        "listen_fds",
        "new_keyring",
        "no_pivot",
        "pid_file",
        "pidfd",
        "pidfd_connection",
        "preserve_fds",
        "program",
        "readonly_mounts",
        "root_fd",
        "seccomp_connection",
        "seccomp_filter",
        "seccomp_flags",
        "state_fd",
        "sub_cgroups",
        "sync",
        "systemd_cgroup",
        "warnings",
    )

    def __init__(
        self, config: Config, entry: Entry, sync: Sync, be_init: Callable[[Container], NoReturn]
    ) -> None:
        self.config = config
        self.entry = entry
        self.sync = sync
        """The line between the two processes."""
        self.be_init = be_init
        """What the init process does from its birth to its end."""

        self.no_pivot = False
        self.preserve_fds = 0
        """How many descriptors from 3 on the program gets, besides the standard streams."""
        self.listen_fds = 0
        """How many of these are sockets that the caller got from systemd (sd_listen_fds(3))."""
        self.pid_file = ""
        """The file to write init's pid to, empty for none."""
        self.new_keyring = True
        self.console_connection = -1
        """The socket that the master of the container's terminal is sent to."""

        self.pidfd_connection = -1
        """The socket that a pidfd of the process is sent to."""

        self.joined: dict[str, int] = {}
        """Descriptors of the namespaces to join by path, by their type."""
        self.init_pid = 0
        """The process that the steps bring to life: the container's init process, or the one of `exec`."""
        self.init_pidfd = -1
        """For `exec`: the container's init process, whose namespaces are entered."""
        self.foreground = False
        """For `exec`: whether we stay until the program ends, with its signals and its terminal."""
        self.pidfd = -1
        """For `exec` in the foreground: the process that signals are passed on to."""
        self.born_twice = False
        """For `exec`: whether the process is on its way to a PID namespace that only a child of its own can enter."""
        self.state_fd = -1
        """The state directory, where init finds `exec.fifo` when it can't see the directory any more."""
        self.systemd_cgroup = False
        """Whether systemd makes the cgroup (`--systemd-cgroup`)."""
        self.cgroup_placeholder = 0
        """The process that is in systemd's scope until init is; see `cgroups.systemd`."""
        self.cgroup_files: list[int] = []
        """Files to write a `0` into: the writer becomes a member of that cgroup."""
        self.cgroup_to_be_born_in = -1
        """The directory of the cgroup with v2, in which a process can be born; see `cgroups.give_birth`."""
        self.sub_cgroups: dict[str, str] = {}
        """For `exec`: paths below the container's cgroups by the controller, empty for all, instead of these themselves."""
        self.cgroup_directories: dict[str, str] = {}
        """The directory of the container's cgroup by the name of the hierarchy; `""` is the name of v2 alone."""
        self.bind_trees: dict[int, int] = {}
        """Detached copies of the sources of bind mounts, by the index of the mount; see `bind_sources`."""
        self.readonly_mounts: list[int] = []
        """Mounts that become read-only once everything in them has been made."""
        self.root_fd = -1
        """The container's root directory: every path of the container is resolved beneath it."""
        self.seccomp_filter = bytearray()
        """The program that decides about system calls, empty for none."""
        self.seccomp_flags = 0
        self.seccomp_connection = -1
        """The socket of the agent that is notified of system calls."""
        self.caller_umask = 0o022
        self.capabilities: dict[str, int] = {}
        """The five sets as bit masks, by the names that they have in the configuration."""
        self.environment: dict[str, str] = {}
        """The program's environment."""
        self.program = ""
        """The path of the program to execute, as seen in the container."""
        self.fifo = -1
        """The writing end of `exec.fifo` from the moment when `start` opened the other end."""
        self.warnings: list[str] = []
        """What the runtime should log as warnings."""

    def close(self) -> None:
        """Close what the runtime's process has open for the container, once the steps are over."""
        descriptors = [*self.joined.values(), *self.cgroup_files, *self.bind_trees.values()]
        for fd in (
            *descriptors,
            self.state_fd,
            self.root_fd,
            self.cgroup_to_be_born_in,
            self.console_connection,
            self.pidfd_connection,
            self.seccomp_connection,
            self.init_pidfd,
        ):
            if fd >= 0:
                os.close(fd)
        self.sync.close()

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

    def has_own(self, kind: str) -> bool:
        """Tell whether the configuration names a namespace of a type, new or joined."""
        return self.namespace(kind) is not None
