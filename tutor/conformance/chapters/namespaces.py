"""Namespaces: made, joined and inherited: config-linux.md."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.conformance.model import InapplicableError
from tutor.conformance.registry import add, check
from tutor.text.glyphs import DIFFERS

if TYPE_CHECKING:
    from tutor.conformance.subject import Subject
    from tutor.engines.trial import Bundle

_CLAUSE = "config-linux.md#namespaces"
# The name of the file in /proc/PID/ns of each type.
_FILES = {
    "mount": "mnt",
    "pid": "pid",
    "network": "net",
    "ipc": "ipc",
    "uts": "uts",
    "cgroup": "cgroup",
    "user": "user",
    "time": "time",
}
_TIME = "1.1.0"  # the first version of the specification with time namespaces
_EVERY = ("mount", "pid", "ipc", "uts")
_MAPPINGS: dict[str, Any] = {
    "uidMappings": [{"containerID": 0, "hostID": 0, "size": 65536}],
    "gidMappings": [{"containerID": 0, "hostID": 0, "size": 65536}],
}


def _patch(kinds: tuple[str, ...], path: tuple[str, str] | None = None) -> dict[str, Any]:
    """Return a patch for namespaces of these types, one of them joined."""
    namespaces = [{"type": each} for each in kinds]
    if path is not None:
        namespaces = [each for each in namespaces if each["type"] != path[0]]
        namespaces.append({"type": path[0], "path": path[1]})
    patch: dict[str, Any] = {"linux": {"namespaces": namespaces}}
    if "time" in kinds:
        patch["ociVersion"] = _TIME
    if "user" in kinds and path is None:
        patch["linux"].update(_MAPPINGS)
    return patch


def _since(kind: str) -> str:
    return _TIME if kind == "time" else "1.0.0"


def _inode(pid: int, kind: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/{_FILES[kind]}").readlink())
    except OSError:
        return ""


def _require(kind: str) -> None:
    if not Path(f"/proc/self/ns/{_FILES[kind]}").exists():
        raise InapplicableError("kernel", f"{kind} namespaces")


def _pid_of_program(box: Bundle) -> int:
    """Return the pid of the program once it runs: only then it is in a new time namespace."""
    box.until_true(lambda: "sleep" in _cmdline(box.pid()))
    return box.pid()


def _cmdline(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _new(kind: str) -> None:
    def run(t: Subject) -> None:
        _require(kind)
        kinds = tuple(dict.fromkeys((*_EVERY, kind)))
        with t.running(patch=_patch(kinds)) as box:
            own, outer = _inode(_pid_of_program(box), kind), _inode(t.lab.keeper_pid, kind)
            t.same(f"/proc/PID/ns/{_FILES[kind]}", DIFFERS, DIFFERS if own and own != outer else "=")

    add(f"namespaces.new-{kind}", _CLAUSE, run, text="namespaces.new", since=_since(kind), type=kind)


def _inherited(kind: str) -> None:
    def run(t: Subject) -> None:
        _require(kind)
        kinds = tuple(each for each in _EVERY if each != kind)
        with t.running(patch=_patch(kinds)) as box:
            own, outer = _inode(_pid_of_program(box), kind), _inode(t.lab.keeper_pid, kind)
            t.same(f"/proc/PID/ns/{_FILES[kind]}", outer, own)

    add(f"namespaces.inherited-{kind}", _CLAUSE, run, text="namespaces.inherited", type=kind)


def _joined(kind: str) -> None:
    def run(t: Subject) -> None:
        _require(kind)
        kinds = tuple(dict.fromkeys((*_EVERY, kind)))
        with t.running(patch=_patch(kinds)) as first:
            pid = _pid_of_program(first)
            path = f"/proc/{pid}/ns/{_FILES[kind]}"
            with t.running(patch=_patch(kinds, (kind, path))) as second:
                t.same(
                    f"/proc/PID/ns/{_FILES[kind]}", _inode(pid, kind), _inode(_pid_of_program(second), kind)
                )

    add(f"namespaces.joined-{kind}", _CLAUSE, run, text="namespaces.joined", type=kind)


for _kind in ("mount", "pid", "network", "ipc", "uts", "cgroup", "user", "time"):
    _new(_kind)
# Without a mount namespace the runtime mounts into the caller's.
for _kind in ("pid", "network", "ipc", "uts", "cgroup", "user", "time"):
    _inherited(_kind)
for _kind in ("pid", "network", "ipc", "uts", "cgroup", "user"):
    _joined(_kind)


@check("namespaces.pid-one", _CLAUSE)
def pid_one(t: Subject) -> None:
    """In a new PID namespace the program is process 1, and sees no other."""
    t.prints("echo $$; ls -d /proc/[0-9]* | head -1", "1 /proc/1")


@check("namespaces.path-of-another-type", _CLAUSE)
def path_of_another_type(t: Subject) -> None:
    """A `path` that is a namespace of another type is an error."""
    t.refuses(_patch(_EVERY, ("uts", f"/proc/{t.lab.keeper_pid}/ns/ipc")))


@check("namespaces.path-of-no-namespace", _CLAUSE)
def path_of_no_namespace(t: Subject) -> None:
    """A `path` that is no namespace is an error."""
    t.refuses(_patch(_EVERY, ("uts", "/etc/passwd")))


@check("namespaces.twice", _CLAUSE)
def twice(t: Subject) -> None:
    """One type twice is an error."""
    t.refuses({"linux": {"namespaces": [{"type": each} for each in (*_EVERY, "uts")]}})


@check("namespaces.uid-mappings", "config-linux.md#user-namespace-mappings")
def uid_mappings(t: Subject) -> None:
    """`uidMappings` and `gidMappings` are those of the new user namespace."""
    maps = [{"containerID": 0, "hostID": 0, "size": 1000}, {"containerID": 1000, "hostID": 5000, "size": 10}]
    patch = _patch((*_EVERY, "user"))
    patch["linux"].update({"uidMappings": maps, "gidMappings": maps})
    t.prints(
        "cat /proc/self/uid_map /proc/self/gid_map", " ".join(["0 0 1000 1000 5000 10"] * 2), patch=patch
    )


@check("namespaces.user-of-program", "config-linux.md#user-namespace-mappings")
def user_of_program(t: Subject) -> None:
    """In a user namespace the program's ids are those of the container."""
    patch = _patch((*_EVERY, "user"))
    patch["process"] = {"user": {"uid": 7, "gid": 8}}
    t.prints("id -u; id -g", "7 8", patch=patch)


