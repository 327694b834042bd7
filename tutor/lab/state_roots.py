"""The engines' default state roots (`/run/runc` ...), covered by a private tmpfs in the lab.

So a learner types `runt create alpine-test` with no `--root`, and neither sees nor touches the host's containers. A directory
to mount on must exist on the host. One that we had to make carries the sticky bit as our mark, and every lab holds a shared
lock on it: the last lab to end removes it. (rmdir(2) of a directory that another lab has mounted on would unmount there.)
"""

from __future__ import annotations

import fcntl
import os
import stat
import time

DIRECTORIES = ("/run/runt", "/run/runc", "/run/crun")
# Where dockerd, its containerd, their shims and podman keep state and images, when they run in a lab (`LabOptions.covers`).
DAEMONS = (
    *("/run/docker", "/run/containerd", "/run/containers", "/run/libpod"),
    *("/etc/docker", "/var/lib/docker", "/var/lib/containers"),
)
_OURS = 0o1700
_PATIENCE = (
    0.3  # seconds; whoever cleans up beside us holds a directory only for a moment, another lab for long
)


def acquire(directory: str) -> int:
    """Make the directory if need be and hold it; return the descriptor that holds it.

    Raises:
        OSError: it does not exist and cannot be made (read-only /run, no space).
    """
    while True:
        try:
            os.mkdir(directory, 0o700)  # noqa: PTH102  (starts fast)
            os.chmod(directory, _OURS)  # noqa: PTH101  (mkdir ignores the sticky bit under some file systems)
        except FileExistsError:
            pass
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        # Between mkdir and flock another lab may have removed it: then we hold what no longer has a name.
        try:
            if os.path.samestat(os.fstat(descriptor), os.stat(directory)):  # noqa: PTH116
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)


def remove_unused(directory: str) -> None:
    """Remove the directory if a lab made it, no lab holds it and nothing is in it; what is held for a moment only is waited for."""
    deadline = time.monotonic() + _PATIENCE
    while not _removed_or_not_ours(directory) and time.monotonic() < deadline:
        time.sleep(0.01)


def _removed_or_not_ours(directory: str) -> bool:
    """Try once to remove it; False when somebody holds it or has something in it at this moment."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return True  # gone
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != _OURS:
            return True
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.rmdir(directory)  # noqa: PTH106  (starts fast)
    except OSError:
        return False  # held by another lab, or the host's own runtime has put something into it
    finally:
        os.close(descriptor)
    return True
