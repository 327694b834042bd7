"""The options of the operations: a class for each operation, an attribute for each option.

`runtime.commands` names the attribute that an option fills, and its default. The defaults here are for callers without a
command line.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Options:
    """Options by their attributes. One that is not given has the value of the class."""

    def __init__(self, **given: object) -> None:
        """Take the options that are given. Raises TypeError for one that the operation does not have."""
        for name, value in given.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no option {name}")
            setattr(self, name, value)


class ProcessOptions(Options):
    """The options that the steps of `create` and of `exec` read."""

    pid_file: str = ""
    console_socket: str = ""
    pidfd_socket: str = ""
    preserve_fds: int = 0
    """How many descriptors of the caller the program gets, after those of systemd."""
    detach: bool = False
    systemd_cgroup: bool = False
    no_pivot: bool = False


class CreateOptions(ProcessOptions):
    """The options of `create` and `run`."""

    bundle: str = ""
    no_new_keyring: bool = False
    keep: bool = False

    def __init__(self, *, root: str, container_id: str, **given: object) -> None:
        """Take the state directory `root`, the id of the new container, and the options that are given."""
        super().__init__(**given)
        self.root = root
        self.container_id = container_id


class ExecOptions(ProcessOptions):
    """The options of `exec`. An empty one leaves the setting of the container's own process."""

    args: Sequence[str] = ()
    process: str = ""
    tty: bool = False
    cwd: str = ""
    env: Sequence[str] = ()
    user: str = ""
    additional_gids: Sequence[str] = ()
    caps: Sequence[str] = ()
    no_new_privs: bool = False
    apparmor: str = ""
    process_label: str = ""
    ignore_paused: bool = False
    cgroups: Sequence[str] = ()


class UpdateOptions(Options):
    """The options of `update`."""

    file: str = ""
    limits: Mapping[str, str] = {}
    """Limits by their members of `linux.resources`: `cpu.quota`, as text. An empty text changes nothing."""
    l3_cache_schema: str = ""
    mem_bw_schema: str = ""


class CriuOptions(Options):
    """The options for criu(8)."""

    criu: str = "criu"
    images: str = ""
    work: str = ""
    parent: str = ""
    cgroup_mode: str = ""
    page_server: str = ""
    empty_namespaces: Sequence[str] = ()
    flags: Mapping[str, bool] = {}
    """Flags that are passed on, by criu's names."""
    named: Mapping[str, str] = {}
    """The same, with a value."""
    lazy_pages: bool = False


class CheckpointOptions(CriuOptions):
    """The options of `checkpoint`."""

    pre_dump: bool = False


class RestoreOptions(CreateOptions, CriuOptions):
    """The options of `restore`."""
