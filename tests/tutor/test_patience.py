"""Time limits that follow the speed of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor import patience

if TYPE_CHECKING:
    import pytest


def test_a_time_limit_follows_the_measured_speed_and_is_never_shorter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for measured, limit in ((0.0001, 2.0), (0.001, 2.0), (0.03, 60.0), (10.0, 120.0)):
        monkeypatch.setattr(patience, "_measured", lambda measured=measured: measured)
        patience.slowness.cache_clear()
        assert patience.scaled(2.0) == limit
    patience.slowness.cache_clear()


def test_one_interruption_does_not_make_a_machine_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = iter([0.0005, 3.0, 0.0005, 0.0005, 3.0, 0.0005, 3.0])
    monkeypatch.setattr(patience, "_measured", lambda: next(rounds))
    patience.slowness.cache_clear()
    assert patience.slowness() == 1.0
    patience.slowness.cache_clear()
