"""Conditions on mounts (config.md, Mounts; mount(2))."""

from __future__ import annotations

import difflib
import posixpath
from typing import TYPE_CHECKING

from tutor.configfile.relations.file_systems import OPTIONS, wrong_part
from tutor.configfile.relations.model import Relation, strings, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tutor.configfile.document import Document, JsonValue

_CLAUSE = "config.md#mounts"
_OPTIONS = "config.md#linux-mount-options"
_BOTH = [
    "ro",
    "rw",
    "nosuid",
    "suid",
    "nodev",
    "dev",
    "noexec",
    "exec",
    "nosymfollow",
    "symfollow",
    "nodiratime",
    "diratime",
    "noatime",
    "strictatime",
    "atime",
    "relatime",
    "norelatime",
    "nostrictatime",
    "private",
    "shared",
    "slave",
    "unbindable",
]
_KNOWN = (
    *_BOTH,
    *(f"r{name}" for name in _BOTH),
    *[
        "sync",
        "async",
        "dirsync",
        "lazytime",
        "nolazytime",
        "mand",
        "nomand",
        "bind",
        "rbind",
        "remount",
        "defaults",
        "silent",
        "loud",
        "iversion",
        "noiversion",
    ],
    *("tmpcopyup", "idmap", "ridmap", "copy-symlink"),
)
"""Options that runtimes follow themselves, instead of handing them to the filesystem."""
_IGNORED = ("auto", "noauto", "nofail", "_netdev")
"""Options for programs that read fstab(5), as are those that begin with `x-`."""
_CGROUP = [
    "all",
    "none",
    "xattr",
    "noprefix",
    "clone_children",
    "cpuset_v2_mode",
    "name",
    "release_agent",
    "nsdelegate",
    "favordynmods",
    "memory_localevents",
    "memory_recursiveprot",
    "memory_hugetlb_accounting",
    "pids_localevents",
]
"""Options of the filesystems cgroup and cgroup2 (cgroups(7))."""
_MEANT = {"readonly": "ro", "readwrite": "rw", "writable": "rw", "recursive": "rbind"}


def _mounts(document: Document) -> Iterator[Relation]:
    for pointer, mount in document.objects("/mounts"):
        options = strings(mount, "options")
        if "remount" not in options:
            yield from _what_is_mounted(pointer, mount, options)
        yield from _lost_options(pointer, text(mount, "type"), options)
        yield from _file_system_options(pointer, text(mount, "type"), options)
        yield from _mappings(document, pointer, mount, options)
        yield from _id_map_options(document, pointer, options)


def _what_is_mounted(pointer: str, mount: dict[str, JsonValue], options: Sequence[str]) -> Iterator[Relation]:
    destination, kind = text(mount, "destination"), text(mount, "type")
    if destination and posixpath.normpath(f"/{destination}").strip("/") == "":
        yield Relation(f"{pointer}/destination", "mount_on_root", _CLAUSE, {"found": destination})
    if {"bind", "rbind"} & set(options) or kind not in ("", "none", "bind"):
        return
    if kind:
        yield Relation(f"{pointer}/type", "bind_missing", _CLAUSE, {"found": kind})
    elif destination and mount.get("type") in (None, ""):
        yield Relation(f"{pointer}/type", "mount_without_type", _CLAUSE)


def _lost_options(pointer: str, kind: str, options: Sequence[str]) -> Iterator[Relation]:
    if not {"bind", "rbind"} & set(options) and kind != "cgroup":
        return
    taken: Sequence[str] = () if {"bind", "rbind"} & set(options) else _CGROUP
    for index, option in enumerate(options):
        if option in _KNOWN or option in _IGNORED or option.lower().startswith("x-") or _maps_ids(option):
            continue
        parts = [part for part in option.replace("\\,", "").split(",") if part]
        if all(part.partition("=")[0] in taken for part in parts):
            continue
        meant = _close(option)
        key = ("bind_option" if not taken else "cgroup_option") + ("_close" if meant else "")
        values: dict[str, str | int] = {"found": option, **({"meant": meant} if meant else {})}
        yield Relation(f"{pointer}/options/{index}", key, _OPTIONS, values)


