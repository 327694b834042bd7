"""Conditions on devices, kernel parameters, the memory policy and the personality (config-linux.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.configfile.document import child
from tutor.configfile.relations.model import Relation, number, outside, strings, text
from tutor.configfile.text_checks import numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.configfile.document import Document

_DEVICES = "config-linux.md#devices"
_POLICY = "config-linux.md#memory-policy"
_HIGHEST = {"major": (1 << 12) - 1, "minor": (1 << 20) - 1}
"""12 and 20 bits: MAJOR and MINOR of Linux's dev_t."""
_IDS = 2**32 - 1
"""The number of IDs that there are: 4294967295 is none."""
_MOST_MAPPINGS = 340
_NO_NODES = ("MPOL_DEFAULT", "MPOL_LOCAL")
_SOME_NODES = ("MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE", "MPOL_PREFERRED_MANY")


def _devices(document: Document) -> Iterator[Relation]:
    for pointer, device in document.objects("/linux/devices"):
        if text(device, "type") not in ("c", "b", "u"):
            continue
        for name, highest in _HIGHEST.items():
            where = f"{pointer}/{name}"
            if device.get(name) is None:
                yield Relation(where, "missing", _DEVICES, {"name": name, "expected_type": "integer"})
            elif wrong := outside(where, number(device, name), 0, highest, _DEVICES):
                yield wrong


def _sysctls(document: Document) -> Iterator[Relation]:
    for name in document.object_at("/linux/sysctl"):
        if name and not {"", ".", ".."}.isdisjoint(sysctl_parts(name)):
            where = child("/linux/sysctl", name)
            yield Relation(where, "sysctl_name", "config-linux.md#sysctl", {"found": name})


def sysctl_parts(name: str) -> list[str]:
    """Split the name of a kernel parameter at its separators; if the first one is a slash, dots are part of the names (sysctl(8))."""
    if "/" in name.split(".", 1)[0]:
        return name.split("/")
    return name.translate(str.maketrans("./", "/.")).split("/")


def _memory_policy(document: Document) -> Iterator[Relation]:
    policy = document.object_at("/linux/memoryPolicy")
    mode, nodes = text(policy, "mode"), numbers_of(text(policy, "nodes"))
    if mode in _NO_NODES and nodes:
        yield Relation("/linux/memoryPolicy/nodes", "nodes_unwanted", _POLICY, {"mode": mode})
    if mode in _SOME_NODES and nodes == set():
        yield Relation("/linux/memoryPolicy/nodes", "nodes_wanted", _POLICY, {"mode": mode})


def _personality(document: Document) -> Iterator[Relation]:
    flags = strings(document.object_at("/linux/personality"), "flags")
    if flags:
        clause = "config-linux.md#personality"
        yield Relation("/linux/personality/flags/0", "no_flags", clause, {"found": flags[0]})


def _mappings(document: Document) -> Iterator[Relation]:
    """What user_namespaces(7) demands of the lines of uid_map and gid_map; those of mounts become such a map, too."""
    owners = ["/linux", *(pointer for pointer, _ in document.objects("/mounts"))]
    for owner in owners:
        for name in ("uidMappings", "gidMappings"):
            yield from _map(document, f"{owner}/{name}")


def _map(document: Document, pointer: str) -> Iterator[Relation]:
    clause = "config-linux.md#user-namespace-mappings"
    mappings = document.objects(pointer)
    if len(mappings) > _MOST_MAPPINGS:
        values: dict[str, str | int] = {"found": len(mappings), "maximum": _MOST_MAPPINGS}
        yield Relation(pointer, "too_many_mappings", clause, values)
    for index, (where, mapping) in enumerate(mappings):
        size = number(mapping, "size")
        for side in ("containerID", "hostID"):
            first = number(mapping, side)
            if size and first + size > _IDS:
                values = {"name": side, "found": first, "size": size}
                yield Relation(where, "mapping_beyond", clause, values)
                break
            other = next(
                (
                    place
                    for place, (_, each) in enumerate(mappings[:index])
                    if first < number(each, side) + number(each, "size") and number(each, side) < first + size
                ),
                None,
            )
            if other is not None:
                yield Relation(
                    where, "mapping_overlaps", clause, {"name": side, "other": f"{pointer}/{other}"}
                )
                break


LOOKS = (_mappings, _devices, _sysctls, _memory_policy, _personality)
