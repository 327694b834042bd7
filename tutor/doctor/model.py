"""The results of the probes, and the conclusions from them, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tutor.lab.user_namespace import LEAST
from tutor.lazy_dataclass import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.engines.model import EngineName
    from tutor.lab.grounds import Refusal

Level = Literal["ok", "limited", "unknown", "missing"]
"""`unknown`: what was asked did not answer in time, which says nothing about what it can do."""
Topic = Literal["privileges", "namespaces", "mounts", "kernel", "cgroups", "tools", "terminal", "storage"]
TOPICS: tuple[Topic, ...] = (
    "privileges",
    "namespaces",
    "mounts",
    "kernel",
    "cgroups",
    "tools",
    "terminal",
    "storage",
)


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of one trial in a child process.

    Attributes:
        way: `direct` (works with this user's privileges), `userns` (works in a new user namespace), `failed` (neither),
            `timeout` (it did not end in time, and was killed).
        error: the errno's name of the failure (`EPERM`); `stage`: what failed (`unshare`, `uid_map`, `mount`).
    """

    way: Literal["direct", "userns", "failed", "timeout"]
    error: str = ""
    stage: str = ""

    @property
    def works(self) -> bool:
        """Whether it works, in one of the two ways."""
        return self.way in ("direct", "userns")


@dataclass(frozen=True, slots=True)
class System:
    """The system: `kernel` as uname -r, `distribution` as os-release's PRETTY_NAME, `apt` whether there is apt-get."""

    kernel: str
    architecture: str
    distribution: str
    apt: bool
    python: str
    executable: str


@dataclass(frozen=True, slots=True)
class Privileges:
    """The ids and capabilities of this process. `missing_capabilities` are those that lessons need and that are not effective."""

    uid: int
    user: str
    missing_capabilities: tuple[str, ...]
    no_new_privs: bool
    sudo: str | None
    newuidmap: str | None
    newgidmap: str | None
    subordinate_uids: int
    subordinate_gids: int
    sysctls: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cgroups:
    """The cgroup file systems that are mounted here (cgroups(7)).

    Attributes:
        layout: `v2` only, `v1` only, `hybrid` both, `none`.
        v1: the controllers with a version 1 hierarchy; v2: those of version 2.
        v2_mount: where version 2 is mounted; empty if nowhere.
        writable: whether this user may create groups (v2: at the top or in the own group).
        delegated: whether this user other than root has, or gets from systemd, a v2 group with the controllers for limits.
    """

    layout: Literal["v1", "v2", "hybrid", "none"]
    v1: tuple[str, ...]
    v2: tuple[str, ...]
    v2_mount: str
    writable: bool
    delegated: bool


@dataclass(frozen=True, slots=True)
class Tool:
    """A program: `path` is None if it is not on PATH; `version` is empty if it printed none, and `problem` says why."""

    name: str
    path: str | None
    version: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Docker:
    """Docker's daemon: `running` and its version, or not; it may be started by the first use of its socket."""

    running: bool
    version: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Terminal:
    """The terminal, if there is one. Widths are in columns, by the position of its cursor; None: it did not report that."""

    present: bool
    term: str
    encoding: str
    locale: str
    columns: int
    rows: int
    colours: Literal["none", "basic", "256", "true"]
    wide_width: int | None
    ambiguous_width: int | None


@dataclass(frozen=True, slots=True)
class Storage:
    """A folder that will be written to: `path` or, if it does not exist, its nearest parent. `free` in bytes.

    `hindrances`: mount options because of which containers do not run there (`nodev` ...), of the folder that has bundles.
    `refusal`: what its mount refuses, which makes it not `writable`.
    """

    path: str
    writable: bool
    free: int
    hindrances: tuple[str, ...] = ()
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """The results of all probes."""

    system: System
    privileges: Privileges
    trials: dict[str, Trial]
    cgroups: Cgroups
    tools: tuple[Tool, ...]
    docker: Docker
    terminal: Terminal
    storage: tuple[Storage, ...]

    def tool(self, name: str) -> Tool:
        """Return the result for a program; one that was not probed counts as missing."""
        return next((tool for tool in self.tools if tool.name == name), Tool(name, None))

    def can(self, name: str) -> bool:
        """Tell whether a trial worked."""
        trial = self.trials.get(name)
        return trial is not None and trial.works

    def unsure(self, name: str) -> bool:
        """Tell whether nothing is known, because a trial did not end in time, or could not be run."""
        trial = self.trials.get(name)
        return trial is None or trial.way == "timeout"

    @property
    def rootless(self) -> bool:
        """Whether containers run in a user namespace here, because this user does not have root's privileges."""
        trial = self.trials.get("mnt")
        return trial is None or trial.way != "direct"

    @property
    def has_ordinary_labs(self) -> bool:
        """Whether this user, who is not root, can have labs: in a user namespace, with ids that newuidmap maps."""
        own = self.privileges
        return (
            own.uid != 0
            and all(self.can(each) for each in ("user", "mnt", "tmpfs", "proc"))
            and bool(own.newuidmap and own.newgidmap)
            and min(own.subordinate_uids, own.subordinate_gids) >= LEAST
            and not own.no_new_privs
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        topic: its group; name: its subject (`mnt`, `runc`).
        level: how good it is.
        key: the catalogue entry of its text, with `values` for the placeholders.
        advice: the catalogue entry on how to get what is missing; empty if nothing is.
        package: the Debian package with the program.
    """

    topic: Topic
    name: str
    level: Level
    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    advice: str = ""
    package: str = ""


@dataclass(frozen=True, slots=True)
class EngineVerdict:
    """Whether an engine can run containers here; `key` says what is limited or why not."""

    engine: EngineName
    level: Level
    key: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LessonVerdict:
    """Whether a lesson can be done here, and on which engines; if it `lacks` programs, it is read along with a recording.

    `only_read`: the number of its steps that a lab of an ordinary user can't show, and that are read;
    `needs_root`: all of it is read.
    """

    lesson_id: str
    title: str
    level: Level
    engines: tuple[EngineName, ...]
    lacks: tuple[str, ...] = ()
    only_read: int = 0
    needs_root: bool = False


@dataclass(frozen=True, slots=True)
class Conclusions:
    """The conclusions for each engine and each lesson. `problem`: why the lessons could not be loaded, as a text."""

    engines: tuple[EngineVerdict, ...]
    lessons: tuple[LessonVerdict, ...]
    problem: str = ""

    @property
    def can_start(self) -> bool:
        """Whether the first lesson can be done."""
        return bool(self.lessons) and self.lessons[0].level != "missing"
