"""Checks on the container's processes: their program, user, limits, and what they wait for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tutor import rlimits
from tutor.course.checks.registry import Argument, kind
from tutor.course.checks.tally import CONTAINER, Tally, living, no_process
from tutor.home import command_line
from tutor.lazy_dataclass import dataclass
from tutor.observe import Process, ProcessDetails, read_details
from tutor.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tutor.course.checks.context import CheckContext, Finding
    from tutor.messages import Messages
    from tutor.observe import ContainerView

UNLIMITED = "unlimited"
OF = Argument("of", "word", known=("init", "any"))
"""The process to examine: the container's first (default), or any of the container's, also those that `exec` has started."""


class _Seen(NamedTuple):
    """A process of a snapshot, with its details."""

    process: Process
    details: ProcessDetails


class _Answer(NamedTuple):
    """What was found for one condition on a process: the parts of an `Evidence`."""

    holds: bool
    looked_at: str
    expected: str
    found: str
    command: str


@kind(
    "process",
    OF,
    Argument("runs", "texts"),
    Argument("runs_not", "texts"),
    Argument("waits_for", "text"),
    Argument("uid", "integer"),
    Argument("gid", "integer"),
    Argument("groups", "integers"),
    Argument("umask", "text"),
    Argument("cwd", "text"),
    Argument("exe", "text"),
    Argument("root", "text"),
    Argument("env", "map", members=(Argument("value", "text"),)),
    Argument("env_lacks", "texts"),
    Argument(
        "rlimit",
        "records",
        members=(
            Argument("type", "word", required=True, known=rlimits.NAMES),
            Argument("soft", "integer", known=(UNLIMITED,)),
            Argument("hard", "integer", known=(UNLIMITED,)),
        ),
    ),
    Argument("ns_pid", "integer"),
    Argument("state", "words", known=("R", "S", "D", "T", "t", "Z", "I")),
    Argument("tty", "boolean"),
    Argument("no_new_privs", "boolean"),
    Argument("oom_score_adj", "integer"),
    Argument("count", "integer"),
    CONTAINER,
    one_of=(
        *("runs", "runs_not", "waits_for", "uid", "gid", "groups", "umask", "cwd", "exe", "root", "env"),
        *("env_lacks", "rlimit", "ns_pid", "state", "tty", "no_new_privs", "oom_score_adj", "count"),
    ),
)
def process(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """The container's first process runs this program with these arguments, or does not, waits for this file, has this user ID ...

    - `of: any`: one process of the container meets all conditions.
    - `runs`: the first words of its command line; the first word is compared by its last path component.
    - User and group IDs are those in the lab's user namespace.
    - `env`: the environment with which the program was executed.
    - `cwd`, `exe`: paths in the root of the process; `root`: that root as seen from the lab, `/` after pivot_root(2).
    - `tty`: it has a controlling terminal.
    - `count`: the number of processes in the container.
    """
    context = context.about(arguments.get("container"))
    words, view, tally = context.messages, living(context), Tally()
    asked = [name for name in _QUESTIONS if name in arguments]
    seen = _candidates(view, anyone=arguments.get("of") == "any") if view else []
    if view is None or not seen:
        answers = [answer for name in asked for answer in _ask(words, name, _nobody(), arguments)]
        expected = words("course.check.and").join(answer.expected for answer in answers)
        looked_at = answers[0].looked_at if answers else "/proc/PID"
        return no_process(context, looked_at.replace("/proc/0/", "/proc/PID/"), expected)
    tried = [[answer for name in asked for answer in _ask(words, name, each, arguments)] for each in seen]
    for answer in max(tried, key=lambda answers: sum(answer.holds for answer in answers)):
        tally.add(*answer)
    if "count" in arguments:
        number = len(view.processes)
        tally.add(
            number == arguments["count"],
            words("course.check.process.count"),
            str(arguments["count"]),
            str(number),
            f"{context.engine} ps {context.container_id}",
        )
    return tally.finding


def _candidates(view: ContainerView, *, anyone: bool) -> list[_Seen]:
    processes = view.processes if anyone else [each for each in view.processes if each.pid == view.pid]
    return [_Seen(each, details) for each in processes if (details := read_details(each.pid))]


def _nobody() -> _Seen:
    """Return a process without any details: it tells what was expected where there is no process."""
    process = Process(0, 0, 0, "?", "", (), "", 0, 0, None)
    return _Seen(process, ProcessDetails(0))


def details_of(view: ContainerView, *, anyone: bool) -> list[ProcessDetails]:
    """Return the details of the container's first process, or of all its processes."""
    return [each.details for each in _candidates(view, anyone=anyone)]


