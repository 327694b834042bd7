"""Conditions on the limits of the cgroup (config-linux.md, Control groups). The number 0 leaves a limit unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.configfile.document import child
from tutor.configfile.relations.model import Relation, number, outside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tutor.configfile.document import Document, JsonValue

_RESOURCES = "/linux/resources"
_CPU = "config-linux.md#cpu"
_BLOCK_IO = "config-linux.md#block-io"
_SHORTEST, _LONGEST = 1000, 1_000_000
"""Periods of the scheduler in microseconds (sched-bwc)."""
_WEIGHTS = (10, 1000)


def _memory(document: Document) -> Iterator[Relation]:
    memory = document.object_at(f"{_RESOURCES}/memory")
    if number(memory, "swap") > 0 and not number(memory, "limit"):
        values: dict[str, str | int] = {"name": "swap", "other": "limit"}
        yield Relation(f"{_RESOURCES}/memory/swap", "needs", "config-linux.md#memory", values)


def _cpu(document: Document) -> Iterator[Relation]:
    cpu = document.object_at(f"{_RESOURCES}/cpu")
    period, quota = number(cpu, "period"), number(cpu, "quota")
    if period and (wrong := outside(f"{_RESOURCES}/cpu/period", period, _SHORTEST, _LONGEST, _CPU)):
        yield wrong
    if 0 < quota < _SHORTEST:
        yield Relation(f"{_RESOURCES}/cpu/quota", "too_short", _CPU, {"found": quota, "minimum": _SHORTEST})
    for name, other in (("burst", "quota"), ("realtimeRuntime", "realtimePeriod")):
        value, limit = number(cpu, name), number(cpu, other)
        if value > limit > 0:
            values: dict[str, str | int] = {"found": value, "other": other, "limit": limit}
            yield Relation(f"{_RESOURCES}/cpu/{name}", "above_other", _CPU, values)


def _block_io(document: Document) -> Iterator[Relation]:
    pointer = f"{_RESOURCES}/blockIO"
    yield from _weights(document.object_at(pointer), pointer)
    for where, device in document.objects(f"{pointer}/weightDevice"):
        yield from _weights(device, where)
        if not number(device, "weight") and not number(device, "leafWeight"):
            yield Relation(where, "one_of_two", _BLOCK_IO, {"one": "weight", "two": "leafWeight"})


def _weights(owner: Mapping[str, JsonValue], pointer: str) -> Iterator[Relation]:
    for name in ("weight", "leafWeight"):
        weight = number(owner, name)
        if weight and (wrong := outside(f"{pointer}/{name}", weight, *_WEIGHTS, _BLOCK_IO)):
            yield wrong


def _rdma(document: Document) -> Iterator[Relation]:
    pointer = f"{_RESOURCES}/rdma"
    for name, limits in document.object_at(pointer).items():
        where, clause = child(pointer, name), "config-linux.md#rdma"
        if isinstance(limits, dict) and not {"hcaHandles", "hcaObjects"} & {
            each for each in limits if limits[each] is not None
        }:
            yield Relation(where, "one_of_two", clause, {"one": "hcaHandles", "two": "hcaObjects"})
        elif " " in name or "\n" in name:
            yield Relation(where, "device_name", clause, {"found": name})


def _unified(document: Document) -> Iterator[Relation]:
    pointer = f"{_RESOURCES}/unified"
    for name, value in document.object_at(pointer).items():
        controller, _, parameter = name.partition(".")
        if value is not None and name and ("/" in name or not controller or not parameter):
            yield Relation(child(pointer, name), "unified_name", "config-linux.md#unified", {"found": name})


LOOKS = (_memory, _cpu, _block_io, _rdma, _unified)
