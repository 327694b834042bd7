"""bpf(2): programs that decide which devices the processes of a cgroup may use (BPF_PROG_TYPE_CGROUP_DEVICE)."""

from __future__ import annotations

import errno
import struct

from runtime.kernel.syscall import address, call

_PROG_LOAD = 5
_PROG_ATTACH = 8
_PROG_DETACH = 9
_PROG_GET_FD_BY_ID = 13
_PROG_QUERY = 16

_TYPE_CGROUP_DEVICE = 15
_ATTACH_CGROUP_DEVICE = 6
_F_ALLOW_MULTI = 1 << 1
_F_REPLACE = 1 << 2
_MOST_PROGRAMS = 64
"""The most programs of a cgroup (BPF_CGROUP_MAX_PROGS)."""

# Parts of `union bpf_attr`; what comes after them is 0.
_LOAD = "=IIQQIIQ"
"""prog_type, insn_cnt, insns, license, log_level, log_size, log_buf."""
_ATTACH = "=IIIII"
"""target_fd, attach_bpf_fd, attach_type, attach_flags, replace_bpf_fd."""
_QUERY = "=IIIIQI4x"
"""target_fd, attach_type, query_flags, attach_flags, prog_ids, prog_cnt."""


def load_device_program(instructions: bytes) -> int:
    """By BPF_PROG_LOAD: load a program, which the kernel verifies; return its descriptor."""
    code, license_name = bytearray(instructions), bytearray(b"Apache-2.0\0")
    count = len(instructions) // 8
    attributes = struct.pack(_LOAD, _TYPE_CGROUP_DEVICE, count, address(code), address(license_name), 0, 0, 0)
    return _bpf(_PROG_LOAD, attributes)


def attach_device_program(cgroup: int, program: int, replaced: int = -1) -> None:
    """By BPF_PROG_ATTACH: attach a program to the cgroup of a descriptor, in addition or instead of `replaced`."""
    flags = _F_ALLOW_MULTI | (_F_REPLACE if replaced >= 0 else 0)
    _bpf(_PROG_ATTACH, struct.pack(_ATTACH, cgroup, program, _ATTACH_CGROUP_DEVICE, flags, max(replaced, 0)))


def detach_device_program(cgroup: int, program: int) -> None:
    """By BPF_PROG_DETACH: detach a program."""
    _bpf(_PROG_DETACH, struct.pack(_ATTACH, cgroup, program, _ATTACH_CGROUP_DEVICE, 0, 0))


def open_device_programs(cgroup: int) -> list[int]:
    """By BPF_PROG_QUERY: return descriptors of the programs that are attached to a cgroup, without those of the ones above.

    Those are left out of which a security module grants no descriptor.
    """
    ids = bytearray(4 * _MOST_PROGRAMS)
    attributes = bytearray(
        struct.pack(_QUERY, cgroup, _ATTACH_CGROUP_DEVICE, 0, 0, address(ids), _MOST_PROGRAMS)
    )
    _bpf(_PROG_QUERY, attributes)
    count = struct.unpack(_QUERY, attributes)[5]
    programs = []
    for number in struct.unpack(f"={count}I", ids[: 4 * count]):
        try:
            programs.append(_bpf(_PROG_GET_FD_BY_ID, struct.pack("=I", number)))
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EACCES):
                raise
    return programs


def _bpf(command: int, attributes: bytes | bytearray) -> int:
    return call("bpf", command, attributes, len(attributes))
