"""What the probes found, as values, and what it means, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.engines.model import EngineName

Level = Literal["ok", "limited", "missing"]
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
    """One thing that was really tried in a child process.

    Attributes:
        way: `direct` worked as this user is, `userns` worked inside a new user namespace, `failed` neither did,
            `timeout` the child had to be ended.
        error: of the failure: an errno's name (`EPERM`), and `stage` what failed (`unshare`, `uid_map`, `mount`).
    """

    way: Literal["direct", "userns", "failed", "timeout"]
    error: str = ""
    stage: str = ""

    @property
    def works(self) -> bool:
        """Tell whether it can be done, one way or the other."""
        return self.way in ("direct", "userns")


@dataclass(frozen=True, slots=True)
class System:
    """The system: `kernel` as uname -r, `distribution` as os-release's PRETTY_NAME, `apt` whether apt-get is there."""

    kernel: str
    architecture: str
    distribution: str
    apt: bool
    python: str
    executable: str


@dataclass(frozen=True, slots=True)
class Privileges:
    """Who runs this. `capabilities` are the effective ones that are missing of those that lessons want."""

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
        v1: the controllers with a version 1 hierarchy; v2: those that version 2 has.
        v2_mount: where version 2 is mounted; empty if nowhere.
        writable: whether groups may be made by this user, right here (v2: at the top or in the own group).
        delegated: whether this user, not root, has been given the own v2 group (`cgroup.procs` is writable).
    """

    layout: Literal["v1", "v2", "hybrid", "none"]
    v1: tuple[str, ...]
    v2: tuple[str, ...]
    v2_mount: str
    writable: bool
    delegated: bool


@dataclass(frozen=True, slots=True)
class Tool:
    """A program: `path` is None when it is not on PATH; `version` is empty and `problem` says why when it did not tell."""

    name: str
    path: str | None
    version: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Docker:
    """Docker's daemon: `running` with its version, or not; a socket alone may start it when first used."""

    running: bool
    version: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Terminal:
    """The terminal, if there is one. Widths are in columns, as the terminal itself moved its cursor; None: it did not say."""

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
    """A folder that will be written to: `path` or, where it is not there yet, its nearest parent. `free` in bytes."""

    path: str
    writable: bool
    free: int


@dataclass(frozen=True, slots=True)
class Machine:
    """Everything that was found."""

    system: System
    privileges: Privileges
    trials: dict[str, Trial]
    cgroups: Cgroups
    tools: tuple[Tool, ...]
    docker: Docker
    terminal: Terminal
    storage: tuple[Storage, ...]

    def tool(self, name: str) -> Tool:
        """Return what is known of a program; one that was not looked for counts as missing."""
        return next((tool for tool in self.tools if tool.name == name), Tool(name, None))

    def can(self, name: str) -> bool:
        """Tell whether a trial worked."""
        trial = self.trials.get(name)
        return trial is not None and trial.works

    @property
    def rootless(self) -> bool:
        """Tell whether containers run in a user namespace here, because this user is not (fully) root."""
        trial = self.trials.get("mnt")
        return trial is None or trial.way != "direct"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        topic: the group that it stands in; name: what it is about (`mnt`, `runc`).
        level: how good it is.
        key: the catalogue entry that says it, with `values` for its placeholders.
        advice: the catalogue entry that says how to get what is missing; empty if there is nothing to do.
        package: the Debian package that has it.
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
    """Whether a lesson can be done here, and on which engines; what it `lacks` leaves it to be read along with a recording."""

    lesson_id: str
    title: str
    level: Level
    engines: tuple[EngineName, ...]
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conclusions:
    """What follows: for each engine, for each lesson. `problem`: why the lessons could not be loaded (ready to show)."""

    engines: tuple[EngineVerdict, ...]
    lessons: tuple[LessonVerdict, ...]
    problem: str = ""

    @property
    def can_start(self) -> bool:
        """Tell whether the first lesson can be done."""
        return bool(self.lessons) and self.lessons[0].level != "missing"
