"""`spec`: a sample `config.json`.

It is what `runc spec` 1.1.5 writes, but for the hostname and the version of the specification, and without ambient
capabilities, which the kernel doesn't grant without the inheritable ones that the file doesn't ask for.
`runt spec && runt run x` works.
"""

from __future__ import annotations

import os

from runtime.state.store import SPEC_VERSION
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import Config, Mount, Namespace, NamespaceType

_CAPABILITIES = ("CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE")
_NAMESPACES: tuple[NamespaceType, ...] = ("pid", "network", "ipc", "uts", "mount")
_MASKED_PATHS = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/sys/firmware",
    "/proc/scsi",
)
_READONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def write(bundle: str = "", *, rootless: bool = False) -> None:
    """Write `config.json` into the directory `bundle` (default: the current one).

    With `rootless`, one for a container that needs no privileges outside a user namespace of its own.
    Raises RuntError if there is a `config.json` already or it can't be written.
    """
    from runtime.support import jsontext

    path = os.path.join(bundle, "config.json")
    if bundle and not os.path.isdir(bundle):
        raise RuntError(f"chdir {bundle}: no such file or directory")
    config = make_config(rootless=rootless)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        raise RuntError("File config.json exists. Remove it first") from None
    except OSError as error:
        raise RuntError(f"cannot write the configuration: {describe(error)}") from None
    with open(fd, "w", encoding="utf-8") as file:
        file.write(jsontext.pretty(config, indent="\t"))


def make_config(*, rootless: bool = False) -> Config:
    """Return the configuration that `write` writes."""
    config: Config = {
        "ociVersion": SPEC_VERSION,
        "process": {
            "terminal": True,
            "user": {"uid": 0, "gid": 0},
            "args": ["sh"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": {
                "bounding": list(_CAPABILITIES),
                "effective": list(_CAPABILITIES),
                "permitted": list(_CAPABILITIES),
            },
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": True},
        "hostname": "runt",
        "mounts": _mounts(),
        "linux": {
            "resources": {"devices": [{"allow": False, "access": "rwm"}]},
            "namespaces": _namespaces(),
            "maskedPaths": list(_MASKED_PATHS),
            "readonlyPaths": list(_READONLY_PATHS),
        },
    }
    if rootless:
        _make_rootless(config)
    return config


def _mounts() -> list[Mount]:
    return [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {
            "destination": "/dev",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
        },
        {
            "destination": "/dev/pts",
            "type": "devpts",
            "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        },
        {
            "destination": "/dev/shm",  # noqa: S108 - a path in the container
            "type": "tmpfs",
            "source": "shm",
            "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
        },
        {
            "destination": "/dev/mqueue",
            "type": "mqueue",
            "source": "mqueue",
            "options": ["nosuid", "noexec", "nodev"],
        },
        {
            "destination": "/sys",
            "type": "sysfs",
            "source": "sysfs",
            "options": ["nosuid", "noexec", "nodev", "ro"],
        },
        {
            "destination": "/sys/fs/cgroup",
            "type": "cgroup",
            "source": "cgroup",
            "options": ["nosuid", "noexec", "nodev", "relatime", "ro"],
        },
    ]


def _namespaces() -> list[Namespace]:
    """Return the namespaces of a container; one for cgroups only with cgroup v2, as runc does."""
    namespaces: list[Namespace] = [{"type": kind} for kind in _NAMESPACES]
    if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        namespaces.append({"type": "cgroup"})
    return namespaces


def _make_rootless(config: Config) -> None:
    """Leave out what an unprivileged user may not have: a new network namespace, a new sysfs, a tty group, resources."""
    linux = config["linux"]
    del linux["resources"]
    linux["namespaces"] = [entry for entry in _namespaces() if entry["type"] != "network"]
    linux["namespaces"].append({"type": "user"})
    linux["uidMappings"] = [{"containerID": 0, "hostID": os.geteuid(), "size": 1}]
    linux["gidMappings"] = [{"containerID": 0, "hostID": os.getegid(), "size": 1}]
    for mount in config["mounts"]:
        if mount["destination"] == "/sys":
            mount["type"] = "none"
            mount["source"] = "/sys"
            mount["options"] = ["rbind", "nosuid", "noexec", "nodev", "ro"]
        elif "gid=5" in mount.get("options", ()):
            mount["options"].remove("gid=5")
