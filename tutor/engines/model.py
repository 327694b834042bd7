"""What faces and session know of an engine: its name, one container's state, and a call with what it printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

EngineName = Literal["runt", "runc", "crun"]
ENGINE_NAMES: tuple[EngineName, ...] = get_args(EngineName)

Status = Literal["creating", "created", "running", "stopped", "paused"]
Stream = Literal["stdout", "stderr"]


@dataclass(frozen=True, slots=True)
class ContainerState:
    """The answer of `state`, as runtime.md#state defines it, with the additions that runc prints.

    `pid` is the init process's pid in the host's pid namespace, 0 when stopped.
    """

    id: str
    status: Status
    pid: int
    bundle: str
    oci_version: str = ""
    rootfs: str = ""
    created: str = ""
    owner: str = ""
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One engine command that has been started: `argv` is real; `typed` is how a person types it; `cwd` where.

    `recorded`: it was run at another time, on another machine, and is only shown.
    """

    id: int
    argv: tuple[str, ...]
    typed: str
    cwd: str
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class CallResult:
    """A finished call. `returncode` is negative for a signal, as in subprocess; `seconds` is wall time.

    The streams hold what had been printed when the command itself ended: a container that `create` left behind keeps the
    streams open, and what it prints later arrives as further output of the same call.
    """

    call: Call
    returncode: int
    seconds: float
    stdout: str
    stderr: str
