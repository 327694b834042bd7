"""The default state roots of the engines (`/run/runc` ...), which a private tmpfs covers in the lab.

So a learner types `runt create alpine-test` without `--root`, and neither sees nor changes the host's containers. A mount point must
exist on the host. A lab marks a directory that it creates by the sticky bit, and every lab holds a shared lock on it: the last lab
to end removes it. (rmdir(2) of a directory that is a mount point in another lab would unmount it there.)
"""

from __future__ import annotations

import fcntl
import os
import stat
import time

from tutor import patience

DIRECTORIES = ("/run/runt", "/run/runc", "/run/crun")
# Where dockerd, its containerd, their shims and podman keep state and images when they run in a lab (`LabOptions.covers`).
DAEMONS = (
    *("/run/docker", "/run/containerd", "/run/containers", "/run/libpod"),
    *("/etc/docker", "/var/lib/docker", "/var/lib/containers"),
)
# Where the bundles lie by which engines are asked for their traits: gone with the lab, however it ends.
BUNDLES = "/run/oci-tutor"
COVERS = (*DAEMONS, BUNDLES)
_MARK = 0o1700
_PATIENCE = 0.3  # seconds; a process that cleans up at the same time locks a directory for a moment only, another lab for long


def acquire(directory: str) -> int:
    """Create the directory if it does not exist, and lock it; return the descriptor that holds the lock.

    Raises:
        OSError: it does not exist and cannot be created (read-only /run, no space).
    """
    while True:
        try:
            os.mkdir(directory, 0o700)  # noqa: PTH102  (starts fast)
            os.chmod(directory, _MARK)  # noqa: PTH101  (mkdir ignores the sticky bit under some file systems)
        except FileExistsError:
            pass
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        # Between mkdir and flock another lab may have removed it: then the descriptor is of a directory without a name.
        try:
            if os.path.samestat(os.fstat(descriptor), os.stat(directory)):  # noqa: PTH116
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)


def remove_unused(directory: str) -> None:
    """Remove the directory if a lab created it, no lab holds it and it is empty; wait for a lock that is held only for a moment."""
    deadline = time.monotonic() + patience.scaled(_PATIENCE)
    while not _removed_or_unmarked(directory) and time.monotonic() < deadline:
        time.sleep(0.01)


def _removed_or_unmarked(directory: str) -> bool:
    """Try once to remove it; return False when it is locked or not empty."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return True  # gone
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != _MARK:
            return True
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.rmdir(directory)  # noqa: PTH106  (starts fast)
    except OSError:
        return False  # held by another lab, or in use by the host's own runtime
    finally:
        os.close(descriptor)
    return True
