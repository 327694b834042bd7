"""Hundreds of real configurations with one mistake: whatever runt refuses, `explain BUNDLE` finds, and where it is."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import bundle
from tests.support.mutated_config import bases, mutations
from tests.support.refusals import refusal, told
from tutor.explain.bundle import Bundle
from tutor.explain.survey import survey

if TYPE_CHECKING:
    from tests.support.mutated_config import Mutation

CONFIG = Path(__file__).parents[2] / "runtime" / "config"
NOT_AS_ROOT = ("not supported for rootless containers",)
"""The words of rules that hold for an ordinary user only."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle."""
    return bundle(tmp_path_factory.mktemp("mutated"))


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> list[Mutation]:
    """Every mistake of the list in the largest configuration, and some of all others."""
    some: list[Mutation] = []
    for base, config in bases(tmp_path_factory.mktemp("bases")).items():
        step = 8 if base == "whole" else 12
        made = enumerate(mutations(base, config))
        some += [each for number, each in made if number % step == 0 or (each.listed and base == "whole")]
    return some


@pytest.mark.peer("runc", "crun")
def test_what_runt_refuses_is_found_where_it_is(here: Path, chosen: list[Mutation]) -> None:
    refused = {each: why for each in chosen[::2] if (why := refusal(each.text))}
    assert len(refused) >= 300
    wrong: list[str] = []
    for each, why in refused.items():
        (here / "config.json").write_text(each.text)
        wrong += filter(None, [told(each, why, survey(Bundle(here)))])
    assert not wrong, "\n".join(wrong)


@pytest.mark.peer("runc", "crun")
def test_every_rule_of_runt_is_broken_by_one_of_them(chosen: list[Mutation]) -> None:
    """A new rule needs a mistake here, and so a finding of `explain`."""
    broken = {why.raised for each in chosen if (why := refusal(each.text))}
    never = []
    for path in sorted(CONFIG.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Raise) and "Mismatch(" in (
                said := ast.get_source_segment(text, node) or ""
            ):
                lines = {(path.stem, line) for line in range(node.lineno, (node.end_lineno or 0) + 1)}
                if not lines & broken and not any(words in said for words in NOT_AS_ROOT):
                    never.append(f"{path.name}:{node.lineno}: {said}")
    assert not never, "\n".join(never)
