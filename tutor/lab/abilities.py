"""What a lab lacks that root of the machine has: `cgroup`, `devices`, `ids` (`tutor.course.model.ABILITIES`), found by trying."""

from __future__ import annotations

import os
import stat

from tutor.lab import state_roots

# The ids of the host that the lesson on user namespaces maps.
_FIRST, _LAST = 100_000, 165_535


def lacking(*, has_limits: bool) -> list[str]:
    """Return what the lab lacks that this process is in; `has_limits`: it has a cgroup with the controllers for limits."""
    return [
        name
        for name, there in (
            ("cgroup", has_limits),
            ("devices", _can_make_devices()),
            ("ids", _has_ids("uid_map") and _has_ids("gid_map")),
        )
        if not there
    ]


def _can_make_devices() -> bool:
    path = f"{state_roots.DIRECTORIES[0]}/.null"  # on a tmpfs of the lab
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    except OSError:
        return False
    os.unlink(path)  # noqa: PTH108  (starts fast)
    return True


def _has_ids(name: str) -> bool:
    """Return whether a map of this user namespace has these ids; user_namespaces(7)."""
    with open(f"/proc/self/{name}", encoding="ascii") as file:  # noqa: PTH123  (starts fast)
        rows = [[int(number) for number in line.split()] for line in file]
    return any(inside <= _FIRST and inside + count > _LAST for inside, _outside, count in rows)
