"""The table of system call numbers agrees with libseccomp's, in both directions."""

from __future__ import annotations

import pytest

from runtime.seccomp.numbers import X32_BIT, numbers_of
from tests.support.libseccomp import AUDIT, name_of, number_of


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
