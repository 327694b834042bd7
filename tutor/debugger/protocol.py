"""What `runt --observe SOCKET` says, as frozen values: one JSON object in each packet of a SOCK_SEQPACKET socket, unix(7).

Each process that runs a table has a connection of its own. It begins with a `Hello`; then follow, for each table, a `Table`, and for each
step a `Before` and an `After`. In stepping mode runt waits for an answer, `go` or `abort`, after each of these two.
"""

from __future__ import annotations

import json
from typing import Any, Literal, get_args

from tutor.lazy_dataclass import dataclass

VERSION = 1
LARGEST = 256 * 1024
"""Bytes of a packet, at most."""
Role = Literal["runtime", "init", "exec"]
Answer = Literal["watch", "step", "go", "abort"]


class ProtocolError(ValueError):
    """A packet is not of the form that this version reads."""


@dataclass(frozen=True, slots=True)
class SystemCall:
    """A call that a step has made: a system call, or what it did with a file; `errno` is a name (`EPERM`), empty for success."""

    name: str
    arguments: tuple[str, ...] = ()
    result: str = ""
    errno: str = ""


@dataclass(frozen=True, slots=True)
class Hello:
    """The first packet of a connection; `operation` is runt's subcommand, `container` its id."""

    process: Role
    operation: str
    container: str
    bundle: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table begins; `steps` are the names of its steps, in their order."""

    process: Role
    table: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Before:
    """A step comes next; `position` is its index in the table, from 0."""

    process: Role
    table: str
    step: str
    position: int


@dataclass(frozen=True, slots=True)
class After:
    """A step has ended. `more` calls were made beyond `calls`; `error` is why it failed, empty for success."""

    process: Role
    table: str
    step: str
    position: int
    nanoseconds: int
    calls: tuple[SystemCall, ...] = ()
    more: int = 0
    error: str = ""


Packet = Hello | Table | Before | After


def read(data: bytes) -> Packet:
    """Return the value of a packet; members that this version does not know are skipped.

    Raises:
        ProtocolError: it is of another form, or a `Hello` of another version.
    """
    try:
        found = json.loads(data)
        return _read(found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ProtocolError(f"{type(error).__name__}: {error}") from error


def _read(found: dict[str, Any]) -> Packet:
    kind, process = found["type"], found["process"]
    if process not in get_args(Role):
        raise ProtocolError(process)
    match kind:
        case "hello":
            if found["version"] != VERSION:
                raise ProtocolError(f"version {found['version']}")
            words = (found.get(name, "") for name in ("operation", "container", "bundle"))
            return Hello(process, *(_text(each) for each in words))
        case "table":
            return Table(process, _text(found["table"]), tuple(_text(each) for each in found["steps"]))
        case "before" | "after":
            place = process, _text(found["table"]), _text(found["step"]), int(found["position"])
            if kind == "before":
                return Before(*place)
            return After(
                *place,
                int(found.get("nanoseconds", 0)),
                tuple(_call(each) for each in found.get("calls", ())),
                int(found.get("more", 0)),
                _text(found.get("error", "")),
            )
    raise ProtocolError(kind)


def _call(found: dict[str, Any]) -> SystemCall:
    result = found.get("result")
    return SystemCall(
        _text(found["name"]),
        tuple(each if isinstance(each, str) else json.dumps(each) for each in found.get("arguments", ())),
        "" if result is None else str(result),
        _text(found.get("errno") or ""),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ProtocolError(repr(value))
    return value


def answer(word: Answer) -> bytes:
    """Return the packet of an answer to runt."""
    return json.dumps({"type": word}).encode()
