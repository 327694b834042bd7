"""Read from an ELF program what copying it needs: its machine, its loader, its libraries (elf(5))."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

from tutor.images.errors import ImageError
from tutor.lazy_dataclass import dataclass

_PT_INTERP = 3
# (e_machine, word size) -> the value of GOARCH, as in `architecture` of image-spec config.md.
_GOARCH = {
    (62, 64): "amd64",
    (183, 64): "arm64",
    (3, 32): "386",
    (40, 32): "arm",
    (243, 64): "riscv64",
    (21, 64): "ppc64le",
    (22, 64): "s390x",
    (258, 64): "loong64",
}
# "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f...)": the form of glibc's and musl's loaders.
_LISTED = re.compile(r"^\s*(\S+) => (/.+) \(0x[0-9a-f]+\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Elf:
    """The headers of an ELF file."""

    architecture: str
    interpreter: str | None  # PT_INTERP: the path of the dynamic loader; None in a static program

    @classmethod
    def parse(cls, data: bytes) -> Elf | None:
        """Parse the headers of a file; return None if it is not ELF (a script, for example)."""
        if data[:4] != b"\x7fELF":
            return None
        try:
            bits = {1: 32, 2: 64}[data[4]]
            order = {1: "<", 2: ">"}[data[5]]
            file_header = order + ("HHIQQQIHHH" if bits == 64 else "HHIIIIIHHH")
            # Elf64_Phdr is p_type p_flags p_offset p_vaddr p_paddr p_filesz, Elf32_Phdr has p_flags further back.
            program_header, offset_at, size_at = ("IIQQQQ", 2, 5) if bits == 64 else ("IIIII", 1, 4)
            _, machine, _, _, table, _, _, _, entry_size, count = struct.unpack_from(file_header, data, 16)
            interpreter = None
            for number in range(count):
                entry = struct.unpack_from(order + program_header, data, table + number * entry_size)
                if entry[0] == _PT_INTERP:
                    start, size = entry[offset_at], entry[size_at]
                    interpreter = data[start : start + size].rstrip(b"\0").decode()
        except (KeyError, IndexError, OverflowError, struct.error, UnicodeDecodeError):
            return None
        return cls(_GOARCH.get((machine, bits), f"elf-{machine}"), interpreter)


def libraries_of(program: Path, interpreter: str) -> dict[str, Path]:
    """Return the libraries that a dynamic program loads: the name in the program, and the file that the loader finds.

    The loader is run (`ld.so --list`, ld.so(8)): only it knows its search path, its cache and the program's RUNPATH.

    Raises:
        ImageError: `loader`: the loader cannot be run or does not find a library.
    """
    try:
        listing = subprocess.run(
            [interpreter, "--list", program], capture_output=True, text=True, check=True, env={"LC_ALL": "C"}
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        raise ImageError("images.error.loader", program=program, reason=reason.strip()) from error
    return {name: Path(found) for name, found in _LISTED.findall(listing)}
