"""The containers of the experiments: one with nearly all features, one for a user namespace, one without namespaces."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tests.faults.world import MARK
from tests.support.runt import Bundle

if TYPE_CHECKING:
    from pathlib import Path

VARIANTS = ("full", "user", "host")
"""`full`: every namespace but the user's; `user`: that one too; `host`: no namespace, it mounts in the caller's."""

_IDS = 65536


def make_bundle(path: Path, variant: str, container_id: str) -> Path:
    """Make the bundle of a variant, and return its path."""
    bundle = Bundle(path)
    bundle.process.update(args=["sleep", "1000"], env=["PATH=/bin", f"{MARK}={os.environ[MARK]}"])
    bundle.linux.clear()
    hook = {"path": "/bin/true"}
    bundle.config["hooks"] = {kind: [hook] for kind in ("prestart", "createRuntime", "createContainer")}
    bundle.config["hooks"].update(startContainer=[{"path": "/bin/true"}], poststart=[hook], poststop=[hook])
    bundle.linux.update(cgroupsPath=f"/{container_id}", resources={"pids": {"limit": 100}})
    if variant != "host":
        _isolate(bundle)
    if variant == "user":
        mapping = [{"containerID": 0, "hostID": 100000, "size": _IDS}]
        bundle.linux["namespaces"].append({"type": "user"})
        bundle.linux.update(uidMappings=mapping, gidMappings=mapping)
        for directory, _, _ in os.walk(path):
            os.chown(directory, 100000, 100000)
    return bundle.save().path


def _isolate(bundle: Bundle) -> None:
    """Configure what `runc spec` has, and more."""
    options: dict[str, Any] = {"options": ["nosuid", "noexec"]}
    bundle.config["mounts"] += [
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", **options},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]},
        {"destination": "/etc/group", "source": "/etc/group", "options": ["bind", "ro"]},
    ]
    bundle.namespaces("pid", "network", "ipc", "uts", "cgroup")
    bundle.config.update(hostname="faults", root={"path": "rootfs", "readonly": True})
    bundle.linux.update(
        maskedPaths=["/proc/kcore", "/sys/firmware"],
        readonlyPaths=["/proc/sys"],
        sysctl={"net.ipv4.ip_forward": "1"},
        seccomp={
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": ["swapon"], "action": "SCMP_ACT_ERRNO"}],
        },
    )
