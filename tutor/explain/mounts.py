"""Mounts that can't be made: what is mounted, where, and on what, as far as the files of the bundle and this machine show it."""

from __future__ import annotations

import os
import platform
import posixpath
import re
import stat
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.explain.bundle import kind_of
from tutor.explain.model import Finding
from tutor.explain.seen import near_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tutor.explain.bundle import Bundle
    from tutor.explain.model import Values

_OWN_TYPES = ("cgroup", "cgroup2", "none", "bind")
"""Types that runtimes handle themselves, or that the kernel knows under several names."""
_IN_PROC = (
    *("cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo"),
    *("sys/kernel/ns_last_pid", "sys/crypto/fips_enabled"),
)
"""What may be mounted on below /proc, as with runc: files that lxcfs replaces."""
_NEEDS = {"proc": "pid", "sysfs": "network", "mqueue": "ipc"}
"""Filesystems that a user namespace may mount only together with a new namespace of this type."""


def look_at_mounts(bundle: Bundle) -> Iterator[Finding]:
    """Find what is wrong with each mount; the first problem of each is enough."""
    earlier: dict[str, str] = {}
    for pointer, mount in bundle.items("/mounts"):
        destination = posixpath.normpath(f"/{mount.get('destination') or ''}").replace("//", "/")
        found = next(_problems(bundle, pointer, mount, destination, earlier), None)
        if found is not None:
            yield found
        earlier[destination] = str(mount.get("type") or "bind")


def _problems(
    bundle: Bundle, pointer: str, mount: Mapping[str, object], destination: str, earlier: Mapping[str, str]
) -> Iterator[Finding]:
    values: Values = {name: str(mount.get(name) or "") for name in ("source", "destination", "type")}
    options = bundle.strings(f"{pointer}/options")
    if "remount" in options:
        if destination != "/" and destination not in earlier:
            yield Finding("mount.nothing_to_remount", values, pointer)
        return
    if {"bind", "rbind"} & set(options):
        yield from _source(bundle, pointer, values)
    else:
        yield from _file_system(bundle, pointer, values, options)
    yield from _in_proc(bundle, pointer, values, destination, binds=bool({"bind", "rbind"} & set(options)))
    yield from _place(
        bundle, pointer, values, destination, earlier, binds=bool({"bind", "rbind"} & set(options))
    )


def _source(bundle: Bundle, pointer: str, values: Values) -> Iterator[Finding]:
    source = bundle.beside(str(values["source"]))
    if not values["source"]:
        yield Finding("mount.no_source", values, pointer)
    elif source and not kind_of(source):
        yield Finding("mount.source_missing", values, pointer)


def _file_system(bundle: Bundle, pointer: str, values: Values, options: list[str]) -> Iterator[Finding]:
    kind = str(values["type"])
    if not kind or kind in _OWN_TYPES:
        return
    if not _is_known(kind):
        yield Finding("mount.type_unknown", {**values, "near": near_type(kind)}, pointer)
    elif _needs_device(kind) and not _is_block_device(str(values["source"])):
        there = kind_of(bundle.beside(str(values["source"])))
        yield Finding("mount.not_block" if there else "mount.source_missing", values, pointer)
    elif kind == "overlay":
        for index, option in enumerate(options):
            name, _, paths = option.partition("=")
            parts = re.split(r"(?<!\\):+", paths) if name == "lowerdir" else [paths]
            missing = next(
                (part for part in parts if name in _LAYERS and part and not kind_of(Path(part))), None
            )
            if missing is not None:
                yield Finding(
                    "mount.layer_missing", {"path": missing, "name": name}, f"{pointer}/options/{index}"
                )
    elif bundle.namespace("user"):
        needed = _NEEDS.get(kind, "")
        if needed and not bundle.namespace(needed):
            yield Finding("mount.needs_namespace", {**values, "kind": needed}, pointer)


