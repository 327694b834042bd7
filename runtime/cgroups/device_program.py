"""Device rules on cgroup v2: a program that the kernel runs for every device that is opened or made.

admin-guide/cgroup-v2, Device controller: there are no files, but programs of the type BPF_PROG_TYPE_CGROUP_DEVICE. A program
gets `struct bpf_cgroup_dev_ctx` (linux/bpf.h) of three words: the type of the device and the requested accesses, its major
and its minor number. It returns 1 to allow them. Where several are attached, also to the cgroups above, all must allow them.

Of several rules for one access the last one counts (config-linux.md, Allowed Device list: "The runtime MUST apply entries
in the listed order"). So the program tests the rules from the last one to the first:
- a rule for this device that allows removes its accesses from the requested ones;
- one that denies ends the program if it denies a requested access that is left.
If no requested access is left, all are allowed. Opening for reading and writing thus takes both, by one rule or by two.
"""

from __future__ import annotations

import os
import struct

from runtime.kernel import bpf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.config.types import DeviceRule

_ACCESSES = {"m": 1, "r": 2, "w": 4}
"""BPF_DEVCG_ACC_*."""
_TYPES = {"b": 1, "c": 2}
"""BPF_DEVCG_DEV_*."""

# The registers: what is returned, where the context is, and what was read out of it.
_RESULT, _CONTEXT, _TYPE, _WANTED, _MAJOR, _MINOR = range(6)

# Opcodes (the kernel's bpf/standardization/instruction-set). Comparisons are of 32 bits: numbers are unsigned.
_LOAD_WORD = 0x61
_SET = 0xB7
_AND = 0x57
_SHIFT_RIGHT = 0x77
_JUMP_IF_NOT_EQUAL = 0x56
_JUMP_IF_BIT_SET = 0x46
_JUMP = 0x05
_EXIT = 0x95


def attach(directory: str, rules: Sequence[DeviceRule]) -> None:
    """Attach a program for `rules` to the cgroup `directory`, and detach those from before. Raises OSError.

    At every moment at least one program is attached.
    """
    cgroup = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    opened = [cgroup]
    try:
        program = bpf.load_device_program(compile_rules(rules))
        opened.append(program)
        before = bpf.open_device_programs(cgroup)
        opened += before
        if len(before) == 1:
            bpf.attach_device_program(cgroup, program, replaced=before[0])
            return
        bpf.attach_device_program(cgroup, program)
        for other in before:
            bpf.detach_device_program(cgroup, other)
    finally:
        for fd in opened:
            os.close(fd)


def compile_rules(rules: Sequence[DeviceRule]) -> bytes:
    """Return the program for `rules`; an access that no rule matches is denied."""
    instructions = [
        _instruction(_LOAD_WORD, _TYPE, source=_CONTEXT, offset=0),
        _instruction(_AND, _TYPE, value=0xFFFF),
        _instruction(_LOAD_WORD, _WANTED, source=_CONTEXT, offset=0),
        _instruction(_SHIFT_RIGHT, _WANTED, value=16),
        _instruction(_LOAD_WORD, _MAJOR, source=_CONTEXT, offset=4),
        _instruction(_LOAD_WORD, _MINOR, source=_CONTEXT, offset=8),
    ]
    for rule in reversed(rules):
        instructions += _rule(rule)
    instructions += [
        _instruction(_SET, _RESULT, value=0),
        _instruction(_JUMP_IF_NOT_EQUAL, _WANTED, value=0, offset=1),
        _instruction(_SET, _RESULT, value=1),
        _instruction(_EXIT),
    ]
    return b"".join(instructions)


def _rule(rule: DeviceRule) -> list[bytes]:
    """Return the instructions of one rule: comparisons that jump behind it, then its effect if all match."""
    accesses = sum(_ACCESSES[letter] for letter in set(rule["access"]))
    if rule["allow"]:
        action = [_instruction(_AND, _WANTED, value=~accesses)]
    else:
        action = [
            # There is no jump if no bit is set.
            _instruction(_JUMP_IF_BIT_SET, _WANTED, value=accesses, offset=1),
            _instruction(_JUMP, offset=2),
            _instruction(_SET, _RESULT, value=0),
            _instruction(_EXIT),
        ]
    compared = [
        (register, number)
        for register, number in (
            (_TYPE, _TYPES.get(rule.get("type", "a"), -1)),
            (_MAJOR, rule.get("major", -1)),
            (_MINOR, rule.get("minor", -1)),
        )
        if number >= 0
    ]
    comparisons = [
        _instruction(
            _JUMP_IF_NOT_EQUAL, register, value=number, offset=len(compared) - index - 1 + len(action)
        )
        for index, (register, number) in enumerate(compared)
    ]
    return comparisons + action


def _instruction(code: int, target: int = 0, *, source: int = 0, offset: int = 0, value: int = 0) -> bytes:
    """Return one `struct bpf_insn`: the opcode, two registers in one byte, an offset and a number."""
    return struct.pack("=BBhI", code, source << 4 | target, offset, value & 0xFFFFFFFF)
