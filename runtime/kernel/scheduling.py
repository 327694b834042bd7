"""Scheduling policy, I/O priority, memory policy and execution domain of this process."""

from __future__ import annotations

import struct

from runtime.kernel.syscall import call

POLICIES = {
    "SCHED_OTHER": 0,
    "SCHED_FIFO": 1,
    "SCHED_RR": 2,
    "SCHED_BATCH": 3,
    "SCHED_ISO": 4,
    "SCHED_IDLE": 5,
    "SCHED_DEADLINE": 6,
}
"""sched(7). Linux has reserved a number for SCHED_ISO, and has no such policy."""

POLICY_FLAGS = {
    "SCHED_FLAG_RESET_ON_FORK": 0x01,
    "SCHED_FLAG_RECLAIM": 0x02,
    "SCHED_FLAG_DL_OVERRUN": 0x04,
    "SCHED_FLAG_KEEP_POLICY": 0x08,
    "SCHED_FLAG_KEEP_PARAMS": 0x10,
    "SCHED_FLAG_UTIL_CLAMP_MIN": 0x20,
    "SCHED_FLAG_UTIL_CLAMP_MAX": 0x40,
}
"""sched_setattr(2)."""

IO_CLASSES = {"IOPRIO_CLASS_RT": 1, "IOPRIO_CLASS_BE": 2, "IOPRIO_CLASS_IDLE": 3}
"""ioprio_set(2)."""

MEMORY_MODES = {
    "MPOL_DEFAULT": 0,
    "MPOL_PREFERRED": 1,
    "MPOL_BIND": 2,
    "MPOL_INTERLEAVE": 3,
    "MPOL_LOCAL": 4,
    "MPOL_PREFERRED_MANY": 5,
    "MPOL_WEIGHTED_INTERLEAVE": 6,
}
"""set_mempolicy(2)."""

MEMORY_FLAGS = {
    "MPOL_F_NUMA_BALANCING": 1 << 13,
    "MPOL_F_RELATIVE_NODES": 1 << 14,
    "MPOL_F_STATIC_NODES": 1 << 15,
}

PERSONALITIES = {"LINUX": 0, "LINUX32": 8}
"""personality(2): PER_LINUX and PER_LINUX32."""

_MOST_PROCESSORS = 8192
"""NR_CPUS of a kernel built with MAXSMP, the most that x86-64 can have; others have fewer."""
_IOPRIO_WHO_PGRP = 2
_IOPRIO_CLASS_SHIFT = 13


def sched_setaffinity_all() -> None:
    """By sched_setaffinity: let this process run on every processor that its cpuset allows. Raises OSError."""
    # For the kernels with the most; a shorter mask would leave out what it has no bit for.
    call("sched_setaffinity", 0, _MOST_PROCESSORS // 8, b"\xff" * (_MOST_PROCESSORS // 8))


def sched_setattr(
    policy: int, flags: int, nice: int, priority: int, runtime: int, deadline: int, period: int
) -> None:
    """Call `sched_setattr` of section 2 on this process."""
    # struct sched_attr: its size, then these; the last two, for utilization clamping, are not used.
    size = struct.calcsize("=IIQiIQQQII")
    attributes = (size, policy, flags, nice, priority, runtime, deadline, period, 0, 0)
    call("sched_setattr", 0, struct.pack("=IIQiIQQQII", *attributes), 0)


def ioprio_set(io_class: int, priority: int) -> None:
    """By ioprio_set: set the I/O priority of all processes of this process's group."""
    call("ioprio_set", _IOPRIO_WHO_PGRP, 0, io_class << _IOPRIO_CLASS_SHIFT | priority)


def set_mempolicy(mode: int, nodes: set[int]) -> None:
    """By set_mempolicy: set from which memory nodes this process gets its memory; `mode` includes the flags."""
    if not nodes:
        call("set_mempolicy", mode, None, 0)
        return
    # An array of longs; the kernel takes the number of bits plus one.
    longs = max(nodes) // 64 + 1
    mask = sum(1 << node for node in nodes)
    call("set_mempolicy", mode, mask.to_bytes(longs * 8, "little"), longs * 64 + 1)


def personality(persona: int) -> None:
    """Call `personality` of section 2."""
    call("personality", persona)