_LAYERS = ("lowerdir", "upperdir", "workdir")


_MODULES = (
    " 9p afs autofs binfmt_misc bpf btrfs ceph cifs configfs cramfs debugfs ecryptfs efivarfs erofs exfat ext2 ext3 ext4 f2fs "
    "fuse fuseblk gfs2 hfs hfsplus iso9660 jffs2 jfs minix msdos nfs nfs4 nfsd nilfs2 ntfs ntfs3 ocfs2 orangefs "
    "overlay pstore rpc_pipefs securityfs smb3 squashfs tracefs ubifs udf ufs vboxsf vfat virtiofs xfs zonefs "
)
"""Filesystems that may be modules: of a container the kernel loads what this machine's /lib/modules does not show."""


@cache
def _known() -> dict[str, bool]:
    """Return the kernel's filesystems, and whether each needs a device."""
    try:
        lines = Path("/proc/filesystems").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return {}
    return {line.split()[-1]: not line.startswith("nodev") for line in lines if line.split()}


@cache
def _is_known(kind: str) -> bool:
    """Tell whether the kernel has a filesystem, or a module of it that it would load."""
    kind = kind.partition(".")[0]  # as the kernel does: fuse.sshfs
    if kind in _known() or not _known():
        return True
    names = {kind, kind.replace("-", "_"), kind.replace("_", "-")}
    folder = Path("/lib/modules") / platform.release()
    if not folder.is_dir():
        return f" {kind} " in _MODULES
    for name in ("modules.alias", "modules.dep", "modules.builtin"):
        try:
            text = (folder / name).read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            continue
        if any(f"fs-{each} " in text or f"/{each}.ko" in text for each in names):
            return True
    return False


def _needs_device(kind: str) -> bool:
    return _known().get(kind, False) and not kind.startswith("fuse")


def _is_block_device(path: str) -> bool:
    try:
        return stat.S_ISBLK(os.stat(path).st_mode)  # noqa: PTH116  (its errors are what is asked)
    except (OSError, ValueError):
        return False


def _in_proc(
    bundle: Bundle, pointer: str, values: Values, destination: str, *, binds: bool
) -> Iterator[Finding]:
    below = destination.removeprefix("/proc/")
    if destination == "/proc":
        source = bundle.beside(str(values["source"])) if binds else None
        if not _is_proc(source) if binds else values["type"] != "proc":
            yield Finding("mount.not_proc", values, pointer)
    elif below != destination and below not in _IN_PROC:
        yield Finding("mount.inside_proc", {**values, "value": destination}, f"{pointer}/destination")


def _is_proc(source: Path | None) -> bool:
    """Tell whether a path is the root of a procfs (proc(5): the inode 1)."""
    try:
        return source is None or ((source / "self").is_symlink() and source.stat().st_ino == 1)
    except (OSError, ValueError):
        return True


def _place(
    bundle: Bundle, pointer: str, values: Values, destination: str, earlier: Mapping[str, str], *, binds: bool
) -> Iterator[Finding]:
    above = [
        place for place in earlier if destination == place or destination.startswith(f"{place.rstrip('/')}/")
    ]
    if above:
        kind = earlier[max(above, key=len)]
        if kind == "sysfs" and destination not in above and not Path(destination).exists():
            yield Finding("mount.no_place", values, f"{pointer}/destination")
        return
    parts = destination.strip("/").split("/")
    uppers = ["/" + "/".join(parts[:end]) for end in range(1, len(parts))]
    if any(kind_of(bundle.inside(upper)) in ("file", "other") for upper in uppers):
        yield Finding("mount.kinds", values, pointer)
        return
    there = kind_of(bundle.inside(destination))
    source = kind_of(bundle.beside(str(values["source"]))) if binds else "directory"
    if there and source and (there == "directory") != (source == "directory"):
        yield Finding("mount.kinds", values, pointer)


LOOKS = (look_at_mounts,)
