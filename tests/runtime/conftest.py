"""The fixtures of the runtime's tests that need containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.runt import Bundle, Runt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A bundle that runs `true` in a mount namespace of its own."""
    return Bundle(tmp_path / "bundle")


@pytest.fixture
def runt(tmp_path: Path) -> Iterator[Runt]:
    """`runt` with an empty state directory; containers that are left are deleted."""
    (tmp_path / "state").mkdir()
    runt = Runt(tmp_path / "state")
    yield runt
    runt.clean_up()