def _ask(words: Messages, name: str, seen: _Seen, arguments: Mapping[str, Any]) -> Iterator[_Answer]:
    return _QUESTIONS[name](words, seen, arguments[name])


def _runs(words: Messages, seen: _Seen, wanted: tuple[str, ...]) -> Iterator[_Answer]:
    del words
    yield _command_line(seen, _is_running(seen.process, wanted), command_line(wanted))


def _runs_not(words: Messages, seen: _Seen, unwanted: tuple[str, ...]) -> Iterator[_Answer]:
    expected = words("course.check.process.not_yet", program=command_line(unwanted))
    yield _command_line(seen, not _is_running(seen.process, unwanted), expected)


def _command_line(seen: _Seen, holds: bool, expected: str) -> _Answer:
    path = f"/proc/{seen.process.pid}/cmdline"
    found = command_line(seen.process.words) or seen.process.comm
    return _Answer(holds, path, expected, found, f"tr '\\0' ' ' < {path}")


def _is_running(process: Process, words: tuple[str, ...]) -> bool:
    program = [Path(each).name if number == 0 else each for number, each in enumerate(process.cmdline)]
    return tuple(program[: len(words)]) == words


def _waits_for(words: Messages, seen: _Seen, name: str) -> Iterator[_Answer]:
    pid = seen.process.pid
    waits, what = _waits(seen.process, name)
    yield _Answer(
        waits,
        f"/proc/{pid}/syscall",
        words("course.check.process.waits_for", file=name),
        what or words("course.check.process.waits_not"),
        f"ls -l /proc/{pid}/fd; cat /proc/{pid}/syscall",
    )


def _waits(process: Process, name: str) -> tuple[bool, str]:
    """Return whether a process is blocked on a file of this name, and what it is blocked on.

    runc and runt block in open(2) of the exec FIFO. crun has it open already and waits in select(2): then the wait names no path, and
    the open descriptors are examined.
    """
    wait = process.waits_for
    if wait is None:
        return False, ""
    if wait.path and Path(wait.path).name == name:
        return True, wait.summary
    held = _open_file(process.pid, name)
    return bool(held), f"{wait.summary}, {held}" if held else wait.summary


def _open_file(pid: int, name: str) -> str:
    try:
        for each in Path(f"/proc/{pid}/fd").iterdir():
            target = each.readlink()
            if target.name == name:
                return f"fd {each.name} → {target}"
    except OSError:
        return ""
    return ""


@dataclass(frozen=True, slots=True)
class _Field:
    """A condition on one value: how to get it, its file in `/proc/PID` and its line there, how to show it."""

    value: Callable[[_Seen], object]
    line: str
    file: str = "status"
    show: Callable[[Any], str] = str

    def __call__(self, words: Messages, seen: _Seen, wanted: Any) -> Iterator[_Answer]:
        del words
        found, path = self.value(seen), f"/proc/{seen.process.pid}/{self.file}"
        yield _Answer(
            found == wanted,
            f"{path} {self.line}".strip(),
            self.show(wanted),
            self.show(found),
            f"grep {self.line} {path}" if self.line else f"cat {path}",
        )


def _groups(words: Messages, seen: _Seen, wanted: tuple[int, ...]) -> Iterator[_Answer]:
    """Compare groups without regard to their order."""
    field = _Field(lambda each: tuple(sorted(each.details.groups)), "Groups", show=_numbers)
    return field(words, seen, tuple(sorted(wanted)))


def _numbers(values: tuple[int, ...]) -> str:
    return " ".join(map(str, values)) or "-"


def _umask(words: Messages, seen: _Seen, wanted: str) -> Iterator[_Answer]:
    field = _Field(lambda each: each.details.umask, "Umask", show=lambda v: "?" if v is None else f"{v:04o}")
    return field(words, seen, int(wanted, 8) if wanted.isdigit() and not set(wanted) & set("89") else None)


