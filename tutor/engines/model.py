"""The values that engines work with: an engine's name, a container's state, and a command with its output."""

from __future__ import annotations

from typing import Literal, get_args

from tutor.lazy_dataclass import dataclass, field

EngineName = Literal["runt", "runc", "crun"]
ENGINE_NAMES: tuple[EngineName, ...] = get_args(EngineName)

Status = Literal["creating", "created", "running", "stopped", "paused"]
Stream = Literal["stdout", "stderr"]


@dataclass(frozen=True, slots=True)
class ContainerState:
    """The output of `state`, as runtime.md#state defines it, with the members that runc adds.

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
    """An engine command that was started: `argv` as executed, `typed` as a person types it, `cwd` its working directory.

    `recorded`: it was run earlier, on another machine, and is only shown.
    """

    id: int
    argv: tuple[str, ...]
    typed: str
    cwd: str
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class CallResult:
    """A call that has ended. `returncode` is negative for a signal, as in subprocess; `seconds` is wall-clock time.

    `stdout` and `stderr` hold what was printed until the command itself ended. A container that `create` left running keeps the
    streams open; what it prints later arrives as further output of the same call.
    """

    call: Call
    returncode: int
    seconds: float
    stdout: str
    stderr: str
