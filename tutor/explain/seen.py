"""What the explainer looks up on this machine: files of the host, namespaces, filesystems, kernel parameters."""

from __future__ import annotations

import difflib
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.explain.bundle import kind_of
from tutor.explain.programs import look_at_file
from tutor.paths import filesystem_of, mount_of

if TYPE_CHECKING:
    from tutor.explain.bundle import Bundle

_NS_GET_NSTYPE = 0xB703  # ioctl_ns(2)
_NAMESPACES = {
    0x20000000: "pid",
    0x40000000: "network",
    0x00020000: "mount",
    0x08000000: "ipc",
    0x04000000: "uts",
    0x10000000: "user",
    0x02000000: "cgroup",
    0x00000080: "time",
}


def devices_forbidden(bundle: Bundle) -> str:
    """Return where a filesystem is mounted `nodev` on which a runtime would make the container's devices; empty where it is not so.

    A runtime makes /dev/null and its kin in the root itself, unless something is mounted on /dev.
    """
    root = bundle.rootfs
    if root is None or kind_of(root) != "directory" or bundle.mounted("/dev/null"):
        return ""
    dev = root / "dev" if kind_of(root / "dev") == "directory" else root
    try:
        return mount_of(str(dev)) if os.statvfs(dev).f_flag & os.ST_NODEV else ""
    except (OSError, ValueError):
        return ""


def read_only_root(bundle: Bundle) -> tuple[str, str] | None:
    """Return where the filesystem of the root is mounted, and its type, where it is read-only."""
    root = bundle.rootfs
    if root is None or kind_of(root) != "directory":
        return None
    try:
        return filesystem_of(str(root)) if os.statvfs(root).f_flag & os.ST_RDONLY else None
    except (OSError, ValueError):
        return None


def near_directory(bundle: Bundle, path: str) -> str:
    """Return the directory in the bundle that is probably meant; empty if there is none."""
    try:
        known = (
            [each.name for each in bundle.path.iterdir() if kind_of(each) == "directory"]
            if bundle.path
            else []
        )
    except OSError:
        known = []
    close = difflib.get_close_matches(path, known, n=1)
    return close[0] if close else (known[0] if len(known) == 1 else "")


def namespace_kind(path: str) -> str | None:
    """Return the type of the namespace that a file refers to; empty if it refers to none, None if it can't be examined."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except (OSError, ValueError):
        return None
    try:
        return _NAMESPACES.get(fcntl.ioctl(descriptor, _NS_GET_NSTYPE), "")
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def look_at_hook(bundle: Bundle, kind: str, path: str) -> str:
    """Return the catalogue's id of why a hook can't be executed; empty if no reason is found."""
    root = bundle.rootfs if kind == "startContainer" else Path("/")
    if not path.startswith("/") or root is None:
        return ""
    if root == Path("/") and path.startswith("/proc/") and kind_of(Path(path)) == "file":
        # Docker's hook is /proc/PID/exe, a link that the kernel follows without its text (proc(5)).
        return ""
    seen = look_at_file(root, path)
    return seen.id if seen else ""


def near_type(kind: str) -> str:
    """Return the kernel's name of the filesystem that is probably meant; empty if no name is similar."""
    close = difflib.get_close_matches(kind, _file_systems(), n=1)
    return close[0] if close and close[0] != kind else ""


def _file_systems() -> list[str]:
    try:
        with open("/proc/filesystems", encoding="ascii") as listed:  # noqa: PTH123
            return [line.split()[-1] for line in listed if line.split()]
    except OSError:
        return []


def is_private(bundle: Bundle, kind: str) -> bool:
    """Tell whether a configuration asks for a namespace of a type that is not the one of this process."""
    for _, item in bundle.items("/linux/namespaces"):
        if item.get("type") == kind:
            path = item.get("path")
            try:
                return not path or not Path(str(path)).samefile(f"/proc/self/ns/{_FILES.get(kind, kind)}")
            except (OSError, ValueError):
                return True
    return False


_FILES = {"network": "net", "mount": "mnt"}
"""The types whose file in /proc/PID/ns has another name (namespaces(7))."""
_IPC = [
    "msgmax",
    "msgmnb",
    "msgmni",
    "sem",
    "shmall",
    "shmmax",
    "shmmni",
    "shm_rmid_forced",
    "auto_msgmni",
    "msg_next_id",
    "sem_next_id",
    "shm_next_id",
]


def namespace_of_sysctl(name: str) -> str:
    """Return the type of the namespace that a kernel parameter belongs to, by the rules of the runtimes; empty if none."""
    first, _, rest = name.partition(".")
    if rest and first in ("net", "user"):
        return {"net": "network", "user": "user"}[first]
    if name in ("kernel.domainname", "kernel.hostname"):
        return "uts"
    return "ipc" if (first == "kernel" and rest in _IPC) or name.startswith("fs.mqueue.") else ""