def _link(name: str) -> Callable[[Messages, _Seen, str], Iterator[_Answer]]:
    def ask(words: Messages, seen: _Seen, wanted: str) -> Iterator[_Answer]:
        del words
        details, path = seen.details, f"/proc/{seen.process.pid}/{name}"
        found: str = getattr(details, name)
        holds = _ends_so(found, wanted) if name == "root" else _inside(found, details.root) == wanted
        yield _Answer(holds, path, wanted, found or "?", f"readlink {path}")

    return ask


def _inside(path: str, root: str) -> str:
    """Return a path relative to a root: after pivot_root(2) the kernel shows it so, after chroot(2) with the path of the root."""
    root = root.rstrip("/")
    return path[len(root) :] or "/" if root and f"{path}/".startswith(f"{root}/") else path


def _ends_so(path: str, wanted: str) -> bool:
    return path == wanted or (wanted != "/" and path.endswith(f"/{wanted.strip('/')}"))


def _env(words: Messages, seen: _Seen, wanted: dict[str, str]) -> Iterator[_Answer]:
    for name, value in wanted.items():
        found = seen.details.environ.get(name)
        shown = words("course.check.json.absent") if found is None else visible(f"{name}={found}")
        yield _environment(seen, found == value, f"{name}={value}", shown)


def _env_lacks(words: Messages, seen: _Seen, names: tuple[str, ...]) -> Iterator[_Answer]:
    for name in names:
        found, absent = seen.details.environ.get(name), words("course.check.process.without", name=name)
        shown = absent if found is None else visible(f"{name}={found}")
        yield _environment(seen, found is None, absent, shown)


def _environment(seen: _Seen, holds: bool, expected: str, found: str) -> _Answer:
    path = f"/proc/{seen.process.pid}/environ"
    return _Answer(holds, path, expected, found, f"tr '\\0' '\\n' < {path}")


def _rlimit(words: Messages, seen: _Seen, wanted: tuple[dict[str, Any], ...]) -> Iterator[_Answer]:
    del words
    path = f"/proc/{seen.process.pid}/limits"
    for each in wanted:
        soft, hard = seen.details.limits.get(each["type"], (-1, -1))
        found = {"soft": UNLIMITED if soft is None else soft, "hard": UNLIMITED if hard is None else hard}
        sides = {side: each[side] for side in ("soft", "hard") if side in each}
        yield _Answer(
            all(found[side] == value for side, value in sides.items()),
            f"{path} {each['type']}",
            ", ".join(f"{side} = {value}" for side, value in sides.items()),
            ", ".join(f"{side} = {value}" for side, value in found.items() if value != -1) or "?",
            f"grep '{rlimits.WORDS[each['type']]}' {path}",
        )


def _state(words: Messages, seen: _Seen, wanted: tuple[str, ...]) -> Iterator[_Answer]:
    path, found = f"/proc/{seen.process.pid}/status", seen.process.state
    expected = words("course.check.or").join(wanted)
    yield _Answer(found in wanted, f"{path} State", expected, found, f"grep State {path}")


def _tty(words: Messages, seen: _Seen, wanted: bool) -> Iterator[_Answer]:
    pid, has = seen.process.pid, bool(seen.details.terminal)
    said = {side: words(f"course.check.process.{side}") for side in ("terminal", "no_terminal")}
    yield _Answer(
        has == wanted,
        f"/proc/{pid}/stat tty_nr",
        said["terminal" if wanted else "no_terminal"],
        said["terminal" if has else "no_terminal"],
        f"ps -o pid,tty,args -p {pid}",
    )


_QUESTIONS: dict[str, Callable[[Messages, _Seen, Any], Iterator[_Answer]]] = {
    "runs": _runs,
    "runs_not": _runs_not,
    "waits_for": _waits_for,
    "uid": _Field(lambda seen: seen.details.uid, "Uid"),
    "gid": _Field(lambda seen: seen.details.gid, "Gid"),
    "groups": _groups,
    "umask": _umask,
    "cwd": _link("cwd"),
    "exe": _link("exe"),
    "root": _link("root"),
    "env": _env,
    "env_lacks": _env_lacks,
    "rlimit": _rlimit,
    "ns_pid": _Field(lambda seen: seen.process.ns_pid, "NSpid"),
    "state": _state,
    "tty": _tty,
    "no_new_privs": _Field(
        lambda seen: seen.details.no_new_privs, "NoNewPrivs", show=lambda value: str(int(value))
    ),
    "oom_score_adj": _Field(lambda seen: seen.details.oom_score_adj, "", "oom_score_adj"),
}
