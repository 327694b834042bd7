"""Broken configurations, run by every engine, and the explanations of their output. 15 to 40 seconds, most of it in the engines."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.broken import ENGINES, Broken, cases, clear, lay, run, seen
from tests.support.engines import stage
from tests.support.lab import bundle
from tutor.engines.engine import path_of
from tutor.explain.bundle import Bundle
from tutor.explain.survey import survey

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.engines.model import EngineName

pytestmark = [pytest.mark.root, pytest.mark.peer("runc", "crun")]
CASES = cases()
Results = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The result of each case on each engine, and its explanation: one lab per engine, all three at once."""
    found: Results = {}
    present = [name for name in ENGINES if path_of(name)]
    paths = {engine: tmp_path_factory.mktemp(engine) for engine in present}
    threads = [threading.Thread(target=_run_all, args=(engine, paths[engine], found)) for engine in present]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _run_all(engine: EngineName, tmp_path: Path, found: Results) -> None:
    path = bundle(tmp_path)
    with stage(tmp_path, engine, path) as here:
        for case in CASES:
            before = lay(case, path)
            found[case.name, engine] = seen(engine, run(case, here), path)
            clear(before)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_an_engine_prints_is_explained(case: Broken, engine: EngineName, results: Results) -> None:
    found = results[case.name, engine]
    assert case.fits(engine, found), (case.wanted(engine), found)


@pytest.fixture(scope="module")
def a_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("seen"))


@pytest.mark.parametrize(
    "case", [case for case in CASES if "run" not in case.raw], ids=lambda case: case.name
)
def test_what_can_be_seen_in_a_bundle_is_explained_without_running_it(case: Broken, a_bundle: Path) -> None:
    expected = case.raw["expect"]
    before = lay(case, a_bundle)
    found = [(finding.id, finding.pointer) for finding in survey(Bundle(a_bundle))]
    clear(before)
    assert ((expected["is"], expected.get("at")) in found) is not case.raw.get("unseen", False)


def test_there_are_many_and_every_engine_refuses_most() -> None:
    configurations = [case for case in CASES if "run" not in case.raw]
    assert len(configurations) >= 100
    for engine in ENGINES:
        refused = [
            case
            for case in configurations
            if any(one["outcome"] != "accepts" for one in case.expected(engine))
        ]
        assert len(refused) >= 70
