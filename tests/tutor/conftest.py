"""A learner in the first lesson, and all that their session says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.session import LESSON, Diary, session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tutor.session.session import Session


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def learner(tmp_path: Path, diary: Diary) -> Iterator[Session]:
    with session(tmp_path, diary) as opened:
        opened.open(LESSON)
        yield opened
