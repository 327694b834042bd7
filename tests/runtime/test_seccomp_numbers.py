"""The table of system call numbers agrees with libseccomp's, in both directions, and has all that the kernel's headers have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runtime.seccomp.numbers import X32_BIT, numbers_of
from tests.support.libseccomp import AUDIT, name_of, number_of

HEADERS = {
    "SCMP_ARCH_X86_64": "x86/asm/unistd_64.h",
    "SCMP_ARCH_X32": "x86/asm/unistd_x32.h",
    "SCMP_ARCH_X86": "x86/asm/unistd_32.h",
    "SCMP_ARCH_AARCH64": "arm64/asm/unistd_64.h",
    "SCMP_ARCH_ARM": "arm/asm/unistd-eabi.h",
    "SCMP_ARCH_RISCV64": "riscv/asm/unistd_64.h",
}


def _headers(architecture: str) -> list[Path]:
    """Return the headers of Debian's linux-libc-dev: that of today has all architectures', bookworm's has its own only."""
    folder, _, name = HEADERS[architecture].partition("/")
    places = [f"/usr/lib/linux/uapi/{folder}/{name}"]
    if folder == "x86":
        places.append(f"/usr/include/x86_64-linux-gnu/{name}")
    return [path for place in places if (path := Path(place)).exists()]


@pytest.mark.parametrize("architecture", [each for each in HEADERS if _headers(each)])
def test_numbers_are_those_of_the_kernels_headers(architecture: str) -> None:
    define = re.compile(r"^#define __NR_(\w+)\s+(?:\(__\w+ \+ )?(\d+)\)?$", re.MULTILINE)
    for header in _headers(architecture):
        defined = {name: int(number) for name, number in define.findall(header.read_text())}
        assert len(defined) > 300
        assert defined.items() <= numbers_of(architecture).items()


@pytest.mark.parametrize("architecture", AUDIT)
def test_numbers_are_those_of_libseccomp(architecture: str) -> None:
    bit = X32_BIT if architecture == "SCMP_ARCH_X32" else 0
    numbers = numbers_of(architecture)
    known = {name: number for number in range(1000) if (name := name_of(architecture, number | bit))}
    assert len(known) > 300
    assert known.items() <= numbers.items()
    for name in numbers.keys() - known.keys():
        # Two names of one number, or a system call that came later than the installed libseccomp.
        found = number_of(architecture, name)
        assert found == numbers[name] | bit or found < 0, name


@pytest.mark.parametrize("architecture", AUDIT)
def test_every_number_has_one_name(architecture: str) -> None:
    numbers = numbers_of(architecture)
    assert len(set(numbers.values())) == len(numbers)


def test_system_calls_of_new_kernels_are_known_everywhere() -> None:
    for architecture in AUDIT:
        numbers = numbers_of(architecture)
        newest = ("clone3", "cachestat", "mseal", "file_setattr", "listns", "rseq_slice_yield")
        assert [numbers[name] for name in newest] == [435, 451, 462, 469, 470, 471]
