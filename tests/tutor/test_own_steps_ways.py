"""Three right and three wrong ways to write each exercise: how it is written makes no difference, and what is wrong gets the word of its hint."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.ordinary import ordinary_user
from tests.support.own_steps import Way, right, wrong
from tests.support.runt import REPOSITORY
from tutor.home import Home
from tutor.messages import Messages
from tutor.own_steps.judge import Judgement, judge

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.root
_SAMPLE = {"domain-first", "old-root-stays", "masks-by-another-file", "paths-ignored", "always-kill"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("own")
    return Home(root / "labs", root / "state", root / "cache")


def named(ways: Iterable[Way]) -> list[object]:
    return [
        pytest.param(way, id=f"{way.exercise}-{way.name}", marks=() if way.name in _SAMPLE else pytest.mark.long)
        for way in ways
    ]  # fmt: skip


def judged(way: Way, home: Home) -> Judgement:
    return judge(way.exercise, way.text, messages=Messages("en"), home=home)


@pytest.mark.parametrize("way", named(right()))
def test_what_does_the_same_passes(way: Way, home: Home) -> None:
    judgement = judged(way, home)
    assert judgement.passed, judgement


@pytest.mark.parametrize("way", named(wrong()))
def test_what_is_wrong_gets_the_word_of_its_hint(way: Way, home: Home) -> None:
    judgement = judged(way, home)
    assert not judgement.passed
    mishap = judgement.mishap is not None and judgement.mishap.is_about(way.word)
    assert mishap or any(each.is_about(way.word) for each in judgement.differences), judgement


_AS_ORDINARY = """
from tutor.lab.user_namespace import enter
enter()
from tests.support.own_steps import wrong
from tutor.messages import Messages
from tutor.own_steps.judge import judge
way = next(each for each in wrong() if each.name == "no-links")
print(sorted(each.detail for each in judge("devices", way.text, messages=Messages("en")).differences))
"""


def test_an_ordinary_user_is_judged_too() -> None:
    with ordinary_user() as user:
        done = subprocess.run(
            user.command(sys.executable, "-P", "-c", _AS_ORDINARY),
            cwd="/",
            env={**user.environment, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=False,
        )
    # No device can be made by that user: ours shows the host's, and everything else is compared.
    assert done.stdout.strip() == "['/dev/*', '/dev/fd', '/dev/stderr', '/dev/stdin', '/dev/stdout']", done
