"""`runtime` and `tutor` have one list of the resource limits each; both agree with the kernel and with Python's `resource`."""

from __future__ import annotations

import resource
from pathlib import Path

from runtime.kernel.process import LIMITS
from tutor import rlimits


def test_the_rooms_agree_with_each_other_and_with_python() -> None:
    assert tuple(LIMITS) == rlimits.NAMES
    known = {name: getattr(resource, name) for name in LIMITS if hasattr(resource, name)}
    assert len(known) > 10
    assert known.items() <= LIMITS.items()


def test_the_words_are_the_kernels() -> None:
    _, *lines = Path("/proc/self/limits").read_text(encoding="ascii").splitlines()
    assert [line[:26].strip() for line in lines] == list(rlimits.WORDS.values())
