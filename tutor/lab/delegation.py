"""Have the user's own systemd give this process a cgroup, where it has none with controllers; cgroups(7), Delegation.

The cgroup of a login (`session-1.scope`) belongs to root. The user's systemd has one that the machine's has delegated to it, and
makes scopes there; only the machine's systemd may move a process into one, and does so when the user's asks it to.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time

from tutor import patience
from tutor.lab import cgroups
from tutor.paths import search_path

_LEAF = "program"
_SECONDS = 5.0  # until systemd has answered, and until it has moved this process


def move_into_scope() -> None:
    """Move this process, which must have a single thread, into a scope of this user's own; do nothing where that can't be had.

    The scope ends with its last process, and systemd removes it with all that is below it.
    """
    hierarchy = cgroups.version2_alone()
    if hierarchy is None or cgroups.can_give_limits(hierarchy) or not is_offered():
        return
    name = f"oci-tutor-{os.getpid()}.scope"
    if not _ask_for(name):
        return
    deadline = time.monotonic() + patience.scaled(_SECONDS)
    while time.monotonic() < deadline:
        found = cgroups.version2_alone()
        if found is not None and os.path.basename(found.own) == name:  # noqa: PTH119  (as the lab's other modules)
            cgroups.divide(found.own, _LEAF)
            return
        time.sleep(0.01)


def can_have_cgroup() -> bool:
    """Return whether the labs of this ordinary user have a cgroup with the controllers for limits."""
    hierarchy = cgroups.version2_alone()
    return hierarchy is not None and (cgroups.can_give_limits(hierarchy) or is_offered())


def is_offered() -> bool:
    """Return whether this user has a systemd that can be asked, to which the controllers for limits were delegated."""
    hierarchy, uid = cgroups.version2_alone(), os.geteuid()
    if hierarchy is None or not os.path.exists(_bus(uid)):  # noqa: PTH110  (as the lab's other modules)
        return False
    delegated = f"{hierarchy.mount}/user.slice/user-{uid}.slice/user@{uid}.service"
    # Where systemd can't be seen (pid_namespaces(7)), it knows this process by another pid, and would move another process.
    return cgroups.has_limits(delegated) and cgroups.can_see_members(f"{delegated}/init.scope")


def _ask_for(name: str) -> bool:
    """Ask for a scope (org.freedesktop.systemd1(5), StartTransientUnit); return whether it will be made."""
    tool = shutil.which("busctl", path=search_path())
    if tool is None:
        return False
    properties = {
        "Description": ("s", "oci-tutor"),
        "PIDs": ("au", "1", str(os.getpid())),
        "Delegate": ("b", "true"),
        "CollectMode": ("s", "inactive-or-failed"),
    }
    command = (
        *(tool, f"--address=unix:path={_bus(os.geteuid())}", "call"),
        *("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"),
        *("StartTransientUnit", "ssa(sv)a(sa(sv))", name, "fail", str(len(properties))),
        *(word for key, value in properties.items() for word in (key, *value)),
        "0",
    )
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience.scaled(_SECONDS),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _bus(uid: int) -> str:
    return f"/run/user/{uid}/bus"
