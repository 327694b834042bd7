"""`features`: what this runtime implements, for callers to check before they use it (features.md 1.3.0).

The kernel of this machine need not have all of it.
"""

from __future__ import annotations

from runtime import __version__
from runtime.config import mount_options
from runtime.config import seccomp as seccomp_members
from runtime.config.members import HOOKS, NAMESPACES
from runtime.kernel import scheduling
from runtime.kernel import seccomp as kernel
from runtime.process import capabilities
from runtime.seccomp import install as seccomp
from runtime.state.store import SPEC_VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_OLDEST_SPEC_VERSION = "1.0.0"


def features() -> dict[str, Any]:
    """Return the features structure."""
    return {
        "ociVersionMin": _OLDEST_SPEC_VERSION,
        "ociVersionMax": SPEC_VERSION,
        "hooks": list(HOOKS),
        "mountOptions": mount_option_names(),
        "linux": {
            "namespaces": sorted(NAMESPACES),
            "capabilities": list(capabilities.NAMES),
            "cgroup": {"v1": True, "v2": True, "systemd": True, "systemdUser": True, "rdma": True},
            "seccomp": _seccomp(),
            "apparmor": {"enabled": True},
            "selinux": {"enabled": True},
            "memoryPolicy": {
                "modes": sorted(scheduling.MEMORY_MODES),
                "flags": sorted(scheduling.MEMORY_FLAGS),
            },
            "intelRdt": {"enabled": False, "schemata": False, "monitoring": False},
            "mountExtensions": {"idmap": {"enabled": True}},
            "netDevices": {"enabled": True},
        },
        "annotations": {
            "org.opencontainers.runt.checkpoint.enabled": "true",
            "org.opencontainers.runt.version": __version__,
        },
        "potentiallyUnsafeConfigAnnotations": [
            "org.criu.config",
            "run.oci.keep_original_groups",
            "run.oci.seccomp_fail_unknown_syscall",
        ],
    }


def _seccomp() -> dict[str, Any]:
    """Return the features of seccomp; `supportedFlags` are those that the kernel of this machine has too."""
    # A flag that is for a listener is taken together with the one that asks for a listener.
    numbers = {name: seccomp.FLAGS[name] | kernel.FLAG_NEW_LISTENER for name in seccomp_members.FLAGS}
    return {
        "enabled": True,
        "actions": list(seccomp_members.ACTIONS),
        "operators": list(seccomp_members.OPERATORS),
        "archs": list(seccomp_members.ARCHITECTURES),
        "knownFlags": list(seccomp_members.FLAGS),
        "supportedFlags": [name for name, number in numbers.items() if kernel.takes_flags(number)],
    }


def mount_option_names() -> list[str]:
    """Return the mount options that runt handles itself and does not pass to the filesystem, sorted."""
    return sorted(set(mount_options.NAMES))