def _offset(clock: str) -> None:
    def run(t: Subject) -> None:
        _require("time")
        patch = _patch((*_EVERY, "time"))
        patch["linux"]["timeOffsets"] = {clock: {"secs": 1234}}
        t.prints(f"grep {clock} /proc/self/timens_offsets", f"{clock} 1234 0", patch=patch)

    add(
        f"namespaces.offset-{clock}",
        "config-linux.md#offset-for-time-namespace",
        run,
        text="namespaces.offset",
        since=_TIME,
        clock=clock,
    )


for _clock in ("monotonic", "boottime"):
    _offset(_clock)


@check("namespaces.sysctl", "config-linux.md#sysctl")
def sysctl(t: Subject) -> None:
    """`sysctl` is set in the container, and not outside of it."""
    name = "/proc/sys/kernel/msgmax"
    before = Path(name).read_text().strip()
    with t.bundle(f"cat {name}", patch={"linux": {"sysctl": {"kernel.msgmax": "7777"}}}) as box:
        done = box.engine("run")
        t.ok(done, "run")
        t.same(name, "7777", done.stdout.strip())
        t.same(name, before, t.shell(f"cat {name}").stdout.strip())


@check("namespaces.sysctl-network", "config-linux.md#sysctl")
def sysctl_network(t: Subject) -> None:
    """A setting of the network is that of the container's own network namespace."""
    name = "net.ipv4.ip_default_ttl"
    file = f"/proc/sys/{name.replace('.', '/')}"
    if not Path(file).exists():
        raise InapplicableError("kernel", name)
    patch = _patch((*_EVERY, "network"))
    patch["linux"]["sysctl"] = {name: "77"}
    t.prints(f"cat {file}", "77", patch=patch)
