"""The tables of README.ja.md that compare runtimes and versions are those that programs have measured and recorded."""

from __future__ import annotations

import re

import pytest

from tests.recording.manual import parts
from tests.support import manual


@pytest.mark.parametrize("program", parts())
def test_the_manual_has_what_is_recorded(program: str) -> None:
    """Where it has not: `python -m tests.recording.manual` writes it."""
    assert manual.part(program).strip("\n") == parts()[program].strip("\n")


def test_every_column_or_row_of_a_comparison_says_its_version() -> None:
    """A table that names an engine at its head is a program's, and names the version."""
    text = manual.README.read_text(encoding="utf-8")
    heads = re.findall(r"^\|.*\b(?:runc|crun)\b.*\|\n\| --- ", text, re.MULTILINE)
    assert heads
    for head in heads:
        assert re.search(r"runc \d[\d.]* \| crun \d", head), head
