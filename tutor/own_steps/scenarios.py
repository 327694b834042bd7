"""What a learner's runtime is tried on, for each exercise: configurations and operations that show what its functions do.

The operations, with `;` between them:

- `create ID`, `create ID FOLDER` (of the bundle), `start ID` ...: a command of the runtime;
- `look MOMENT`: the kernel is asked; the word stands in differences, too;
- `ready`: wait until the program has printed its first line; `ended`: wait until it has ended;
- `printed WORD`: wait until it has printed this line;
- `console`: listen on the socket that `--console-socket` names.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from tutor.lazy_dataclass import dataclass, field
from tutor.own_steps.sandbox.places import BUNDLE, CONSOLE, PID_FILE, READY, ROOTFS

_PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
_DEV: dict[str, Any] = {
    "destination": "/dev",
    "type": "tmpfs",
    "source": "tmpfs",
    "options": ["nosuid", "mode=755", "size=64k"],
}
_BASE: dict[str, Any] = {
    "ociVersion": "1.0.2",
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": [],
        "env": [_PATH, "TERM=xterm"],
        "cwd": "/",
        "capabilities": {
            name: ["CAP_CHOWN", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"]
            for name in ("bounding", "effective", "permitted")
        },
    },
    "root": {"path": "rootfs"},
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        _DEV,
    ],
    "linux": {"namespaces": [{"type": kind} for kind in ("mount", "pid", "ipc", "uts")]},
}
_SLEEP = f"echo {READY}; exec sleep 600"
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "fd", "stdin", "stdout", "stderr")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One bundle and what is done with it.

    Attributes:
        script: what is done, see above.
        patch: what is changed in the configuration: objects are merged, None removes a member, an array replaces one (RFC 7396).
        program: what runs in the container, for `sh -c`.
        files: further files of the bundle, executable, by path.
        paths: of the container, whose type, mode, owner, numbers, link and mount are compared.
        bundle_paths: of the bundle, likewise.
        refused: the first `create` is to fail.
        privileged: it needs what root of a user namespace has not.
        shows: what ours must leave while the program runs (aspect, detail, value): without it the exercise can't be judged here.
    """

    script: str
    patch: dict[str, Any] = field(default_factory=dict)
    program: str = _SLEEP
    files: dict[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    bundle_paths: tuple[str, ...] = ()
    refused: bool = False
    privileged: bool = False
    shows: tuple[tuple[str, str, str], ...] = ()

    @property
    def operations(self) -> list[list[str]]:
        """Return the operations in the words that `sandbox.driver` plays."""
        return [_operation(part.split()) for part in self.script.split(";")]

    def config(self) -> dict[str, Any]:
        """Return its `config.json`."""
        base = copy.deepcopy(_BASE)
        base["process"]["args"] = ["/bin/sh", "-c", self.program]
        return _merged(base, self.patch)  # type: ignore[no-any-return]  # an object stays one


def _merged(config: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(config) if isinstance(config, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merged(result.get(name), value)
    return result


def _operation(words: list[str]) -> list[str]:
    if words[0] in ("look", "ready", "ended", "printed", "console"):
        return words
    if words[0] != "create":
        return ["run", *words]
    options = [word for word in words[1:] if word.startswith("--")]
    name, *folder = [word for word in words[1:] if not word.startswith("--")]
    return ["run", "create", "--bundle", "/".join([BUNDLE, *folder]), *options, name]


_RUNNING = "create box; look created; start box; ready; look running"
_END = "kill box KILL; ended; delete box; look deleted"
_LIFE = f"{_RUNNING}; {_END}"
_HOOK = """#!/bin/sh
echo "$1 in $(pwd): $(tr -d '\\n')" >> {log}
exit {status}
"""
_LOG = f"{BUNDLE}/hooks.log"
_HOOKS = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")
_TRAPS = f"trap 'echo USR1' USR1; trap 'echo USR2' USR2; trap 'echo TERM; exit 7' TERM; echo {READY}; while :; do sleep 600 & wait; done"
_PTS: dict[str, Any] = {
    "destination": "/dev/pts",
    "type": "devpts",
    "source": "devpts",
    "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
}


def _hook(name: str, path: str = f"{BUNDLE}/hook", **members: Any) -> dict[str, Any]:
    return {"path": path, "args": ["hook", name], "env": [_PATH], **members}


def _namespaces(*kinds: str, **paths: str) -> dict[str, Any]:
    entries = [{"type": kind} for kind in kinds]
    return {"namespaces": [*entries, *({"type": kind, "path": path} for kind, path in paths.items())]}


def _without(member: str, **changed: Any) -> str:
    """Return a `config.json` in the folder of a bundle that lacks a member."""
    config: dict[str, Any] = {
        "ociVersion": "1.0.2",
        "root": {"path": "../rootfs"},
        "process": {"args": ["sh"], "cwd": "/"},
        "linux": _namespaces("mount"),  # with nothing else to refuse it for
    }
    return json.dumps({name: value for name, value in {**config, **changed}.items() if name != member})


_WRONG = ("empty", "text", "list", "version", "root", "process", "rootfs", "args", "cwd")


SCENARIOS: dict[str, tuple[Scenario, ...]] = {
    "ids": (
        Scenario(
            f"create --pid-file={PID_FILE} box; look created; state box; create box; look refused; create ../outside; create a/b; create ..;"
            "start box; ready; create box; look running; kill box KILL; ended; create box; state box; delete box; look deleted;"
            "create box; state box; delete --force box; state box; create a_B-c+1.2; delete --force a_B-c+1.2; look end_of_all"
        ),
    ),
    "bundle": (
        Scenario(
            f"create box; state box; start box; ready; look running; {_END};"
            + ";".join(f"create wrong-{name} {name}" for name in _WRONG)
            + "; look refused; create fine fine; state fine; delete --force fine; look end_of_all",
            files={
                "empty/note": "",
                "text/config.json": "{",
                "list/config.json": "[]",
                "version/config.json": _without("ociVersion"),
                "root/config.json": _without("root"),
                "process/config.json": _without("process"),
                "rootfs/config.json": _without("", root={"path": "nowhere"}),
                "args/config.json": _without("", process={"args": [], "cwd": "/"}),
                "cwd/config.json": _without("", process={"args": ["sh"], "cwd": "tmp"}),
                "fine/config.json": _without("", root={"path": ROOTFS}),
            },
        ),
    ),
    "namespaces": (
        Scenario(_LIFE, {"linux": _namespaces("mount", "pid", "ipc", "uts", "network", "cgroup")}),
        Scenario(_LIFE, {"linux": _namespaces("mount")}),
        Scenario(_LIFE, {"linux": _namespaces("mount", "pid", "ipc", network="/proc/1/ns/net")}),
    ),
    "hostname": (
        Scenario(_LIFE, {"hostname": "hako", "domainname": "example.com"}),
        Scenario(_LIFE),
        Scenario(
            "create box; look end_of_all",
            {"hostname": "hako", "linux": _namespaces("mount", "pid")},
            refused=True,
        ),
    ),
    "root": (
        Scenario(_LIFE, paths=("/",)),
        Scenario("create box; look end_of_all", {"linux": _namespaces("pid", "uts")}, refused=True),
    ),
    "mounts": (
        Scenario(
            _LIFE,
            {
                "mounts": [
                    {
                        "destination": "/proc",
                        "type": "proc",
                        "source": "proc",
                        "options": ["nosuid", "noexec", "nodev"],
                    },
                    _DEV,
                    _PTS,
                    {
                        "destination": "/mnt",
                        "type": "tmpfs",
                        "source": "tmpfs",
                        "options": ["nodev", "noexec", "mode=1777", "size=1m"],
                    },
                    {
                        "destination": "/srv/data",
                        "type": "bind",
                        "source": "data",
                        "options": ["rbind", "ro", "nosuid"],
                    },
                    {
                        "destination": "/srv/slave",
                        "type": "none",
                        "source": "data",
                        "options": ["bind", "rw", "rslave"],
                    },
                    {
                        "destination": "/etc/motd",
                        "type": "bind",
                        "source": "data/file",
                        "options": ["bind", "ro"],
                    },
                    {"destination": "/opt/new/file", "source": "data/file", "options": ["bind"]},
                ],
                "root": {"path": "rootfs", "readonly": True},
                "linux": {
                    # The kernel always makes /proc/driver; a machine without ACPI has no /proc/acpi.
                    "maskedPaths": ["/proc/keys", "/proc/acpi", "/proc/driver", "/proc/not-there"],
                    "readonlyPaths": ["/proc/sys", "/proc/bus", "/proc/not-there"],
                },
            },
            files={"data/file": "data\n"},
            paths=(
                *("/", "/proc", "/dev", "/mnt", "/srv/data", "/srv/data/file", "/srv/slave"),
                *("/etc/motd", "/opt/new/file"),
                *("/proc/keys", "/proc/acpi", "/proc/driver", "/proc/sys", "/proc/bus"),
            ),
        ),
    ),
    "devices": (
        Scenario(
            _LIFE,
            {"linux": {"devices": [{"path": "/dev/queue", "type": "p", "fileMode": 0o622}]}},
            paths=("/dev", *(f"/dev/{name}" for name in _DEVICES), "/dev/queue"),
        ),
        Scenario(
            _LIFE,
            {
                "linux": {
                    "devices": [
                        {
                            "path": "/dev/fuse",
                            "type": "c",
                            "major": 10,
                            "minor": 229,
                            "fileMode": 0o640,
                            "uid": 1000,
                            "gid": 100,
                        },
                    ]
                }
            },
            paths=("/dev", "/dev/fuse"),
            privileged=True,
        ),
    ),
    "user": (
        Scenario(
            _LIFE,
            {
                "process": {
                    "user": {"uid": 1000, "gid": 1000, "additionalGids": [5, 100], "umask": 0o027},
                    "cwd": "/home/learner",
                    "noNewPrivileges": True,
                    "rlimits": [
                        {"type": "RLIMIT_NOFILE", "soft": 256, "hard": 512},
                        {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
                    ],
                    "capabilities": {
                        "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
                        "permitted": ["CAP_KILL", "CAP_NET_BIND_SERVICE"],
                        "inheritable": ["CAP_NET_BIND_SERVICE"],
                        "effective": ["CAP_KILL", "CAP_NET_BIND_SERVICE"],
                        "ambient": ["CAP_NET_BIND_SERVICE"],
                    },
                }
            },
        ),
        Scenario(_LIFE, {"process": {"capabilities": None}}),
    ),
    "fifo": (
        Scenario(f"create box; look created; state box; start box; ready; look running; {_END}"),
        Scenario("create box; look created; kill box KILL; ended; state box; delete box; look deleted"),
    ),
    "start": (
        Scenario(
            f"{_RUNNING}; start box; look refused; kill box KILL; ended; start box; state box; delete box; look deleted"
        ),
        Scenario(
            "create box; look created; start box; ended; state box; delete --force box; look deleted",
            {"process": {"args": ["/no/such/program"]}},
        ),
        Scenario("create box; kill box KILL; ended; start box; delete box; look deleted"),
    ),
    "state": (
        Scenario(
            "list --format json; create box; look created; state box; start box; ready; look running; state box;"
            "create abako; list --format json; kill box KILL; ended; state box; state abako; list --format json; state nobody;"
            "delete box; delete --force abako; list --format json; look deleted",
            {"annotations": {"com.example.key": "value"}},
        ),
    ),
    "kill": (
        Scenario(
            "create box; start box; ready; kill box USR1; printed USR1; look running; kill box SIGUSR2; printed USR2; kill box 15; ended; look ended;"
            "kill box TERM; state box; delete box; look deleted; kill box TERM",
            program=_TRAPS,
        ),
        Scenario("create box; look created; kill box KILL; ended; look ended; delete box; look deleted"),
    ),
    "delete": (
        Scenario(
            "create box; look created; delete box; look refused; start box; ready; delete box; look running; kill box KILL; ended;"
            "delete box; look deleted; delete box; state box"
        ),
        Scenario(
            "create box; start box; ready; look running; delete --force box; look deleted; create box; delete --force box; look end_of_all"
        ),
    ),
    "hooks": (
        Scenario(
            _LIFE,
            {
                "hooks": {
                    **{name: [_hook(name), _hook(f"{name}-again")] for name in _HOOKS},
                    "startContainer": [_hook("startContainer", "/srv/hook")],
                }
            },
            files={
                "hook": _HOOK.format(log=_LOG, status=0),
                "rootfs/srv/hook": _HOOK.format(log="/srv/hooks.log", status=0),
            },
            bundle_paths=("hooks.log", "rootfs/srv/hooks.log"),
        ),
        Scenario(
            "create box; look failed; state box",
            {
                "hooks": {
                    "createRuntime": [_hook("first"), _hook("bad", f"{BUNDLE}/bad"), _hook("never")],
                    "createContainer": [_hook("never")],
                }
            },
            files={"hook": _HOOK.format(log=_LOG, status=0), "bad": _HOOK.format(log=_LOG, status=1)},
            bundle_paths=("hooks.log",),
            refused=True,
        ),
        Scenario(
            "create box; look failed",
            {"hooks": {"createRuntime": [_hook("slow", f"{BUNDLE}/slow", timeout=1), _hook("never")]}},
            files={"hook": _HOOK.format(log=_LOG, status=0), "slow": "#!/bin/sh\nexec sleep 600\n"},
            bundle_paths=("hooks.log",),
            refused=True,
        ),
    ),
    "cgroups": (
        Scenario(
            _LIFE,
            {
                "linux": {
                    "cgroupsPath": "/course/hako",
                    "resources": {
                        "pids": {"limit": 20},
                        "memory": {"limit": 64 << 20},
                        "cpu": {"shares": 512, "quota": 50_000, "period": 100_000},
                    },
                }
            },
            shows=(("cgroup", "pids.max", "20"),),
        ),
        Scenario(
            f"{_RUNNING}; delete --force box; look deleted", {"linux": {"resources": {"pids": {"limit": 0}}}}
        ),
    ),
    "console": (
        Scenario(
            f"console; create --console-socket={CONSOLE} box; look created; start box; ready; look running; {_END}",
            {
                "process": {"terminal": True, "consoleSize": {"height": 25, "width": 100}},
                "mounts": [*_BASE["mounts"], _PTS],
            },
            paths=("/dev/console", "/dev/ptmx"),
        ),
        Scenario("create box; look end_of_all", {"process": {"terminal": True}}, refused=True),
    ),
}
"""By the ids of exercises."""
