"""What is recorded of the conformance suite, and its table in README.ja.md, which is made from the record."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support import manual
from tutor.lab import cgroups

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORD = Path(__file__).with_name("recorded.json")
PROGRAM = "tests/conformance"
_WAYS = {"plain": "このマシンのまま", "all-controllers": "`--all-controllers`"}


def keep(way: str, programs: int, versions: Mapping[str, str], passed: Mapping[str, int]) -> None:
    """Record how many programs each runtime passed, in one of the two ways, and write the table."""
    recorded = manual.load(RECORD)
    recorded[way] = {
        "machine": f"Linux {platform.release().split('-')[0]}",
        "cgroups": sorted({hierarchy.version for hierarchy in cgroups.hierarchies()}),
        "programs": programs,
        "versions": dict(versions),
        "passed": dict(passed),
    }
    manual.save(RECORD, recorded)
    manual.keep(PROGRAM, text(recorded))


def text(recorded: Mapping[str, Any]) -> str:
    """Return the table of a record, as Markdown."""
    lines = ["| | マシン | プログラム | 合格 |", "| --- | --- | --: | --- |"]
    for way, name in _WAYS.items():
        run = recorded[way]
        versions = " と ".join(f"v{version}" for version in run["cgroups"])
        passed = "、".join(
            f"{runtime} {run['versions'][runtime]}: {count}" for runtime, count in run["passed"].items()
        )
        lines.append(f"| {name} | {run['machine']}、cgroup {versions} | {run['programs']} | {passed} |")
    return "\n".join(lines) + "\n"
