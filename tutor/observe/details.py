"""The details of one process, read on demand: a snapshot is taken many times a second and leaves them out."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tutor import rlimits
from tutor.lazy_dataclass import dataclass, field
from tutor.observe.model import NO_CAPABILITIES
from tutor.observe.parts import parse_capabilities
from tutor.observe.procfs import ProcessDirectory, decoded, start_time_of, status_fields, text

if TYPE_CHECKING:
    from tutor.observe.model import Capabilities

_LIMITS = {words: constant for constant, words in rlimits.WORDS.items()}
SECCOMP_MODES = ("none", "strict", "filter")
_COLUMN = 26  # the width of the first column of /proc/PID/limits, in bytes


@dataclass(frozen=True, slots=True)
class ProcessDetails:
    """One process, as the reader's namespaces count ids.

    Attributes:
        uid, gid: the effective ids; groups: the supplementary ones.
        umask: the file mode creation mask, None where the kernel does not tell (`/proc/PID/status` since Linux 4.7).
        cwd, exe: paths below the process's own root; root: that root, as the reader sees it. Empty if unreadable.
        environ: the environment that execve(2) was given, without later changes (proc_pid_environ(5)); control characters are
            kept.
        limits: soft and hard limit by constant; None is unlimited.
        terminal: the device number of the controlling terminal, 0 for none (proc_pid_stat(5), tty_nr).
        seccomp: one of `SECCOMP_MODES`.
    """

    pid: int
    uid: int = -1
    gid: int = -1
    groups: tuple[int, ...] = ()
    umask: int | None = None
    cwd: str = ""
    exe: str = ""
    root: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    limits: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    terminal: int = 0
    no_new_privs: bool = False
    seccomp: str = "none"
    oom_score_adj: int = 0
    capabilities: Capabilities = NO_CAPABILITIES


def read_details(pid: int) -> ProcessDetails | None:
    """Return the details of one process; None if there is no such process. What may not be read is empty."""
    try:
        with ProcessDirectory(pid) as process:
            before = process.read("stat")
            status = status_fields(process.read("status"))
            details = ProcessDetails(
                pid=pid,
                uid=_effective(status, "Uid"),
                gid=_effective(status, "Gid"),
                groups=tuple(map(int, status.get("Groups", "").split())),
                umask=int(status["Umask"], 8) if "Umask" in status else None,
                cwd=process.link_or_note("cwd"),
                exe=process.link_or_note("exe"),
                root=process.link_or_note("root"),
                environ=parse_environ(process.read_or_note("environ")),
                limits=parse_limits(process.read_or_note("limits")),
                terminal=_terminal(before),
                no_new_privs=status.get("NoNewPrivs") == "1",
                seccomp=_seccomp(status),
                oom_score_adj=int(process.read_or_note("oom_score_adj") or 0),
                capabilities=parse_capabilities(status),
            )
            if start_time_of(process.read("stat")) != start_time_of(before):
                return None
            return details
    except OSError:
        return None


def _effective(status: dict[str, str], name: str) -> int:
    ids = status.get(name, "").split()
    return int(ids[1]) if len(ids) > 1 else -1


def _seccomp(status: dict[str, str]) -> str:
    number = int(status.get("Seccomp", "0"))
    return SECCOMP_MODES[number] if number < len(SECCOMP_MODES) else str(number)


def _terminal(stat: bytes) -> int:
    fields = stat[stat.rfind(b")") + 2 :].split()
    return int(fields[4]) if len(fields) > 4 else 0


def parse_environ(raw: bytes) -> dict[str, str]:
    """Return the variables of a `/proc/PID/environ`; of two with the same name the first counts, as for getenv(3)."""
    variables: dict[str, str] = {}
    for entry in raw.split(b"\0"):
        name, equals, value = entry.partition(b"=")
        if equals:
            variables.setdefault(decoded(name), decoded(value))
    return variables


def parse_limits(raw: bytes) -> dict[str, tuple[int | None, int | None]]:
    """Return the resources of a `/proc/PID/limits` (proc_pid_limits(5)), by the constants of setrlimit(2)."""
    limits: dict[str, tuple[int | None, int | None]] = {}
    for line in raw.splitlines()[1:]:
        constant = _LIMITS.get(text(line[:_COLUMN]).strip())
        values = line[_COLUMN:].split()
        if constant and len(values) >= 2:
            with suppress(ValueError):
                soft, hard = (None if value == b"unlimited" else int(value) for value in values[:2])
                limits[constant] = (soft, hard)
    return limits
