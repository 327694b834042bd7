"""Classic BPF, the machine language of the kernel's filters of system calls (bpf(4), seccomp(2)).

The program gets a `struct seccomp_data`: the system call's number, the architecture whose numbers these are, and six
arguments of 64 bits. It has one register of 32 bits, can only jump forward, and ends by returning an action. A conditional
jump has two distances of 8 bits, for true and for false.

An instruction is one 64-bit number here, and a piece of program a list of them. All pieces are made from the end: the
code that a jump skips exists already, so its length is known.
"""

from __future__ import annotations

from struct import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Code = list[int]
    Segment = tuple[int, Code]
    """A first number, and the code for it and all that follow up to the next segment."""

LONGEST = 4096
"""The most instructions that the kernel takes (BPF_MAXINSNS)."""

NUMBER = 0
ARCHITECTURE = 4
"""Where these are in `struct seccomp_data`."""

_LOAD = 0x20
_AND = 0x54
_JUMP = 0x05
_JUMP_IF_EQUAL = 0x15
_JUMP_IF_GREATER = 0x25
_JUMP_IF_GREATER_OR_EQUAL = 0x35
_RETURN = 0x06

_FARTHEST = 255
_LOW = 0xFFFFFFFF


def assemble(code: Code) -> bytes:
    """Return the program as an array of `struct sock_filter`, on a machine that stores the lowest byte first."""
    return pack(f"<{len(code)}Q", *code)


def load(offset: int) -> int:
    """Load the 32-bit word at `offset` of `struct seccomp_data`."""
    return _instruction(_LOAD, offset)


def answer(action: int) -> int:
    """End with an action."""
    return _instruction(_RETURN, action)


def for_architecture(architecture: int, code: Code) -> Code:
    """Run `code` if the loaded word is `architecture`, otherwise skip it."""
    return [_instruction(_JUMP_IF_EQUAL, architecture, 1, 0), _instruction(_JUMP, len(code)), *code]


def search(segments: Sequence[Segment]) -> Code:
    """Find the segment of the loaded number by binary search, and run its code.

    `segments` are in ascending order, and the first begins at 0.
    """
    if len(segments) == 1:
        return segments[0][1]
    middle = len(segments) // 2
    lower, upper = search(segments[:middle]), search(segments[middle:])
    first = segments[middle][0]
    if len(lower) <= _FARTHEST:
        return [_instruction(_JUMP_IF_GREATER_OR_EQUAL, first, len(lower), 0), *lower, *upper]
    return [
        _instruction(_JUMP_IF_GREATER_OR_EQUAL, first, 0, 1),
        _instruction(_JUMP, len(lower)),
        *lower,
        *upper,
    ]


def when(conditions: Sequence[tuple[int, str, int, int]], action: int, bits: int) -> Code:
    """End with `action` if all conditions are true, otherwise continue.

    A condition is the index of an argument, an operator as in `linux.seccomp`, a value, and a mask (which only
    `SCMP_CMP_MASKED_EQ` uses). An argument has 64 bits or, on some architectures, 32.
    """
    code = [answer(action)]
    for index, operator, value, mask in reversed(conditions):
        compare = _compare_64 if bits == 64 else _compare_32
        code = [*compare(index, operator, value, mask, len(code)), *code]
    return code


def among(index: int, actions: Sequence[tuple[int, int]], bits: int) -> Code:
    """End with the action of the first of `actions` whose value an argument is equal to, otherwise continue.

    `actions` are values with their actions. A word is loaded once and not once for each value: of these a program can
    have thousands.
    """
    by_upper: dict[int, dict[int, int]] = {}
    for value, action in actions:
        upper = value >> 32 if bits == 64 else 0
        by_upper.setdefault(upper, {}).setdefault(value & _LOW, action)
    code: Code = []
    for upper, by_low in by_upper.items():
        low = [_low_word(index), *_choose(by_low)]
        if bits == 64:
            code += [
                _high_word(index),
                _instruction(_JUMP_IF_EQUAL, upper, 1, 0),
                _instruction(_JUMP, len(low)),
            ]
        code += low
    return code


def _choose(actions: dict[int, int]) -> Code:
    """End with the action of the value that the loaded word has, otherwise continue."""
    code: Code = []
    for action in dict.fromkeys(actions.values()):
        values = [value for value, wanted in actions.items() if wanted == action]
        for start in range(0, len(values), _FARTHEST):
            chunk = values[start : start + _FARTHEST]
            code += [
                _instruction(_JUMP_IF_EQUAL, value, len(chunk) - position, 0)
                for position, value in enumerate(chunk)
            ]
            code += [_instruction(_JUMP, 1), answer(action)]
    return code


def _instruction(operation: int, k: int, if_true: int = 0, if_false: int = 0) -> int:
    return operation | if_true << 16 | if_false << 24 | k << 32


def _low_word(index: int) -> int:
    return load(16 + 8 * index)


def _high_word(index: int) -> int:
    return load(16 + 8 * index + 4)


def _compare_32(index: int, operator: str, value: int, mask: int, skip: int) -> Code:
    """Jump over the `skip` instructions that follow unless the condition is true of the lower half of an argument."""
    return [_low_word(index), *_test(operator, value & _LOW, mask & _LOW, 0, skip)]


def _compare_64(index: int, operator: str, value: int, mask: int, skip: int) -> Code:
    """Jump over the `skip` instructions that follow unless the condition is true of an argument.

    The upper halves decide unless they are equal, then the lower ones do.
    """
    low = [_low_word(index), *_test(operator, value & _LOW, mask & _LOW, 0, skip)]
    upper = value >> 32
    yes, no = len(low), len(low) + skip
    if operator == "SCMP_CMP_MASKED_EQ":
        return [_high_word(index), *_test(operator, upper, mask >> 32, 0, no), *low]
    if operator == "SCMP_CMP_EQ":
        return [_high_word(index), _instruction(_JUMP_IF_EQUAL, upper, 0, no), *low]
    if operator == "SCMP_CMP_NE":
        return [_high_word(index), _instruction(_JUMP_IF_EQUAL, upper, 0, yes), *low]
    greater, less = (yes, no) if operator in ("SCMP_CMP_GT", "SCMP_CMP_GE") else (no, yes)
    return [
        _high_word(index),
        _instruction(_JUMP_IF_GREATER, upper, greater + 1, 0),
        _instruction(_JUMP_IF_EQUAL, upper, 0, less),
        *low,
    ]


def _test(operator: str, value: int, mask: int, yes: int, no: int) -> Code:
    """Jump over `yes` instructions if the condition is true of the loaded word, otherwise over `no`."""
    match operator:
        case "SCMP_CMP_MASKED_EQ":
            return [_instruction(_AND, mask), _instruction(_JUMP_IF_EQUAL, value & mask, yes, no)]
        case "SCMP_CMP_EQ":
            return [_instruction(_JUMP_IF_EQUAL, value, yes, no)]
        case "SCMP_CMP_NE":
            return [_instruction(_JUMP_IF_EQUAL, value, no, yes)]
        case "SCMP_CMP_GT":
            return [_instruction(_JUMP_IF_GREATER, value, yes, no)]
        case "SCMP_CMP_GE":
            return [_instruction(_JUMP_IF_GREATER_OR_EQUAL, value, yes, no)]
        case "SCMP_CMP_LE":
            return [_instruction(_JUMP_IF_GREATER, value, no, yes)]
        case _:
            return [_instruction(_JUMP_IF_GREATER_OR_EQUAL, value, no, yes)]
