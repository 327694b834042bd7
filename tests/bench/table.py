"""The benchmark's record, and its tables in README.ja.md, which are made from the record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.steps import Row

RECORD = Path(__file__).with_name("recorded.json")
PROGRAM = "tests/bench"

_RUNTIMES = ("runt", "runc", "crun")
_NAMES = {
    "run": "`run`",
    "life": "`create` + `start` + `state` + `delete`",
    "exec": "`exec`",
    "docker": "`docker run --rm`（Docker {docker}）",
}
_LONGEST = 12
"""How many steps are shown: the longest ones."""


class Result(NamedTuple):
    """One comparison: the median of each runtime in milliseconds."""

    what: str
    cold: bool
    medians: dict[str, float]


def record(
    results: Sequence[Result], rows: Sequence[Row], machine: str, versions: Mapping[str, str]
) -> dict[str, Any]:
    """Return what is kept of the measurements: as exact as it is shown."""
    longest = sorted(rows, key=lambda row: row.milliseconds, reverse=True)[:_LONGEST]
    others = [row.milliseconds for row in rows if row not in longest]
    return {
        "machine": machine,
        "versions": dict(versions),
        "results": [
            {
                "what": each.what,
                "cold": each.cold,
                "medians": {name: round(median, 1) for name, median in each.medians.items()},
            }
            for each in results
        ],
        "steps": [[row.process, row.step, round(row.milliseconds, 2)] for row in rows if row in longest],
        "others": [len(others), round(sum(others), 2)],
    }


def text(recorded: Mapping[str, Any]) -> str:
    """Return the tables of a record, as Markdown."""
    return f"{_contest(recorded)}\n{_steps(recorded)}"


def _contest(recorded: Mapping[str, Any]) -> str:
    versions = recorded["versions"]
    head = " | ".join(f"{name} {versions[name]}" for name in _RUNTIMES)
    lines = [
        f"測ったマシン: {recorded['machine']}。単位はミリ秒（中央値）。",
        "",
        f"| | {head} | runt / runc | runt / crun |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    for result in recorded["results"]:
        what, medians = result["what"], result["medians"]
        mood = "" if what == "docker" else "、冷" if result["cold"] else "、温"
        times = [f"{medians[name]:.1f}" if name in medians else "" for name in _RUNTIMES]
        ratios = [_ratio(medians, other) for other in ("runc", "crun")]
        lines.append(f"| {' | '.join([_NAMES[what].format(**versions) + mood, *times, *ratios])} |")
    return "\n".join(lines) + "\n"


def _ratio(medians: Mapping[str, float], other: str) -> str:
    """Return runt's time as a part of the other's."""
    return f"{medians['runt'] / medians[other]:.2f}" if other in medians else ""


def _steps(recorded: Mapping[str, Any]) -> str:
    """Return the time of the longest steps of both processes."""
    count, rest = recorded["others"]
    lines = ["| プロセス | 手順 | ミリ秒 |", "| --- | --- | --: |"]
    lines += [f"| {process} | `{step}` | {time:.2f} |" for process, step, time in recorded["steps"]]
    lines.append(f"| | ほかの {count} 個の合計 | {rest:.2f} |")
    return "\n".join(lines) + "\n"