def _file_system_options(pointer: str, kind: str, options: Sequence[str]) -> Iterator[Relation]:
    if {"bind", "rbind", "remount"} & set(options):
        return
    for index, option in enumerate(options):
        if option in _KNOWN or option in _IGNORED or option.lower().startswith("x-"):
            continue
        wrong, name = wrong_part(kind, option)
        meant = _close(option, (*_KNOWN, *OPTIONS[kind])) if wrong == "name" else ""
        values: dict[str, str | int] = {"found": option, "kind": kind, "name": name}
        if wrong == "value":
            yield Relation(f"{pointer}/options/{index}", "fs_option_value", _CLAUSE, values)
        elif wrong:
            key = "fs_option_close" if meant else "fs_option"
            yield Relation(f"{pointer}/options/{index}", key, _CLAUSE, {**values, "meant": meant})


def _maps_ids(option: str) -> bool:
    """Tell whether an option has mappings itself, as podman writes them for crun and runt."""
    return option.startswith(("idmap=", "ridmap="))


def _close(option: str, known: Sequence[str] = _KNOWN) -> str:
    word = option.lower().replace("-", "").replace("_", "")
    if word in _MEANT or "," in word:
        return _MEANT.get(word, "")
    return next(iter(difflib.get_close_matches(option.lower().partition("=")[0], known, 1, 0.7)), "")


def _mappings(
    document: Document, pointer: str, mount: dict[str, JsonValue], options: Sequence[str]
) -> Iterator[Relation]:
    clause = "config.md#posix-platform-mounts"
    there = [name for name in ("uidMappings", "gidMappings") if mount.get(name)]
    if len(there) == 1:
        other = "gidMappings" if there[0] == "uidMappings" else "uidMappings"
        yield Relation(f"{pointer}/{there[0]}", "needs", clause, {"name": there[0], "other": other})
    kinds = [text(item, "type") for _, item in document.objects("/linux/namespaces")]
    if not there and {"idmap", "ridmap"} & set(options) and "user" not in kinds:
        index = next(number for number, option in enumerate(options) if option in ("idmap", "ridmap"))
        yield Relation(f"{pointer}/options/{index}", "idmap_without_mappings", clause)


def _id_map_options(document: Document, pointer: str, options: Sequence[str]) -> Iterator[Relation]:
    """Yield what is wrong with mappings in options (`idmap=uids=0-1000-10;gids=0-1000-10`), which runt and crun take."""
    for index, option in enumerate(options):
        name, _, written = option.partition("=")
        if name not in ("idmap", "ridmap") or not written:
            continue
        parts = {kind: ranges for kind, _, ranges in (part.partition("=") for part in written.split(";"))}
        whole = len(parts) == written.count(";") + 1 and parts.keys() == {"uids", "gids"}
        if not whole or not all(_is_id_map(each) for each in "#".join(parts.values()).split("#")):
            clause = "config.md#posix-platform-mounts"
            yield Relation(f"{pointer}/options/{index}", "idmap_form", clause, {"found": option})
            continue
        for kind, member in (("uids", "uidMappings"), ("gids", "gidMappings")):
            own = [item for _, item in document.objects(f"/linux/{member}")]
            for each in parts[kind].split("#"):
                if each.startswith("@") and not any(_holds(item, int(each.split("-")[1])) for item in own):
                    clause = "config-linux.md#user-namespace-mappings"
                    values: dict[str, str | int] = {"found": each, "name": member}
                    yield Relation(f"{pointer}/options/{index}", "idmap_unmapped", clause, values)


def _is_id_map(written: str) -> bool:
    """Tell whether this is three IDs such as `0-1000-10`, with or without an `@` before it."""
    numbers = written.removeprefix("@").split("-")
    return len(numbers) == 3 and all(
        each.isascii() and each.isdigit() and len(each) <= 10 and int(each) < 2**32 for each in numbers
    )


def _holds(mapping: dict[str, JsonValue], number: int) -> bool:
    first, size = mapping.get("containerID"), mapping.get("size")
    return isinstance(first, int) and isinstance(size, int) and 0 <= number - first < size


LOOKS = (_mounts,)
