"""What the engines of three Debian releases printed for each broken configuration, explained: no engine is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.broken import Broken, Outcome, cases, clear, lay, recorded, seen
from tests.support.lab import bundle

if TYPE_CHECKING:
    from pathlib import Path

CASES = cases()
RECORDED = recorded()


Results = dict[tuple[str, str], dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What each recorded version did in each case, and its explanation."""
    path = bundle(tmp_path_factory.mktemp("recorded"))
    return {key: {case.name: _replayed(case, key, path) for case in CASES} for key in RECORDED}


def _replayed(case: Broken, key: tuple[str, str], path: Path) -> dict[str, Any]:
    was = RECORDED[key][case.name]
    before = lay(case, path)
    said = was["said"].replace("{bundle}", str(path))
    found = seen(key[0], Outcome(was["operation"], was["status"], said, path, was["state"]), path)
    clear(before)
    return found


@pytest.mark.parametrize("key", RECORDED, ids="-".join)
def test_what_a_version_printed_is_explained(key: tuple[str, str], results: Results) -> None:
    wrong = [
        (case.name, case.wanted(key[0]), results[key][case.name])
        for case in CASES
        if not case.fits(key[0], results[key][case.name])
    ]
    assert not wrong


def test_versions_differ_where_the_cases_say_so(results: Results) -> None:
    for case in CASES:
        for engine in ("runc", "crun"):
            each = [found[case.name] for (name, _), found in results.items() if name == engine]
            for wanted in case.wanted(engine):
                assert any({name: one.get(name) for name in wanted} == wanted for one in each), (
                    case.name,
                    wanted,
                )
