"""Loading and checking `config.json`: after `load`, no step of the runtime needs to check a type again."""

from __future__ import annotations

from runtime.config.document import locate, parse, read, too_deep
from runtime.config.id_maps import write_out_id_maps
from runtime.config.machine_rules import check_net_devices_here
from runtime.config.members import CONFIG, PROCESS
from runtime.config.rules import RULES, check_process_itself
from runtime.config.shape import Mismatch, name_place
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.config.document import Place
    from runtime.config.types import Config, ProcessConfig

__all__ = ["load", "load_process"]

_CLAUSES: dict[Place, str] = {
    (): "config.md",
    ("ociVersion",): "config.md, Specification version",
    ("root",): "config.md, Root",
    ("mounts",): "config.md, Mounts",
    ("process",): "config.md, Process",
    ("process", "user"): "config.md, User",
    ("hostname",): "config.md, Hostname",
    ("domainname",): "config.md, Domainname",
    ("hooks",): "config.md, POSIX-platform Hooks",
    ("annotations",): "config.md, Annotations",
    ("linux",): "config-linux.md",
    ("linux", "namespaces"): "config-linux.md, Namespaces",
    ("linux", "uidMappings"): "config-linux.md, User namespace mappings",
    ("linux", "gidMappings"): "config-linux.md, User namespace mappings",
    ("linux", "timeOffsets"): "config-linux.md, Offset for Time Namespace",
    ("linux", "devices"): "config-linux.md, Devices",
    ("linux", "netDevices"): "config-linux.md, Network Devices",
    ("linux", "cgroupsPath"): "config-linux.md, Cgroups Path",
    ("linux", "resources"): "config-linux.md, Control groups",
    ("linux", "intelRdt"): "config-linux.md, IntelRdt",
    ("linux", "memoryPolicy"): "config-linux.md, Memory policy",
    ("linux", "sysctl"): "config-linux.md, Sysctl",
    ("linux", "seccomp"): "config-linux.md, Seccomp",
    ("linux", "rootfsPropagation"): "config-linux.md, Rootfs Mount Propagation",
    ("linux", "maskedPaths"): "config-linux.md, Masked Paths",
    ("linux", "readonlyPaths"): "config-linux.md, Readonly Paths",
    ("linux", "mountLabel"): "config-linux.md, Mount Label",
    ("linux", "personality"): "config-linux.md, Personality",
}
"""The clauses of runtime-spec 1.3.0 for the parts of the file."""


def load(path: str, *, restored: bool = False) -> Config:
    """Return the checked content of the configuration file `path`, with the names that it has in JSON.

    `root`, `process`, `process.user` (with `uid` and `gid`) and `linux` are always there, every other member that
    the file does not set is absent; so is a member that runt does not know. A file without `process` gets one
    without `args`: such a container can be created, but not started (config.md, Process: "REQUIRED when `start` is called").
    `restored`: it is that of a container that has been there before, and has the network devices already.
    Raises RuntError with the position in the file (line, column, and the member's name), what was expected, what was
    found, and the clause of the specification.
    """
    text = read(path)
    try:
        return _check(parse(path, text), restored=restored)
    except RecursionError:
        raise too_deep(path, text) from None
    except Mismatch as mismatch:
        where = locate(text, mismatch.place)
        sentence = f"{name_place(mismatch.place)}{mismatch.text}"
        raise RuntError(f"{path}:{where}: {sentence} ({_clause(mismatch.place)})") from None


def load_process(path: str) -> ProcessConfig:
    """Return the checked `process` that is alone in the file `path` (`exec --process`), in the form that `load` promises.

    Raises RuntError as `load` does.
    """
    text = read(path, stream=True)
    try:
        checked: Any = PROCESS.check(parse(path, text), ())
        _set_user(checked)
        check_process_itself(checked, ())
    except RecursionError:
        raise too_deep(path, text) from None
    except Mismatch as mismatch:
        where = locate(text, mismatch.place)
        place: Place = ("process", *mismatch.place)
        raise RuntError(f"{path}:{where}: {name_place(place)}{mismatch.text} ({_clause(place)})") from None
    process: ProcessConfig = checked
    return process


def _check(document: object, *, restored: bool = False) -> Config:
    """Return `document` in the form that `load` promises. Raises Mismatch."""
    checked: Any = CONFIG.check(document, ())
    checked.setdefault("linux", {})
    _set_user(checked.setdefault("process", {"args": [], "cwd": "/"}))
    config: Config = checked
    write_out_id_maps(config)
    for rule in RULES:
        if not (restored and rule is check_net_devices_here):
            rule(config)
    _read_as_then(config)
    return config


def _read_as_then(config: Config) -> None:
    """Give values the meaning that they had in the version of the specification that the file is written for.

    config-linux.md, PIDs: since 1.3.0 a limit of 0 is a limit. Engines wrote 0 for no limit before (podman 4.3), and runc
    before 1.4 took it so.
    """
    pids = config["linux"].get("resources", {}).get("pids", {})
    if pids.get("limit") == 0 and int(config["ociVersion"].split(".")[1]) < 3:
        pids["limit"] = -1


def _set_user(process: Any) -> None:
    """Fill in the user where the file leaves it out."""
    user = process.setdefault("user", {})
    user.setdefault("uid", 0)
    user.setdefault("gid", 0)


def _clause(place: Place) -> str:
    """Return the clause for the value at `place`."""
    for length in range(len(place), -1, -1):
        clause = _CLAUSES.get(place[:length])
        if clause is not None:
            return clause
    return _CLAUSES[()]
