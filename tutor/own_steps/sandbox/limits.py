"""The limits of a sandbox: how many processes and how much memory it may have, where there is a controller for it; cgroups(7)."""

from __future__ import annotations

import os

PREFIX = "oci-tutor-own-"
"""What the names of the cgroups of sandboxes begin with."""
_PROCESSES = 64
_MEMORY = 256 << 20
_LIMITS = (
    ("pids.max", str(_PROCESSES)),
    ("memory.max", str(_MEMORY)),
    ("memory.swap.max", "0"),
    ("memory.limit_in_bytes", str(_MEMORY)),
)
_MOST = 1 << 20  # bytes of a file that are read
_REACHED = (("pids.events", "max"), ("memory.events", "oom_kill"), ("memory.oom_control", "oom_kill"))


def give(directories: list[str]) -> None:
    """Set the limits of new cgroups, and give all controllers to those below; the limits can't be seen from inside the sandbox."""
    for directory in directories:
        for name, value in _LIMITS:
            write(f"{directory}/{name}", value)
        give_controllers(directory)
        # A new cgroup of v1 has no processors otherwise, and takes no process: cpuset(7).
        write(f"{directory}/keeper/cgroup.clone_children", "1")


def give_controllers(directory: str) -> None:
    """Give all controllers of a cgroup of v2 to those below; do nothing in v1."""
    for controller in read(f"{directory}/cgroup.controllers").split():
        write(f"{directory}/cgroup.subtree_control", f"+{controller}")


def reached(directories: list[str]) -> dict[str, int]:
    """Return how often a limit was reached: `pids`, `memory`; kernels count it in the cgroup of the limit, or of the process.

    `refused`: how often memory was wanted beyond the limit of v1, where the rest can be had by writing files out, too.
    """
    found: dict[str, int] = {}
    for directory in directories:
        if refused := int(read(f"{directory}/memory.failcnt") or 0):
            found["refused"] = refused
        for folder, _folders, _files in os.walk(directory):
            for name, key in _REACHED:
                for line in read(f"{folder}/{name}").splitlines():
                    word, _, value = line.partition(" ")
                    if word == key and int(value):
                        kind = name.partition(".")[0]
                        found[kind] = max(found.get(kind, 0), int(value))
    return found


def read(path: str, most: int = _MOST) -> str:
    """Return the content of a file; its last `most` bytes if there are more; empty if it can't be read."""
    return read_from(path, 0, most)[0]


def read_from(path: str, position: int, most: int = _MOST) -> tuple[str, int]:
    """Return what is in a file after a position, likewise, and where it ends."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (starts fast)
            end = os.fstat(file.fileno()).st_size
            # The kernel's files have no size.
            file.seek(max(position, end - most))
            data = file.read(most)
    except OSError:
        return "", position
    return data.decode("utf-8", "replace"), max(end, position)


def write(path: str, text: str) -> bool:
    """Write to an existing file of a cgroup; return whether that was possible."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.write(descriptor, text.encode())
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
