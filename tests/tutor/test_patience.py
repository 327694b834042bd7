"""Time limits that follow the speed and the load of the machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine of two processors with nothing else to do, whose speed is measured anew."""
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    patience._speed.cache_clear()
    yield
    patience._speed.cache_clear()


def test_a_time_limit_follows_the_measured_speed_and_is_never_shorter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for measured, limit in ((0.0001, 2.0), (0.001, 2.0), (0.03, 60.0), (10.0, 120.0)):
        monkeypatch.setattr(patience, "_measured", lambda measured=measured: measured)
        patience._speed.cache_clear()
        assert patience.scaled(2.0) == limit


def test_a_time_limit_follows_the_load_at_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_measured", lambda: 0.002)
    for load, limit in ((0.5, 4.0), (2.0, 4.0), (10.0, 20.0), (1000.0, 120.0), (1.0, 4.0)):
        monkeypatch.setattr(os, "getloadavg", lambda load=load: (load, 0.0, 0.0))
        assert patience.scaled(2.0) == limit


def test_one_interruption_does_not_make_a_machine_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = iter([0.0005, 3.0, 0.0005, 0.0005, 3.0, 0.0005, 3.0])
    monkeypatch.setattr(patience, "_measured", lambda: next(rounds))
    assert patience.slowness() == 1.0
