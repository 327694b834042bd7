"""Images that are nearly right: accepted, or refused with one clear error (`python -m tests.images_fuzz` tries thousands)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.images_fuzz import fuzz

if TYPE_CHECKING:
    from pathlib import Path

CASES = 400


@pytest.mark.root
def test_what_is_nearly_an_image(tmp_path: Path) -> None:
    result = fuzz(CASES, tmp_path)
    assert result.failures == []
    assert result.accepted + result.refused == CASES
    assert min(result.accepted, result.refused) > CASES // 5
    assert len(result.codes) > 25


@pytest.mark.root
@pytest.mark.peer("skopeo", "umoci")
def test_what_is_accepted_is_accepted_by_skopeo_and_umoci(tmp_path: Path) -> None:
    result = fuzz(60, tmp_path, first=CASES, peers=True)
    assert result.failures == []
    assert result.accepted > 10
